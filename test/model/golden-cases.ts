/**
 * Reads the goldens of test/golden: small models, a batch, and what PyTorch computes on them (test/oracle/README.md).
 */
import { readFile } from "node:fs/promises";
import type { Engine } from "../../shared/engine/engine.ts";
import type { ModelConfig } from "../../shared/model/config.ts";
import type { SegmentRange } from "../../shared/model/cut.ts";
import { openModelDirectory, readAdapterDirectory } from "../../shared/model/files-node.ts";
import { type NamedTensor, readSafetensors } from "../../shared/model/safetensors.ts";
import { buildSegment } from "../../shared/model/transformer.ts";
import { type AdamWConfig, adamwSchema } from "../../shared/train/adamw.ts";
import type { SegmentSpec } from "../../shared/train/programs.ts";
import { type ScheduleConfig, scheduleSchema } from "../../shared/train/schedule.ts";
import type { RunnerOptions } from "../../shared/train/segment-runner.ts";
import type { NamedTensors, TokenBatch } from "../../shared/train/segments.ts";

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
