/**
 * Measures clients' models while their cell runs: one whole model on the cell's engine, into which the adapters of client and server are
 * put together, as export would join them. It computes in f32 without any codec.
 */
import type { Engine } from "../../shared/engine/engine.ts";
import { adamwOf, loraOf, scheduleOf } from "../../shared/job/runners.ts";
import { wholeModel } from "../../shared/model/cut.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import { SegmentRunner } from "../../shared/train/segment-runner.ts";
import { loadSegmentWeights } from "../../shared/train/segment-weights.ts";
import type { NamedTensors } from "../../shared/train/segments.ts";
import type { TaskMeasure, TaskMetrics } from "../tasks/measure.ts";

export interface Evaluation {
  /** Means over clients. */
  readonly metrics: TaskMetrics;
  readonly clients: readonly TaskMetrics[];
}

export class Evaluator {
  readonly #runner: SegmentRunner;
  readonly #measures: readonly TaskMeasure[];

  private constructor(runner: SegmentRunner, measures: readonly TaskMeasure[]) {
    this.#runner = runner;
    this.#measures = measures;
  }

  static async open(
    job: JobConfig,
    model: HfModel,
    engine: Engine,
    measures: readonly TaskMeasure[],
  ): Promise<Evaluator> {
    const { config } = model;
    const range = wholeModel(config);
    const runner = new SegmentRunner({
      spec: { config, range, lora: loraOf(job), trainable: "adapters", rematerialise: "none" },
      engine,
      weights: await loadSegmentWeights(model.tensors, config, range),
      seed: job.seed,
      optimizer: adamwOf(job),
      schedule: scheduleOf(job),
      totalSteps: job.steps,
    });
    return new Evaluator(runner, measures);
  }

  /** `adapters`: of each client's whole model. `final`: after the last step, when answers are written too. */
  async evaluate(adapters: readonly NamedTensors[], { final }: { final: boolean }): Promise<Evaluation> {
    const clients: TaskMetrics[] = [];
    for (const [client, tensors] of adapters.entries()) {
      this.#runner.loadAdapters(tensors);
      clients.push(await this.#measures[client].measure(this.#runner, { generate: final }));
    }
    return { metrics: meanMetrics(clients), clients };
  }

  async dispose(): Promise<void> {
    await this.#runner.dispose();
  }
}

/** Mean of each figure that all have. */
export function meanMetrics(all: readonly TaskMetrics[]): TaskMetrics {
  const keys = Object.keys(all[0]) as (keyof TaskMetrics)[];
  const mean = (key: keyof TaskMetrics) =>
    all.reduce((sum, metrics) => sum + (metrics[key] ?? 0), 0) / all.length;
  return Object.fromEntries(keys.map((key) => [key, mean(key)])) as unknown as TaskMetrics;
}
