/**
 * The programs of a segment for one shape bucket: which graphs are compiled, and what they are fed and return.
 *
 * A segment without the head has a forward and a backward program with saved activations between them. A segment with
 * the head ends in the loss, so that its forward and backward are one program and nothing needs saving.
 */
import { gradients } from "../graph/autodiff.ts";
import type { Program, Value } from "../graph/ir.ts";
import { input } from "../graph/ops.ts";
import { partition } from "../graph/partition.ts";
import { ones } from "../graph/vjp.ts";
import type { ModelConfig } from "../model/config.ts";
import type { SegmentRange } from "../model/cut.ts";
import type { LoraConfig } from "../model/lora.ts";
import { type Bucket, buildSegment, type SegmentGraph } from "../model/transformer.ts";

/** Names of results and of the cotangent fed to a backward program. */
export const OUTPUT = "output";
export const COTANGENT = "cotangent";
export const SOURCE_GRADIENT = "sourceGradient";
export const NLL = "nll";
export const LOGITS = "logits";
/** Prefix of a parameter's gradient. */
export const GRADIENT = "gradient:";

export interface SegmentSpec {
  readonly config: ModelConfig;
  readonly range: SegmentRange;
  readonly lora: LoraConfig | undefined;
  /** "adapters": base weights are frozen; "all": every tensor of the base model is trained and there are no adapters. */
  readonly trainable: "adapters" | "all";
  /** What a forward pass keeps for the backward: cheap-to-recompute values left out, or only what blocks pass on. */
  readonly rematerialise: "none" | "block";
}

export interface TrainingPrograms {
  readonly forward: Program;
  readonly backward: Program;
  readonly saved: ReadonlyMap<string, Value>;
  readonly dropouts: ReadonlyMap<string, Value>;
}

function trained(spec: SegmentSpec, graph: SegmentGraph): ReadonlyMap<string, Value> {
  return spec.trainable === "all" ? graph.weights : graph.adapters;
}

/** Gradient outputs for one seed; a segment that takes token ids has no gradient with respect to its source. */
function gradientOutputs(
  spec: SegmentSpec,
  graph: SegmentGraph,
  output: Value,
  cotangent: Value,
): Map<string, Value> {
  const wrt = new Map<string, Value>();
  if (!spec.range.embedding) wrt.set(SOURCE_GRADIENT, graph.source);
  for (const [name, value] of trained(spec, graph)) wrt.set(GRADIENT + name, value);
  const results = gradients([{ output, cotangent }], [...wrt.values()]);
  const outputs = new Map<string, Value>();
  [...wrt.keys()].forEach((name, i) => {
    const g = results[i];
    if (g !== undefined) outputs.set(name, g);
  });
  return outputs;
}

/** Forward only: smashed data, or per-token losses, or logits. */
export function evaluationProgram(
  spec: SegmentSpec,
  bucket: Bucket,
  result: typeof OUTPUT | typeof NLL | typeof LOGITS,
): Program {
  const graph = buildSegment(spec.config, spec.range, bucket, { lora: spec.lora, training: false });
  const value = { [OUTPUT]: graph.output, [NLL]: graph.nll, [LOGITS]: graph.logits }[result] as Value;
  return { outputs: new Map([[result, value]]) };
}

/** Forward and backward of a segment without the head. */
export function trainingPrograms(spec: SegmentSpec, bucket: Bucket): TrainingPrograms {
  const graph = buildSegment(spec.config, spec.range, bucket, { lora: spec.lora, training: true });
  const cotangent = input(COTANGENT, graph.output.shape);
  const parts = partition({
    forward: new Map([[OUTPUT, graph.output]]),
    backward: gradientOutputs(spec, graph, graph.output, cotangent),
    checkpoints: spec.rematerialise === "block" ? graph.boundaries : undefined,
  });
  return { ...parts, dropouts: graph.dropouts };
}

/** Loss and gradients of a segment with the head, for the sum of the losses. */
export function lossProgram(
  spec: SegmentSpec,
  bucket: Bucket,
): { program: Program; dropouts: ReadonlyMap<string, Value> } {
  const graph = buildSegment(spec.config, spec.range, bucket, { lora: spec.lora, training: true });
  const nll = graph.nll as Value;
  const outputs = gradientOutputs(spec, graph, nll, ones(nll.shape));
  return { program: { outputs: new Map([[NLL, nll], ...outputs]) }, dropouts: graph.dropouts };
}
