/**
 * Reads the goldens of test/golden: small models, a batch, and what PyTorch computes on them (test/oracle/README.md).
 */
import { readFile } from "node:fs/promises";
import type { Engine } from "../../shared/engine/engine.ts";
import type { ModelConfig } from "../../shared/model/config.ts";
import { type CutPlan, type SegmentRange, segmentsOf } from "../../shared/model/cut.ts";
import { openModelDirectory, readAdapterDirectory } from "../../shared/model/files-node.ts";
import { type NamedTensor, readSafetensors } from "../../shared/model/safetensors.ts";
import { buildSegment, IDS } from "../../shared/model/transformer.ts";
import { type AdamWConfig, adamwSchema } from "../../shared/train/adamw.ts";
import { pad, unpad } from "../../shared/train/padding.ts";
import { evaluationProgram, LOGITS, type SegmentSpec } from "../../shared/train/programs.ts";
import { type ScheduleConfig, scheduleSchema } from "../../shared/train/schedule.ts";
import {
  BottomRunner,
  type RunnerOptions,
  TopRunner,
  TrunkRunner,
} from "../../shared/train/segment-runner.ts";
import type { NamedTensors, PassPosition, TokenBatch } from "../../shared/train/segments.ts";

export const GOLDENS = ["llama", "llama-tied", "llama-rope3", "qwen2", "gpt2"] as const;
/** Those that have gradients of all parameters. */
export const FULL_GOLDENS = ["llama", "gpt2"] as const;

interface CaseJson {
  readonly ids: number[][];
  readonly labels: number[][];
  readonly supervisedTokens: number;
  readonly base: { readonly lossSum: number };
  readonly lora: { readonly r: number; readonly lora_alpha: number; readonly lossSum: number };
  readonly adamw?: {
    readonly learningRate: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weightDecay: number;
    readonly maxGradientNorm: number;
    readonly meanLosses: number[];
    readonly gradientNorms: number[];
  };
}

export interface Golden {
  readonly config: ModelConfig;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly lora: { readonly r: number; readonly alpha: number };
  readonly adapters: NamedTensors;
  readonly batch: TokenBatch;
  readonly json: CaseJson;
  readonly expected: ReadonlyMap<string, NamedTensor>;
}

const ROOT = new URL("../golden/", import.meta.url).pathname;

/** Reads one; the arrays are the caller's. */
export async function loadGolden(name: string): Promise<Golden> {
  const directory = `${ROOT}${name}`;
  const json: CaseJson = JSON.parse(await readFile(`${directory}/case.json`, "utf8"));
  const model = await openModelDirectory(directory);
  const weights = new Map<string, Float32Array>();
  for (const tensor of model.tensors.names()) weights.set(tensor, await model.tensors.read(tensor));
  await model.close();
  const adapter = await readAdapterDirectory(`${directory}/adapter`);
  const { tensors: expected } = readSafetensors(await readFile(`${directory}/expected.safetensors`));
  return {
    config: model.config,
    weights,
    lora: { r: json.lora.r, alpha: json.lora.lora_alpha },
    adapters: adapter.tensors,
    batch: {
      ids: Int32Array.from(json.ids.flat()),
      labels: Int32Array.from(json.labels.flat()),
      lengths: Int32Array.from(json.ids, (row) => row.length),
    },
    json,
    expected,
  };
}

export const ADAMW: AdamWConfig = adamwSchema.parse({});
export const CONSTANT: ScheduleConfig = scheduleSchema.parse({ learningRate: 0.01, decay: "constant" });
export const TRAINING = { step: 0, microBatch: 0, training: true } as const;
export const EVALUATION = { step: 0, microBatch: 0, training: false } as const;

/** The spec of one segment with the golden's adapter and no dropout. */
export function loraSpec(
  golden: Golden,
  range: SegmentRange,
  rematerialise: SegmentSpec["rematerialise"] = "none",
): SegmentSpec {
  const { r, alpha } = golden.lora;
  const lora = { r, alpha, dropout: 0, targetModules: "all-linear" } as const;
  return { config: golden.config, range, lora, trainable: "adapters", rematerialise };
}

/** The same without an adapter, every weight trained. */
export function fullSpec(
  golden: Golden,
  range: SegmentRange,
  rematerialise: SegmentSpec["rematerialise"] = "none",
): SegmentSpec {
  return { config: golden.config, range, lora: undefined, trainable: "all", rematerialise };
}

/** Options of a runner of `spec`, with AdamW's usual settings at a constant rate. */
export function runnerOptions(golden: Golden, spec: SegmentSpec, engine: Engine): RunnerOptions {
  return {
    spec,
    engine,
    weights: golden.weights,
    seed: 1,
    optimizer: ADAMW,
    schedule: CONSTANT,
    totalSteps: 10,
  };
}

