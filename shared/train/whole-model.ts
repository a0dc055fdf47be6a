/**
 * A whole model on one machine, with or without an adapter: for measuring, for generating, and as the unsplit reference.
 */
import type { Engine } from "../engine/engine.ts";
import { fail } from "../errors.ts";
import type { ModelFiles } from "../model/byte-source.ts";
import type { ModelConfig } from "../model/config.ts";
import { wholeModel } from "../model/cut.ts";
import { openModel } from "../model/hf-directory.ts";
import { type Adapter, checkAdapter } from "../model/peft.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { adamwSchema } from "./adamw.ts";
import { scheduleSchema } from "./schedule.ts";
import { SegmentRunner } from "./segment-runner.ts";
import { loadSegmentWeights } from "./segment-weights.ts";

export interface WholeModel {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  /** Never trained: its optimizer is idle. */
  readonly runner: SegmentRunner;
}

/**
 * Reads a model directory, its tokenizer, and puts an adapter on it. Blocks that the adapter leaves out stay as they
 * are in the base. Dispose of the runner when done; the engine stays the caller's.
 *
 * @throws NB_ADAPTER_INVALID when the adapter is not of this model, NB_TOKENIZER_INVALID when the tokenizer has ids that
 * the model has not, and whatever reading throws.
 */
export async function openWholeModel(
  files: ModelFiles,
  engine: Engine,
  joinedAdapter: (config: ModelConfig) => Adapter | undefined = () => undefined,
): Promise<WholeModel> {
  const model = await openModel(files);
  try {
    const { config } = model;
    const adapter = joinedAdapter(config);
    if (adapter !== undefined) checkAdapter(config, adapter);
    const tokenizer = await model.tokenizer();
    if (tokenizer.vocabSize > config.vocabSize)
      fail(
        "NB_TOKENIZER_INVALID",
        `${files.name}: the tokenizer has ids up to ${tokenizer.vocabSize - 1}, the model takes up to ${config.vocabSize - 1}`,
      );
    const range = wholeModel(config);
    const runner = new SegmentRunner({
      spec: { config, range, lora: adapter?.lora, trainable: "adapters", rematerialise: "none" },
      engine,
      weights: await loadSegmentWeights(model.tensors, config, range),
      seed: 0,
      optimizer: adamwSchema.parse({}),
      schedule: scheduleSchema.parse({}),
      totalSteps: 1,
    });
    // A fresh adapter changes nothing, so blocks that the given one leaves out may keep theirs.
    if (adapter !== undefined) runner.loadAdapters(new Map([...runner.adapters(), ...adapter.tensors]));
    return { config, tokenizer, runner };
  } finally {
    await model.close();
  }
}
