/**
 * What `narrowband pretrain` does: the corpus, the training with its progress bar, and the model directory.
 */
import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatCount, formatDuration } from "../../shared/command/format.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { fail } from "../../shared/errors.ts";
import { parseHfConfig } from "../../shared/model/config.ts";
import { writeJson, writeModelDirectory } from "../../shared/model/files-node.ts";
import { adamwSchema } from "../../shared/train/adamw.ts";
import { scheduleSchema } from "../../shared/train/schedule.ts";
import type { pretrainCommand } from "../commands/pretrain.ts";
import { writeCorpus } from "./corpus.ts";
import { type PretrainStep, parameterCount, pretrain } from "./pretrain.ts";

type PretrainSettings = z.output<typeof pretrainCommand.options>;

/** Ids in the corpus's vocabulary, and of the token that ends a document. */
const VOCABULARY = 4096;
const END_OF_TEXT_ID = 0;

export async function runPretrain(settings: PretrainSettings, context: CommandContext): Promise<void> {
  const started = performance.now();
  if (!existsSync(join(settings.corpus, "corpus.json")))
    writeCorpus(settings.corpus, { seed: settings.seed, vocabSize: VOCABULARY, onProgress: context.note });
  const config = parseHfConfig({
    model_type: "llama",
    vocab_size: VOCABULARY,
    hidden_size: settings.hidden,
    intermediate_size: settings.ffn,
    num_hidden_layers: settings.layers,
    num_attention_heads: settings.heads,
    max_position_embeddings: settings.positions,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
    bos_token_id: END_OF_TEXT_ID,
    eos_token_id: END_OF_TEXT_ID,
  });
  const engine = await createEngine(settings.engine, {
    threads: settings.threads || availableParallelism(),
  });
  const progress = await context.progress();
  const bar = progress.bar("pretrain", settings.steps);
  let heldOut = "";
  const onStep = (report: PretrainStep) => {
    context.event("step", { ...report });
    if (report.heldOutBitsPerByte !== undefined)
      heldOut = ` | held-out ${report.heldOutBitsPerByte.toFixed(4)} bits/byte`;
    const rate = (settings.rows * settings.length * 1000) / report.milliseconds;
    bar.update(report.step, `loss ${report.loss.toFixed(4)}${heldOut} | ${formatCount(rate)} tokens/s`);
  };
  const result = await pretrain({
    corpus: settings.corpus,
    checkpoints: join(settings.out, "checkpoints"),
    config,
    engine,
    steps: settings.steps,
    rows: settings.rows,
    length: settings.length,
    seed: settings.seed,
    optimizer: adamwSchema.parse({ beta2: 0.95, weightDecay: settings.weightDecay, clipNorm: 1 }),
    schedule: scheduleSchema.parse({
      learningRate: settings.learningRate,
      warmupSteps: settings.warmup,
      finalFraction: 0.05,
    }),
    checkpointEvery: settings.checkpointEvery,
    evaluateEvery: settings.evaluateEvery,
    signal: context.signal,
    onStep,
  });
  progress.stop();
  await engine.dispose();
  if (result.step < settings.steps)
    fail(
      "NB_INTERRUPTED",
      `stopped after ${result.step} of ${settings.steps} steps; a checkpoint is in ${join(settings.out, "checkpoints")}`,
    );

  const tensors = new Map(
    [...result.weights].map(([name, t]) => [name, { shape: [...t.shape], data: t.data }]),
  );
  await writeModelDirectory(settings.out, config, tensors, "BF16");
  for (const file of ["tokenizer.json", "tokenizer_config.json"])
    await copyFile(join(settings.corpus, file), join(settings.out, file));
  const summary = {
    parameters: parameterCount(result.weights),
    steps: result.step,
    tokens: result.tokens,
    heldOutBitsPerByte: result.heldOutBitsPerByte,
    heldOutLoss: result.heldOutLoss,
  };
  const { out: _out, corpus: _corpus, ...trained } = settings;
  await writeJson(join(settings.out, "training.json"), { ...trained, ...summary });
  await context.result({ model: settings.out, ...summary });
  context.print(
    `${settings.out}: ${formatCount(summary.parameters)} parameters, ${formatCount(result.tokens)} tokens in ` +
      `${formatDuration(performance.now() - started)}; held-out loss ${result.heldOutLoss?.toFixed(4)} nats per token, ` +
      `${result.heldOutBitsPerByte?.toFixed(4)} bits per byte`,
  );
}
