/**
 * The decoder-only transformer as IR, for any contiguous part of it and one shape bucket.
 *
 * This is the whole forward computation of every family, top to bottom; what differs between families is
 * data (families.ts, config.ts). Gradients come from the graph, not from here.
 *
 * Shapes in comments: B rows, S positions, N = B·S, d hidden, H heads, K key/value heads, D channels of a head.
 */
import type { Value } from "../graph/ir.ts";
import {
  add,
  constant,
  crossEntropy,
  erf,
  gatherRows,
  geluTanh,
  input,
  layerNorm,
  matmul,
  mul,
  reshape,
  rmsNorm,
  rope,
  scalar,
  scale,
  silu,
  slice,
  softmax,
  transpose,
} from "../graph/ops.ts";
import { type ModelConfig, ropeInverseFrequencies } from "./config.ts";
import type { SegmentRange } from "./cut.ts";
import { blockLayers, type Linear, type Norm, outerNames } from "./families.ts";
import { isTarget, type LoraConfig, loraNames, loraScale } from "./lora.ts";

/** A shape bucket: every row is padded on the right to `length` positions. */
export interface Bucket {
  readonly rows: number;
  readonly length: number;
}

/** Names of a segment's data inputs; its parameters go by their tensor names. */
export const IDS = "ids";
export const HIDDEN = "hidden";
export const LABELS = "labels";
/** Prefix of the names of dropout masks. */
export const DROPOUT = "dropout:";

export interface SegmentGraph {
  /** IDS i32 [N] for a segment with the embedding, else HIDDEN f32 [N, d]. */
  readonly source: Value;
  /** LABELS i32 [N], for a segment with the head. */
  readonly labels: Value | undefined;
  /** Smashed data [N, d] of a segment without the head. */
  readonly output: Value;
  /** Per position −log p(label) [N], 0 where there is no label; for a segment with the head. */
  readonly nll: Value | undefined;
  /** [N, vocabSize], for a segment with the head. */
  readonly logits: Value | undefined;
  /** What goes from block to block, [N, d]: where saved activations may be dropped and recomputed. */
  readonly boundaries: readonly Value[];
  /** The base model's tensors, by name. */
  readonly weights: ReadonlyMap<string, Value>;
  /** The adapters' tensors, by PEFT name. */
  readonly adapters: ReadonlyMap<string, Value>;
  /** Dropout masks to be fed: 0 or 1/(1 − p), by name. Empty when not training or without dropout. */
  readonly dropouts: ReadonlyMap<string, Value>;
}

/** Scores of positions a query may not see get this added; e^x of it is 0 in f32. */
const MASKED = -1e9;

class SegmentBuilder {
  readonly weights = new Map<string, Value>();
  readonly adapters = new Map<string, Value>();
  readonly dropouts = new Map<string, Value>();
  readonly #config: ModelConfig;
  readonly #lora: LoraConfig | undefined;
  readonly #bucket: Bucket;
  readonly #training: boolean;
  readonly #mask: Value;
  readonly #cos: Value;
  readonly #sin: Value;

  constructor(config: ModelConfig, lora: LoraConfig | undefined, bucket: Bucket, training: boolean) {
    this.#config = config;
    this.#lora = lora;
    this.#bucket = bucket;
    this.#training = training;
    this.#mask = causalMask(bucket.length);
    [this.#cos, this.#sin] = rotation(config, bucket.length);
  }

  /** A tensor of the base model; the same value however often it is asked for (a tied head reads the embedding's). */
  weight(name: string, shape: readonly number[]): Value {
    let value = this.weights.get(name);
    if (value === undefined) {
      value = input(name, shape);
      this.weights.set(name, value);
    }
    return value;
  }

  #adapter(name: string, shape: readonly number[]): Value {
    const value = input(name, shape);
    this.adapters.set(name, value);
    return value;
  }