/** The golden's adapters that belong to this segment. */
export function adaptersOf(golden: Golden, spec: SegmentSpec): NamedTensors {
  const { config, range, lora } = spec;
  const graph = buildSegment(config, range, { rows: 1, length: 1 }, { lora, training: false });
  return new Map([...graph.adapters.keys()].map((name) => [name, golden.adapters.get(name) as NamedTensor]));
}

/** The tensors whose names begin with `prefix`, without it. */
export function expectedUnder(golden: Golden, prefix: string): Map<string, NamedTensor> {
  const found = [...golden.expected].filter(([name]) => name.startsWith(prefix));
  return new Map(found.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

/** Logits of every real position [tokens, vocabSize]. */
export async function allLogits(golden: Golden, spec: SegmentSpec, engine: Engine): Promise<Float32Array> {
  const { batch, config } = golden;
  const bucket = { rows: batch.lengths.length, length: 16 };
  const ids = pad(batch.ids, batch.lengths, bucket, 1, new Int32Array(bucket.rows * bucket.length));
  const feeds: Record<string, Float32Array | Int32Array> = { [IDS]: ids };
  for (const [name, data] of golden.weights) feeds[name] = data;
  for (const [name, { data }] of golden.adapters) feeds[name] = data;
  const executable = await engine.compile(evaluationProgram(spec, bucket, LOGITS));
  const result = await executable.run(feeds);
  await executable.dispose();
  return unpad(result[LOGITS], batch.lengths, bucket, config.vocabSize);
}

export interface SplitRunners {
  readonly bottom: BottomRunner;
  readonly trunk: TrunkRunner;
  readonly top: TopRunner;
  readonly all: readonly [BottomRunner, TrunkRunner, TopRunner];
  dispose(): Promise<void>;
}

/** The golden's model cut in three, with its adapters unless `specOf` says otherwise. */
export function splitRunners(
  golden: Golden,
  cut: CutPlan,
  engine: Engine,
  rematerialise: SegmentSpec["rematerialise"] = "none",
  specOf: (range: SegmentRange) => SegmentSpec = (range) => loraSpec(golden, range, rematerialise),
  optimizer: AdamWConfig = ADAMW,
): SplitRunners {
  const ranges = segmentsOf(golden.config, cut);
  const options = (range: SegmentRange): RunnerOptions => ({
    ...runnerOptions(golden, specOf(range), engine),
    optimizer,
  });
  const bottom = new BottomRunner(options(ranges.bottom));
  const trunk = new TrunkRunner(options(ranges.trunk));
  const top = new TopRunner(options(ranges.top));
  const all = [bottom, trunk, top] as const;
  for (const runner of all) {
    if (runner.spec.lora !== undefined) runner.loadAdapters(adaptersOf(golden, runner.spec));
  }
  const dispose = async (): Promise<void> => {
    for (const runner of all) await runner.dispose();
  };
  return { bottom, trunk, top, all, dispose };
}

export interface SplitPass {
  readonly lossSum: number;
  /** Smashed data at the first cut and at the last [tokens, hidden]. */
  readonly hidden: { readonly first: Float32Array; readonly last: Float32Array };
  readonly hiddenGradient: { readonly first: Float32Array; readonly last: Float32Array };
  /** The accumulated gradients of all three. */
  readonly gradients: NamedTensors;
  /** Gradients of the top under names that the bottom has too (a tied head). */
  readonly tied: NamedTensors;
}

/** One batch forward and backward through the three. */
export async function passThrough(
  runners: SplitRunners,
  batch: TokenBatch,
  at: PassPosition,
): Promise<SplitPass> {
  const { bottom, trunk, top } = runners;
  const first = await bottom.forward(batch, at);
  const last = await trunk.forward(first.output, batch.lengths, at);
  const loss = await top.loss(last.output, batch.labels, batch.lengths, at);
  if (first.saved === undefined || last.saved === undefined || loss.gradient === undefined) {
    throw new Error("a training pass saved nothing");
  }
  const firstGradient = await trunk.backward(last.saved, loss.gradient);
  await bottom.backward(first.saved, firstGradient);
  const ofTop = top.gradients();
  const below = new Map([...bottom.gradients(), ...trunk.gradients()]);
  return {
    lossSum: loss.lossSum,
    hidden: { first: first.output, last: last.output },
    hiddenGradient: { first: firstGradient, last: loss.gradient },
    gradients: new Map([...ofTop, ...below]),
    tied: new Map([...ofTop].filter(([name]) => below.has(name))),
  };
}
