/**
 * What the demo does when training is over: the same run unsplit in f32, and the loss on each client's held-out text of the base,
 * of the model that was trained split, and of the one that was not.
 */
import { join } from "node:path";
import type { CommandContext } from "../../shared/command/context.ts";
import type { Progress } from "../../shared/command/progress.ts";
import { BatchSchedule, makeRows, type Rows } from "../../shared/data/batches.ts";
import { loadDataset } from "../../shared/data/load-node.ts";
import { splitHeldOut } from "../../shared/data/token-dataset.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { loraOf } from "../../shared/job/runners.ts";
import { elementCount } from "../../shared/model/dtype.ts";
import { modelFiles, readAdapterDirectory } from "../../shared/model/files-node.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import { joinAdapters } from "../../shared/model/join-adapters.ts";
import type { Adapter } from "../../shared/model/peft.ts";
import { limitRows, type Measurement, measureLoss } from "../../shared/train/measure.ts";
import { openWholeModel } from "../../shared/train/whole-model.ts";
import type { MeasuredClient } from "./build-report.ts";
import { CLIENTS, HELD_OUT } from "./clients.ts";
import { runReference } from "./reference.ts";
import type { DemoSettings } from "./run.ts";
import type { Trained } from "./train-together.ts";

/** Rows measured at once. */
const ROWS = 8;

interface ClientText {
  readonly train: Rows;
  readonly heldOut: Rows;
}

/** Reads a client's text as its process does. */
async function readText(model: HfModel, data: string, settings: DemoSettings): Promise<ClientText> {
  const all = await loadDataset(data, await model.tokenizer());
  const { train, heldOut } = splitHeldOut(all, HELD_OUT, settings.seed);
  const form = { length: settings.length, packed: true };
  return {
    train: makeRows(train, form),
    heldOut: limitRows(makeRows(heldOut, form), settings.heldOutTokens),
  };
}

/** Measures the model with an adapter on a text. */
async function measureWith(
  modelPath: string,
  adapter: Adapter | undefined,
  engine: Engine,
  rows: Rows,
  signal: AbortSignal,
): Promise<Measurement> {
  const { runner } = await openWholeModel(modelFiles(modelPath), engine, () => adapter);
  try {
    return await measureLoss(runner, rows, { rows: ROWS, signal });
  } finally {
    await runner.dispose();
  }
}

export interface Comparison {
  readonly clients: readonly MeasuredClient[];
  /** In all adapters of one client's whole model. */
  readonly adapterParameters: number;
}

/** Makes the unsplit run and all measurements. */
export async function compare(
  settings: DemoSettings,
  modelPath: string,
  model: HfModel,
  engine: Engine,
  trained: Trained,
  context: CommandContext,
  progress: Progress,
): Promise<Comparison> {
  const { job } = trained;
  const { signal } = context;
  const texts = await Promise.all(CLIENTS.map(({ data }) => readText(model, data, settings)));
  const referenceBar = progress.bar("unsplit, f32", job.steps);
  const reference = await runReference({
    job,
    model,
    engine,
    clients: texts.map(({ train }) => {
      const schedule = new BatchSchedule(train, settings.rows, settings.seed);
      return (step, microBatch) => schedule.batch(step, microBatch, job.microBatches);
    }),
    signal,
    onStep: (step, losses) =>
      referenceBar.update(step, `loss ${(losses.reduce((a, b) => a + b, 0) / losses.length).toFixed(3)}`),
  });

  const measureBar = progress.bar("held-out text", 3 * CLIENTS.length);
  let measured = 0;
  let adapterParameters = 0;
  const clients: MeasuredClient[] = [];
  for (const [i, { name, data, about }] of CLIENTS.entries()) {
    const parts = [join(settings.out, name), join(settings.out, "server")];
    const tuned = joinAdapters(model.config, await Promise.all(parts.map(readAdapterDirectory)), parts);
    const unsplit: Adapter = { lora: loraOf(job), tensors: reference.adapters[i] };
    const losses: number[] = [];
    let tokens = 0;
    for (const adapter of [undefined, tuned, unsplit]) {
      const { lossSum, supervisedTokens } = await measureWith(
        modelPath,
        adapter,
        engine,
        texts[i].heldOut,
        signal,
      );
      losses.push(lossSum / supervisedTokens);
      tokens = supervisedTokens;
      measureBar.update(++measured, name);
    }
    const [base, tunedLoss, unsplitF32] = losses;
    clients.push({
      collector: trained.collectors.get(name)!,
      data: `${about} (${data})`,
      result: trained.clients.get(name)!,
      heldOut: { tokens, base, tuned: tunedLoss, unsplitF32 },
      unsplitLosses: reference.losses[i],
    });
    adapterParameters = [...tuned.tensors.values()].reduce((n, { shape }) => n + elementCount(shape), 0);
  }
  return { clients, adapterParameters };
}