  norm(x: Value, norm: Norm): Value {
    const { hiddenSize, normEps } = this.#config;
    const weight = this.weight(`${norm.path}.weight`, [hiddenSize]);
    if (!norm.bias) return rmsNorm(x, weight, normEps);
    return layerNorm(x, weight, this.weight(`${norm.path}.bias`, [hiddenSize]), normEps);
  }

  /** x [N, in] → [N, out], with the layer's adapter where it has one. */
  linear(x: Value, layer: Linear): Value {
    const { path, inFeatures, outFeatures, layout } = layer;
    const transB = layout === "out_in";
    const shape = transB ? [outFeatures, inFeatures] : [inFeatures, outFeatures];
    let y = matmul(x, this.weight(`${path}.weight`, shape), { transB });
    if (layer.bias) y = add(y, this.weight(`${path}.bias`, [outFeatures]));
    if (this.#lora === undefined || !isTarget(this.#lora, path)) return y;
    const names = loraNames(path);
    const a = this.#adapter(names.a, [this.#lora.r, inFeatures]);
    const b = this.#adapter(names.b, [outFeatures, this.#lora.r]);
    const low = matmul(this.#dropout(x, path), a, { transB: true });
    return add(y, matmul(low, b, { transB: true, alpha: loraScale(this.#lora) }));
  }

  #dropout(x: Value, path: string): Value {
    if (!this.#training || this.#lora === undefined || this.#lora.dropout === 0) return x;
    const name = DROPOUT + path;
    const mask = input(name, x.shape);
    this.dropouts.set(name, mask);
    return mul(x, mask);
  }

  /** Token ids [N] → [N, d]. */
  embed(ids: Value): Value {
    const { vocabSize, hiddenSize, positions } = this.#config;
    const names = outerNames(this.#config);
    const x = gatherRows(this.weight(names.embedding, [vocabSize, hiddenSize]), ids);
    if (positions.kind !== "learned" || names.positions === undefined) return x;
    const { rows, length } = this.#bucket;
    const table = this.weight(names.positions, [positions.max, hiddenSize]);
    const here = reshape(slice(table, 0, 0, length), [1, length, hiddenSize]);
    return reshape(add(reshape(x, [rows, length, hiddenSize]), here), x.shape);
  }

  /** One pre-norm block: x + attention(norm(x)), then + mlp(norm(·)). [N, d] → [N, d]. */
  block(x: Value, index: number): Value {
    const layers = blockLayers(this.#config, index);
    const h = this.norm(x, layers.attentionNorm);
    const { heads, kvHeads, headDim } = this.#config;
    let q: Value;
    let k: Value;
    let v: Value;
    if (layers.qkv.kind === "separate") {
      q = this.linear(h, layers.qkv.q);
      k = this.linear(h, layers.qkv.k);
      v = this.linear(h, layers.qkv.v);
    } else {
      const qkv = this.linear(h, layers.qkv.qkv);
      const endOfQ = heads * headDim;
      const endOfK = endOfQ + kvHeads * headDim;
      q = slice(qkv, 1, 0, endOfQ);
      k = slice(qkv, 1, endOfQ, endOfK);
      v = slice(qkv, 1, endOfK, qkv.shape[1]);
    }
    const x1 = add(x, this.linear(this.#attend(q, k, v), layers.attentionOutput));
    const m = this.norm(x1, layers.mlpNorm);
    const up = this.linear(m, layers.up);
    const inner =
      layers.gate === undefined
        ? this.#activation(up)
        : mul(this.#activation(this.linear(m, layers.gate)), up);
    return add(x1, this.linear(inner, layers.down));
  }

  #activation(x: Value): Value {
    switch (this.#config.activation) {
      case "silu":
        return silu(x);
      case "gelu_tanh":
        return geluTanh(x);
      case "gelu":
        return mul(scale(x, 0.5), add(erf(scale(x, Math.SQRT1_2)), scalar(1)));
    }
  }

  /** [N, heads·D] → [B, heads, S, D]. */
  #splitHeads(x: Value, heads: number): Value {
    const { rows, length } = this.#bucket;
    return transpose(reshape(x, [rows, length, heads, this.#config.headDim]), [0, 2, 1, 3]);
  }

  /** Causal scaled dot-product attention: q [N, H·D], k and v [N, K·D] → [N, H·D]. */
  #attend(q: Value, k: Value, v: Value): Value {
    const { heads, kvHeads, headDim, positions } = this.#config;
    const { rows, length } = this.#bucket;
    let qh = this.#splitHeads(q, heads);
    let kh = this.#splitHeads(k, kvHeads);
    const vh = this.#splitHeads(v, kvHeads);
    if (positions.kind === "rope") {
      qh = rope(qh, this.#cos, this.#sin);
      kh = rope(kh, this.#cos, this.#sin);
    }
    // Queries of the heads that share a key head stand one after another, so no key is ever repeated.
    const grouped = [rows, kvHeads, (heads / kvHeads) * length, headDim];
    const scores = matmul(reshape(qh, grouped), kh, { transB: true, alpha: 1 / Math.sqrt(headDim) });
    const p = softmax(add(reshape(scores, [rows, heads, length, length]), this.#mask));
    const mixed = matmul(reshape(p, [rows, kvHeads, grouped[2], length]), vh);
    const perHead = reshape(mixed, [rows, heads, length, headDim]);
    return reshape(transpose(perHead, [0, 2, 1, 3]), [rows * length, heads * headDim]);
  }

  /** [N, d] → logits [N, vocabSize]. */
  head(x: Value): Value {
    const { vocabSize, hiddenSize } = this.#config;
    const names = outerNames(this.#config);
    const normed = this.norm(x, names.finalNorm);
    return matmul(normed, this.weight(names.head, [vocabSize, hiddenSize]), { transB: true });
  }
}

/** [S, S]: 0 where position i may see position j ≤ i. Rows are padded on the right, so real positions see no padding. */
function causalMask(length: number): Value {
  const mask = new Float32Array(length * length);
  for (let i = 0; i < length; i++) mask.fill(MASKED, i * length + i + 1, (i + 1) * length);
  return constant(mask, [length, length]);
}

/** cos and sin of position × inverse frequency, [S, D/2] each. */
function rotation(config: ModelConfig, length: number): [Value, Value] {
  const half = config.headDim / 2;
  const cos = new Float32Array(length * half);
  const sin = new Float32Array(length * half);
  if (config.positions.kind === "rope") {
    const frequencies = ropeInverseFrequencies(config);
    for (let s = 0; s < length; s++) {
      for (let i = 0; i < half; i++) {
        cos[s * half + i] = Math.cos(s * frequencies[i]);
        sin[s * half + i] = Math.sin(s * frequencies[i]);
      }
    }
  }
  return [constant(cos, [length, half]), constant(sin, [length, half])];
}

export interface SegmentOptions {
  /** Adapters to add; undefined for the plain base model. */
  readonly lora: LoraConfig | undefined;
  /** Whether dropout is on. */
  readonly training: boolean;
}

/** Builds the forward graph of `range` for one bucket. */
export function buildSegment(
  config: ModelConfig,
  range: SegmentRange,
  bucket: Bucket,
  options: SegmentOptions,
): SegmentGraph {
  const builder = new SegmentBuilder(config, options.lora, bucket, options.training);
  const tokens = bucket.rows * bucket.length;
  const source = range.embedding ? input(IDS, [tokens], "i32") : input(HIDDEN, [tokens, config.hiddenSize]);
  let x = range.embedding ? builder.embed(source) : source;
  const boundaries = [x];
  for (let i = range.from; i < range.to; i++) {
    x = builder.block(x, i);
    boundaries.push(x);
  }
  const labels = range.head ? input(LABELS, [tokens], "i32") : undefined;
  const logits = range.head ? builder.head(x) : undefined;
  return {
    source,
    labels,
    output: x,
    nll: logits === undefined || labels === undefined ? undefined : crossEntropy(logits, labels),
    logits,
    boundaries,
    weights: builder.weights,
    adapters: builder.adapters,
    dropouts: builder.dropouts,
  };
}
