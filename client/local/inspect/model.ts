/** Describes a model directory, and what the sides of a split of it would hold and send. */
import { formatBytes, formatCount, formatTable } from "../../../shared/command/format.ts";
import { fail } from "../../../shared/errors.ts";
import type { ModelConfig } from "../../../shared/model/config.ts";
import { type SegmentRange, segmentsOf, wholeModel } from "../../../shared/model/cut.ts";
import { elementCount, storedBytes } from "../../../shared/model/dtype.ts";
import { openModelDirectory } from "../../../shared/model/files-node.ts";
import { adaptedLinears, loraSchema } from "../../../shared/model/lora.ts";
import { segmentShapes } from "../../../shared/train/segment-weights.ts";
import type { Description, InspectSettings } from "../inspect.ts";
import { elementsByDtype } from "./safetensors.ts";
import { type TensorFact, tensorLines } from "./tensors.ts";

const FAMILIES: Readonly<Record<ModelConfig["family"], string>> = {
  llama: "LLaMA",
  qwen2: "Qwen2",
  gpt2: "GPT-2",
};

interface SideFacts {
  readonly blocks: string;
  readonly parameters: number;
  readonly adapterParameters: number;
}

function parametersOf(config: ModelConfig, ranges: readonly SegmentRange[]): number {
  // By name: a tied embedding stands in bottom and top, and a client holds it once.
  const shapes = new Map(ranges.flatMap((range) => [...segmentShapes(config, range)]));
  let n = 0;
  for (const shape of shapes.values()) n += elementCount(shape);
  return n;
}

function sideOf(config: ModelConfig, ranges: readonly SegmentRange[], rank: number): SideFacts {
  const lora = loraSchema.parse({ r: rank });
  let adapterParameters = 0;
  const blocks: string[] = [];
  for (const { from, to } of ranges) {
    for (const { inFeatures, outFeatures } of adaptedLinears(config, lora, from, to))
      adapterParameters += rank * (inFeatures + outFeatures);
    if (to > from) blocks.push(to === from + 1 ? String(from) : `${from}–${to - 1}`);
  }
  return { blocks: blocks.join(", ") || "none", parameters: parametersOf(config, ranges), adapterParameters };
}

function positionsText(config: ModelConfig): string {
  if (config.positions.kind === "learned") return "learned positions";
  const { theta, scaling } = config.positions;
  return `rotary positions (theta ${theta}${scaling.kind === "none" ? "" : `, ${scaling.kind} scaling`})`;
}

function headsText({ heads, kvHeads, headDim }: ModelConfig): string {
  return kvHeads === heads
    ? `${heads} heads of ${headDim} channels`
    : `${heads} heads of ${headDim} channels on ${kvHeads} key/value heads`;
}

async function tensorFacts(path: string): Promise<{ config: ModelConfig; tensors: TensorFact[] }> {
  const model = await openModelDirectory(path);
  try {
    const tensors: TensorFact[] = [];
    for (const name of [...model.tensors.names()].sort()) {
      const shape = await model.tensors.shape(name);
      tensors.push({ name, dtype: await model.tensors.dtype(name), shape, elements: elementCount(shape) });
    }
    return { config: model.config, tensors };
  } finally {
    await model.close();
  }
}

export async function describeModel(path: string, settings: InspectSettings): Promise<Description> {
  const { config, tensors } = await tensorFacts(path);
  const one = config.layers >= 3 ? 1 : 0;
  const { bottom: bottomBlocks = one, top: topBlocks = one, rank } = settings;
  const { bottom, trunk, top } = segmentsOf(config, { bottomBlocks, topBlocks });
  const sides = {
    bottom: sideOf(config, [bottom], rank),
    trunk: sideOf(config, [trunk], rank),
    top: sideOf(config, [top], rank),
    client: sideOf(config, [bottom, top], rank),
    server: sideOf(config, [trunk], rank),
  };
  const parameters = parametersOf(config, [wholeModel(config)]);
  const byDtype = elementsByDtype(tensors);
  const bytes = tensors.reduce((sum, t) => sum + storedBytes(t.dtype, t.elements), 0);
  if (tensors.length === 0) fail("NB_MODEL_INVALID", `${path}: its weights hold no tensor`);
  const types = Object.entries(byDtype)
    .sort(([, a], [, b]) => b - a)
    .map(([dtype]) => dtype);
  const row = (name: string, side: SideFacts) => [
    name,
    side.blocks,
    formatCount(side.parameters),
    formatCount(side.adapterParameters),
  ];
  const perCut = config.hiddenSize;
  const crossings = 4;
  return {
    facts: {
      kind: "model",
      config,
      parameters,
      bytes,
      elementsByDtype: byDtype,
      cut: { bottomBlocks, topBlocks, rank, ...sides },
      elementsPerTokenAndCrossing: perCut,
      tensors: settings.tensors ? tensors : tensors.length,
    },
    lines: [
      `${path}: a ${FAMILIES[config.family]}-style language model of ${formatCount(parameters)} parameters, ${formatBytes(bytes)} in ${types.join(" and ")}`,
      `${config.layers} blocks of ${config.hiddenSize} channels, ${headsText(config)}, ${config.mlp} MLP of ${config.intermediateSize}, ${positionsText(config)}`,
      `${formatCount(config.vocabSize)} tokens in the vocabulary, head ${config.tieEmbeddings ? "tied to the embedding" : "of its own"}; sequences up to ${formatCount(config.maxPositions)} tokens`,
      "",
      `Split with the first ${bottomBlocks} and the last ${topBlocks} blocks on the client, LoRA of rank ${rank} on all linear layers:`,
      ...formatTable(
        ["", "blocks", "parameters", "in adapters"],
        [
          row("bottom (client)", sides.bottom),
          row("trunk (server)", sides.trunk),
          row("top (client)", sides.top),
          row("a client in all", sides.client),
        ],
        new Set([2, 3]),
      ),
      "",
      `A token crosses the cuts ${crossings} times with ${formatCount(perCut)} numbers each: ${formatBytes(crossings * perCut * 4)} in f32, ` +
        `${formatBytes(crossings * perCut * 2)} in f16, ${formatBytes((crossings * perCut * 3) / 8)} at 3 bits.`,
      ...(settings.tensors ? ["", ...tensorLines(tensors)] : []),
    ],
  };
}
