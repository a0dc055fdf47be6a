/**
 * Small computations that between them use every operator, with inputs: what gradients and executors are checked on.
 */

import type { Tensors } from "../../shared/engine/engine.ts";
import {
  type BinaryFn,
  type OpKind,
  type Shape,
  sizeOf,
  type UnaryFn,
  type Value,
} from "../../shared/graph/ir.ts";
import * as g from "../../shared/graph/ops.ts";
import { hashName, random32 } from "../../shared/random.ts";

export interface OperatorCase {
  readonly name: string;
  readonly output: Value;
  readonly feeds: Tensors;
  /** The f32 inputs with respect to which the output is differentiable. */
  readonly wrt: readonly Value[];
}

/** Numbers in [low, high), the same for the same name. */
export function numbers(name: string, size: number, low = -1.5, high = 1.5): Float32Array {
  const stream = hashName(name);
  return Float32Array.from(
    { length: size },
    (_, i) => low + ((high - low) * random32(7, stream, i)) / 2 ** 32,
  );
}

/** Collects the inputs of one case. */
class CaseBuilder {
  readonly #feeds: Record<string, Float32Array | Int32Array> = {};
  readonly #wrt: Value[] = [];

  f32(shape: Shape, low?: number, high?: number): Value {
    const name = `x${Object.keys(this.#feeds).length}`;
    this.#feeds[name] = numbers(`${name}:${shape}`, sizeOf(shape), low, high);
    const value = g.input(name, shape);
    this.#wrt.push(value);
    return value;
  }

  i32(data: readonly number[]): Value {
    const name = `x${Object.keys(this.#feeds).length}`;
    this.#feeds[name] = Int32Array.from(data);
    return g.input(name, [data.length], "i32");
  }

