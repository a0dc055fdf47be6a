/**
 * The run without a split, as the yardstick: one whole model in f32 per client's text, no codec and no protocol. It takes the same
 * batches from the same first adapters, adds the trunk's gradients over clients and steps once, steps each client's
 * own bottom and top, and clips each segment's gradient by itself, exactly as the split run does. What is left between the
 * two is what splitting and quantizing cost.
 */
import type { Engine } from "../../shared/engine/engine.ts";
import { fail } from "../../shared/errors.ts";
import { adamwOf, jobSegments, loraOf, scheduleOf } from "../../shared/job/runners.ts";
import { wholeModel } from "../../shared/model/cut.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import { adaptedLinears, loraNames } from "../../shared/model/lora.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import { AdamW } from "../../shared/train/adamw.ts";
import { learningRateAt } from "../../shared/train/schedule.ts";
import { SegmentRunner } from "../../shared/train/segment-runner.ts";
import { loadSegmentWeights } from "../../shared/train/segment-weights.ts";
import type { NamedTensors, TokenBatch } from "../../shared/train/segments.ts";

/** Gives a client's batch for a step and micro-batch, as its process draws it. */
export type Batches = (step: number, microBatch: number) => TokenBatch;

export interface ReferenceOptions {
  /** A sync job with personal adapters. */
  readonly job: JobConfig;
  readonly model: Pick<HfModel, "config" | "tensors">;
  readonly engine: Engine;
  readonly clients: readonly Batches[];
  readonly signal?: AbortSignal;
  readonly onStep?: (steps: number, losses: readonly number[]) => void;
}

export interface ReferenceResult {
  /** Of each client's batches, nats per token [clients][steps]. */
  readonly losses: readonly (readonly number[])[];
  /** Adapters of the whole model for each client: its own bottom and top, and the common trunk. */
  readonly adapters: readonly NamedTensors[];
}

/** Parameters that step together: their values, the sum of their gradients, an optimizer. */
class ParameterGroup {
  readonly values = new Map<string, Float32Array>();
  readonly #gradients = new Map<string, Float32Array>();
  readonly #optimizer: AdamW;
  readonly #job: JobConfig;

  constructor(job: JobConfig, initial: NamedTensors, names: readonly string[]) {
    this.#job = job;
    for (const name of names) {
      const tensor = initial.get(name) ?? fail("NB_INTERNAL", `there is no adapter "${name}"`);
      this.values.set(name, tensor.data.slice());
      this.#gradients.set(name, new Float32Array(tensor.data.length));
    }
    this.#optimizer = new AdamW(this.values, adamwOf(job));
  }

  add(gradients: NamedTensors): void {
    for (const [name, sum] of this.#gradients) {
      const { data } = gradients.get(name)!;
      for (let i = 0; i < sum.length; i++) sum[i] += data[i];
    }
  }

  step(step: number, supervisedTokens: number): void {
    const rate = learningRateAt(scheduleOf(this.#job), step, this.#job.steps);
    this.#optimizer.step(this.#gradients, step, rate, 1 / supervisedTokens);
    for (const sum of this.#gradients.values()) sum.fill(0);
  }
}

/**
 * Runs the job unsplit.
 *
 * @throws NB_CONFIG_INVALID for a job whose clients are not steppend together or share adapters; the signal's reason when it is aborted.
 */
export async function runReference(options: ReferenceOptions): Promise<ReferenceResult> {
  const { job, model, engine, clients } = options;
  if (job.mode !== "sync" || job.aggregation !== "personal")
    fail("NB_CONFIG_INVALID", "the unsplit reference is of sync jobs with personal adapters");
  const { config } = model;
  const lora = loraOf(job);
  const whole = wholeModel(config);
  const runner = new SegmentRunner({
    spec: { config, range: whole, lora, trainable: "adapters", rematerialise: "none" },
    engine,
    weights: await loadSegmentWeights(model.tensors, config, whole),
    seed: job.seed,
    optimizer: adamwOf(job),
    schedule: scheduleOf(job),
    totalSteps: job.steps,
  });
  try {
    const initial = runner.adapters();
    const shapes = new Map([...initial].map(([name, { shape }]) => [name, shape]));
    const segments = jobSegments(job, config);
    const group = ({ from, to }: { from: number; to: number }) =>
      new ParameterGroup(
        job,
        initial,
        adaptedLinears(config, lora, from, to).flatMap(({ path }) => Object.values(loraNames(path))),
      );
    const trunk = group(segments.trunk);
    const own = clients.map(() => ({ bottom: group(segments.bottom), top: group(segments.top) }));
    const adaptersOf = (client: number): NamedTensors => {
      const { bottom, top } = own[client];
      const values = new Map([...bottom.values, ...trunk.values, ...top.values]);
      // In the runner's own order.
      return new Map([...shapes].map(([name, shape]) => [name, { shape, data: values.get(name)! }]));
    };

    const losses: number[][] = clients.map(() => []);
    for (let step = 0; step < job.steps; step++) {
      let allTokens = 0;
      for (const [client, batches] of clients.entries()) {
        runner.loadAdapters(adaptersOf(client));
        runner.zeroGradients();
        let nats = 0;
        let tokens = 0;
        for (let microBatch = 0; microBatch < job.microBatches; microBatch++) {
          options.signal?.throwIfAborted();
          const { ids, labels, lengths } = batches(step, microBatch);
          const at = { step, microBatch, training: true };
          const { lossSum, supervisedTokens } = await runner.lossOf(ids, labels, lengths, at);
          nats += lossSum;
          tokens += supervisedTokens;
        }
        const gradients = runner.gradients();
        trunk.add(gradients);
        const { bottom, top } = own[client];
        for (const part of [bottom, top]) {
          part.add(gradients);
          part.step(step, tokens);
        }
        losses[client].push(nats / tokens);
        allTokens += tokens;
      }
      trunk.step(step, allTokens);
      options.onStep?.(
        step + 1,
        losses.map((of) => of[step]),
      );
    }
    return {
      losses,
      adapters: clients.map(
        (_, client) =>
          new Map(
            [...adaptersOf(client)].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]),
          ),
      ),
    };
  } finally {
    await runner.dispose();
  }
}
