/**
 * From a job's settings and a model to the runners of each side. Both ends and the unsplit reference make theirs
 * here, so that they start from the same adapters and step alike.
 */
import type { Engine } from "../engine/engine.ts";
import { fail } from "../errors.ts";
import type { ModelConfig } from "../model/config.ts";
import { type SegmentRange, type Segments, segmentsOf } from "../model/cut.ts";
import type { HfModel } from "../model/hf-directory.ts";
import { adaptedLinears, type LoraConfig, loraNames } from "../model/lora.ts";
import { type Adapter, adaptedLayers } from "../model/peft.ts";
import { type AdapterOutline, adapterOutline } from "../protocol/adapters.ts";
import type { JobConfig } from "../protocol/job-config.ts";
import type { AdamWConfig } from "../train/adamw.ts";
import type { ScheduleConfig } from "../train/schedule.ts";
import { BottomRunner, type RunnerOptions, TopRunner, TrunkRunner } from "../train/segment-runner.ts";
import { loadSegmentWeights } from "../train/segment-weights.ts";
import type { NamedTensors } from "../train/segments.ts";

export function loraOf({ lora }: JobConfig): LoraConfig {
  return {
    r: lora.rank,
    alpha: lora.alpha,
    dropout: lora.dropout,
    targetModules: lora.targetModules.length === 0 ? "all-linear" : lora.targetModules,
  };
}

export function adamwOf({ optimizer }: JobConfig): AdamWConfig {
  const { beta1, beta2, epsilon, weightDecay, maxGradientNorm } = optimizer;
  return { beta1, beta2, epsilon, weightDecay, clipNorm: maxGradientNorm };
}

export function scheduleOf({ optimizer }: JobConfig): ScheduleConfig {
  const { learningRate, warmupSteps, schedule, finalFraction } = optimizer;
  return { learningRate, warmupSteps, decay: schedule, finalFraction };
}

/**
 * The segments that a job cuts a model into.
 *
 * @throws NB_MODEL_MISMATCH when the model is not the job's: another size, depth or vocabulary.
 */
export function jobSegments(job: JobConfig, config: ModelConfig): Segments {
  const { bottomBlocks, trunkBlocks, topBlocks, hidden, vocabulary, name } = job.model;
  const needed = { blocks: bottomBlocks + trunkBlocks + topBlocks, channels: hidden, vocabulary };
  const given = { blocks: config.layers, channels: config.hiddenSize, vocabulary: config.vocabSize };
  for (const key of Object.keys(needed) as (keyof typeof needed)[])
    if (needed[key] !== given[key])
      fail("NB_MODEL_MISMATCH", `the model has ${given[key]} ${key}; the job's, ${name}, has ${needed[key]}`);
  return segmentsOf(config, { bottomBlocks, topBlocks });
}

async function runnerOptions(
  job: JobConfig,
  model: Pick<HfModel, "config" | "tensors">,
  engine: Engine,
  range: SegmentRange,
): Promise<RunnerOptions> {
  const { config, tensors } = model;
  return {
    spec: { config, range, lora: loraOf(job), trainable: "adapters", rematerialise: "none" },
    engine,
    weights: await loadSegmentWeights(tensors, config, range),
    seed: job.seed,
    optimizer: adamwOf(job),
    schedule: scheduleOf(job),
    totalSteps: job.steps,
  };
}

/** Bottom and, in a U-shape, top. Reads only their tensors. The engine stays the caller's. */
export async function loadClientRunners(
  job: JobConfig,
  model: Pick<HfModel, "config" | "tensors">,
  engine: Engine,
): Promise<{ readonly bottom: BottomRunner; readonly top: TopRunner | undefined }> {
  const { bottom, top } = jobSegments(job, model.config);
  return {
    bottom: new BottomRunner(await runnerOptions(job, model, engine, bottom)),
    top: job.split === "vanilla" ? undefined : new TopRunner(await runnerOptions(job, model, engine, top)),
  };
}

/** Trunk and, in a vanilla split, top. Reads only their tensors. The engine stays the caller's. */
export async function loadServerRunners(
  job: JobConfig,
  model: Pick<HfModel, "config" | "tensors">,
  engine: Engine,
): Promise<{ readonly trunk: TrunkRunner; readonly top: TopRunner | undefined }> {
  const { trunk, top } = jobSegments(job, model.config);
  return {
    trunk: new TrunkRunner(await runnerOptions(job, model, engine, trunk)),
    top: job.split === "vanilla" ? new TopRunner(await runnerOptions(job, model, engine, top)) : undefined,
  };
}

/**
 * Outline of what each client uploads to be averaged: adapters of its bottom and, in a U-shape, its top; undefined in a job that does not
 * average them. NB_MODEL_MISMATCH as {@link jobSegments}; NB_CONFIG_INVALID when they are more than can be averaged.
 */
export function clientAdapterOutline(job: JobConfig, config: ModelConfig): AdapterOutline | undefined {
  if (job.aggregation !== "fedavg") return undefined;
  const { bottom, top } = jobSegments(job, config);
  const lora = loraOf(job);
  const shapes = new Map<string, readonly number[]>();
  for (const { from, to } of job.split === "vanilla" ? [bottom] : [bottom, top]) {
    for (const { path, inFeatures, outFeatures } of adaptedLinears(config, lora, from, to)) {
      const { a, b } = loraNames(path);
      shapes.set(a, [lora.r, inFeatures]).set(b, [outFeatures, lora.r]);
    }
  }
  return adapterOutline(shapes);
}

/** The adapters of one side as a PEFT adapter of its blocks; undefined when that side adapts nothing. */
export function adapterOf(job: JobConfig, config: ModelConfig, tensors: NamedTensors): Adapter | undefined {
  if (tensors.size === 0) return undefined;
  const lora = loraOf(job);
  const layers = adaptedLayers(config, lora, tensors.keys());
  return { lora, tensors, ...(layers === undefined ? {} : { layers }), baseModel: job.model.name };
}