  done(name: string, output: Value, differentiable = true): OperatorCase {
    return { name, output, feeds: this.#feeds, wrt: differentiable ? this.#wrt : [] };
  }
}

type OperatorName = Exclude<OpKind, "input" | "constant" | "unary" | "binary"> | UnaryFn | BinaryFn;
type Build = (b: CaseBuilder) => Value;

const unaryOn =
  (f: (x: Value) => Value, low?: number, high?: number): Build =>
  (b) =>
    f(b.f32([3, 4], low, high));

const binaryCases = (f: (x: Value, y: Value) => Value): Record<string, Build> => ({
  "equal shapes": (b) => f(b.f32([2, 3], 0.5, 2), b.f32([2, 3], 0.5, 2)),
  "a row against a matrix": (b) => f(b.f32([2, 3], 0.5, 2), b.f32([3], 0.5, 2)),
  "a scalar against a matrix": (b) => f(b.f32([], 0.5, 2), b.f32([2, 3], 0.5, 2)),
  "axes of length 1 on both sides": (b) => f(b.f32([2, 1, 4], 0.5, 2), b.f32([3, 1], 0.5, 2)),
  "the same value twice": (b) => {
    const x = b.f32([2, 3], 0.5, 2);
    return g.mul(f(x, x), x);
  },
});

const matmulCases = (): Record<string, Build> => {
  const cases: Record<string, Build> = {};
  for (const transA of [false, true]) {
    for (const transB of [false, true]) {
      for (const lead of [[], [2], [2, 3]]) {
        const name = `${transA ? "Aᵀ" : "A"}·${transB ? "Bᵀ" : "B"} over [${lead}]`;
        cases[name] = (b) => {
          const x = b.f32([...lead, ...(transA ? [5, 2] : [2, 5])]);
          const y = b.f32([...lead, ...(transB ? [4, 5] : [5, 4])]);
          return g.matmul(x, y, { transA, transB, alpha: lead.length === 1 ? 0.5 : 1 });
        };
      }
    }
  }
  cases["an inner axis of length 1"] = (b) => g.matmul(b.f32([3, 1]), b.f32([1, 2]));
  return cases;
};

const INDICES = [2, 0, 2, 3, 2];
const LABELS = [1, -100, 4, 0, 4];

const CASES: Record<OperatorName, Build | Record<string, Build>> = {
  neg: unaryOn(g.neg),
  exp: unaryOn(g.exp),
  log: unaryOn(g.log, 0.5, 3),
  sqrt: unaryOn(g.sqrt, 0.5, 3),
  reciprocal: unaryOn(g.reciprocal, 0.5, 3),
  tanh: unaryOn(g.tanh),
  sigmoid: unaryOn(g.sigmoid, -4, 4),
  erf: unaryOn(g.erf, -2, 2),
  silu: unaryOn(g.silu, -4, 4),
  geluTanh: unaryOn(g.geluTanh, -4, 4),
  add: binaryCases(g.add),
  sub: binaryCases(g.sub),
  mul: binaryCases(g.mul),
  div: binaryCases(g.div),
  matmul: matmulCases(),
  reduceSum: {
    "the last axis": (b) => g.reduceSum(b.f32([2, 3, 4]), [-1]),
    "the first and last": (b) => g.reduceSum(b.f32([2, 3, 4]), [0, 2]),
    "all, one of length 1": (b) => g.reduceSum(b.f32([2, 1, 4]), [0, 1, 2]),
  },
  reshape: (b) => g.reshape(b.f32([2, 6]), [3, 2, 2]),
  transpose: {
    "of a matrix": (b) => g.transpose(b.f32([2, 3]), [1, 0]),
    "that is not its own inverse": (b) => g.transpose(b.f32([2, 3, 4]), [2, 0, 1]),
    "of heads": (b) => g.transpose(b.f32([2, 3, 2, 4]), [0, 2, 1, 3]),
  },
  broadcast: {
    "of a column": (b) => g.broadcast(b.f32([3, 1]), [2, 3, 4]),
    "of a scalar": (b) => g.broadcast(b.f32([]), [2, 2]),
  },
  slice: {
    "from the middle": (b) => g.slice(b.f32([3, 6]), 1, 2, 5),
    "from the front": (b) => g.slice(b.f32([4, 3]), 0, 0, 2),
    "to the end": (b) => g.slice(b.f32([2, 4, 3]), 1, 3, 4),
  },
  concat: {
    "of three, one of length 1": (b) => g.concat([b.f32([2, 1]), b.f32([2, 3]), b.f32([2, 2])], 1),
    "of the same value twice": (b) => {
      const x = b.f32([2, 3]);
      return g.concat([x, x], 0);
    },
  },
  gatherRows: (b) => g.gatherRows(b.f32([4, 3]), b.i32(INDICES)),
  scatterAddRows: (b) => g.scatterAddRows(b.i32(INDICES), b.f32([5, 3]), 6),
  softmax: {
    "of a matrix": (b) => g.softmax(b.f32([3, 5], -4, 4)),
    "of one class": (b) => g.softmax(b.f32([3, 1])),
    "with masked scores": (b) => {
      const mask = g.constant(Float32Array.of(0, -1e9, -1e9, 0, 0, -1e9, 0, 0, 0), [3, 3]);
      return g.softmax(g.add(b.f32([2, 3, 3], -4, 4), mask));
    },
  },
  rmsNorm: {
    "of a matrix": (b) => g.rmsNorm(b.f32([3, 5]), b.f32([5]), 1e-5),
    "of small numbers, where eps counts": (b) => g.rmsNorm(b.f32([2, 2, 4], -0.1, 0.1), b.f32([4]), 1e-2),
  },
  layerNorm: {
    "of a matrix": (b) => g.layerNorm(b.f32([3, 5]), b.f32([5]), b.f32([5]), 1e-5),
    "of small numbers, where eps counts": (b) =>
      g.layerNorm(b.f32([2, 2, 4], -0.1, 0.1), b.f32([4]), b.f32([4]), 1e-2),
  },
  rope: {
    "of two heads": (b) => ropeOf(b.f32([2, 2, 3, 4])),
    "of one pair of channels": (b) => ropeOf(b.f32([1, 1, 5, 2])),
  },
  crossEntropy: (b) => g.crossEntropy(b.f32([5, 6], -4, 4), b.i32(LABELS)),
  crossEntropyGrad: (b) => g.crossEntropyGrad(b.f32([5, 6], -4, 4), b.i32(LABELS), b.f32([5])),
};

/** x rotated by angles of every quadrant. */
function ropeOf(x: Value): Value {
  const [, , s, d] = x.shape;
  const angles = Array.from({ length: (s * d) / 2 }, (_, i) => 0.7 * i);
  const table = (f: (a: number) => number): Value => g.constant(Float32Array.from(angles, f), [s, d / 2]);
  return g.rope(x, table(Math.cos), table(Math.sin));
}

/** Every case of every operator. */
export const OPERATOR_CASES: readonly OperatorCase[] = Object.entries(CASES).flatMap(([operator, cases]) => {
  const variants = typeof cases === "function" ? { "": cases } : cases;
  return Object.entries(variants).map(([variant, build]) => {
    const b = new CaseBuilder();
    const name = variant === "" ? operator : `${operator}: ${variant}`;
    return b.done(name, build(b), operator !== "crossEntropyGrad");
  });
});

/** Causal attention of one block over grouped queries: q [B, H·S, D] per key head, k and v [B, K, S, D], as IR. */
export function groupedAttention(
  q: Value,
  k: Value,
  v: Value,
  [rows, heads, kvHeads, length, dim]: readonly number[],
): Value {
  const grouped = [rows, kvHeads, (heads / kvHeads) * length, dim];
  const mask = new Float32Array(length * length);
  for (let i = 0; i < length; i++) mask.fill(-1e9, i * length + i + 1, (i + 1) * length);
  const scores = g.matmul(g.reshape(q, grouped), k, { transB: true, alpha: 1 / Math.sqrt(dim) });
  const p = g.softmax(
    g.add(g.reshape(scores, [rows, heads, length, length]), g.constant(mask, [length, length])),
  );
  return g.matmul(g.reshape(p, [rows, kvHeads, grouped[2], length]), v);
}
