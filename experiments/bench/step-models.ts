/**
 * The training steps that `bench:step` times: two shapes, the same that test/oracle/torch_step.py times in PyTorch.
 */

import { type ModelConfig, parseHfConfig } from "../../shared/model/config.ts";
import { type CutPlan, wholeModel } from "../../shared/model/cut.ts";
import type { LoraConfig } from "../../shared/model/lora.ts";
import type { Bucket } from "../../shared/model/transformer.ts";
import { random32 } from "../../shared/random.ts";
import type { SegmentSpec } from "../../shared/train/programs.ts";
import { segmentShapes } from "../../shared/train/segment-weights.ts";
import type { TokenBatch } from "../../shared/train/segments.ts";

export interface BenchModel {
  readonly name: string;
  /** What the table says of it. */
  readonly about: string;
  readonly config: ModelConfig;
  readonly bucket: Bucket;
  readonly lora: LoraConfig | undefined;
  readonly trainable: SegmentSpec["trainable"];
  readonly cut: CutPlan;
  /** Its name in torch_step.py. */
  readonly torchShape: string;
}

const LLAMA = { model_type: "llama", max_position_embeddings: 2048 };

export const BENCH_MODELS: readonly BenchModel[] = [
  {
    name: "llama-6x256",
    about: "6 blocks, d 256, ffn 704, vocabulary 4,096; batch 8 × 128; all weights trained",
    config: parseHfConfig({
      ...LLAMA,
      vocab_size: 4096,
      hidden_size: 256,
      intermediate_size: 704,
      num_hidden_layers: 6,
      num_attention_heads: 8,
      tie_word_embeddings: false,
    }),
    bucket: { rows: 8, length: 128 },
    lora: undefined,
    trainable: "all",
    cut: { bottomBlocks: 1, topBlocks: 1 },
    torchShape: "small",
  },
  {
    name: "smollm2-135m",
    about:
      "30 blocks, d 576, ffn 1,536, vocabulary 49,152 (SmolLM2-135M); batch 2 × 128; LoRA r 8 on a frozen base",
    config: parseHfConfig({
      ...LLAMA,
      vocab_size: 49152,
      hidden_size: 576,
      intermediate_size: 1536,
      num_hidden_layers: 30,
      num_attention_heads: 9,
      num_key_value_heads: 3,
      tie_word_embeddings: true,
    }),
    bucket: { rows: 2, length: 128 },
    lora: { r: 8, alpha: 16, dropout: 0, targetModules: "all-linear" },
    trainable: "adapters",
    cut: { bottomBlocks: 2, topBlocks: 2 },
    torchShape: "smollm",
  },
];

export function wholeSpec(model: BenchModel): SegmentSpec {
  const { config, lora, trainable } = model;
  return { config, range: wholeModel(config), lora, trainable, rematerialise: "none" };
}

/**
 * Weights of the right size: speed does not depend on their values so long as these stay normal numbers, so that one
 * block of them is repeated.
 */
export function benchWeights(model: BenchModel): Map<string, Float32Array> {
  const deviates = Float32Array.from({ length: 65_537 }, (_, i) => (random32(1, 0, i) * 2 ** -31 - 1) * 0.03);
  const weights = new Map<string, Float32Array>();
  for (const [name, shape] of segmentShapes(model.config, wholeModel(model.config))) {
    const data = new Float32Array(shape.reduce((n, d) => n * d, 1)).fill(1);
    if (shape.length > 1) {
      for (let at = 0; at < data.length; at += deviates.length) {
        data.set(deviates.subarray(0, Math.min(deviates.length, data.length - at)), at);
      }
    }
    weights.set(name, data);
  }
  return weights;
}

/** A batch of random ids without padding, every position supervised. */
export function benchBatch({ config, bucket }: BenchModel): TokenBatch {
  const tokens = bucket.rows * bucket.length;
  const draw = (stream: number): Int32Array =>
    Int32Array.from({ length: tokens }, (_, i) => random32(2, stream, i) % config.vocabSize);
  return { ids: draw(0), labels: draw(1), lengths: new Int32Array(bucket.rows).fill(bucket.length) };
}
