/**
 * Reads the base model's tensors of one segment, and no others: a client never opens the trunk's, a server never
 * opens the embedding's.
 */
import type { ModelConfig } from "../model/config.ts";
import type { SegmentRange } from "../model/cut.ts";
import { rootPrefix } from "../model/families.ts";
import { readTensor, type TensorSource } from "../model/tensor-source.ts";
import { buildSegment } from "../model/transformer.ts";

/** Names and shapes of the base model's tensors of a segment, in the order in which it uses them. */
export function segmentShapes(
  config: ModelConfig,
  range: SegmentRange,
): ReadonlyMap<string, readonly number[]> {
  const bucket = { rows: 1, length: 1 };
  const { weights } = buildSegment(config, range, bucket, { lora: undefined, training: false });
  return new Map([...weights].map(([name, { shape }]) => [name, shape]));
}

/**
 * The tensors of a segment by name, f32, row-major; the arrays are the caller's.
 *
 * @throws NB_TENSOR_MISSING, NB_MODEL_INVALID when a shape is not the config's, NB_SAFETENSORS_DTYPE, NB_FILE_UNREADABLE
 */
export async function loadSegmentWeights(
  source: TensorSource,
  config: ModelConfig,
  range: SegmentRange,
): Promise<Map<string, Float32Array>> {
  const root = rootPrefix(config);
  const weights = new Map<string, Float32Array>();
  for (const [name, shape] of segmentShapes(config, range)) {
    // Files written from a model without its head leave the root module out of the names.
    const short = name.startsWith(root) ? name.slice(root.length) : name;
    const inFile = !source.has(name) && source.has(short) ? short : name;
    weights.set(name, await readTensor(source, inFile, shape));
  }
  return weights;
}
