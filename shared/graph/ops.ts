/**
 * Constructors of IR values. Each checks the shapes and types of its operands, so a mistake in a model is reported
 * where it is made and not by an executor later.
 */
import { fail } from "../errors.ts";
import {
  type BinaryFn,
  broadcastShape,
  type DType,
  type Op,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
  type UnaryFn,
  type Value,
} from "./ir.ts";

function make(op: Op, inputs: readonly Value[], shape: Shape, dtype: DType = "f32"): Value {
  return { op, inputs, shape, dtype };
}

function need(condition: boolean, what: string, ...operands: Value[]): asserts condition {
  if (!condition) {
    const given = operands.map((v) => `${v.dtype}${showShape(v.shape)}`).join(", ");
    fail("NB_GRAPH_SHAPE", `${what}; given ${given}`);
  }
}

function allF32(...values: Value[]): boolean {
  return values.every((v) => v.dtype === "f32");
}

export function input(name: string, shape: Shape, dtype: DType = "f32"): Value {
  return make({ kind: "input", name }, [], [...shape], dtype);
}

export function constant(data: Float32Array | Int32Array, shape: Shape): Value {
  if (data.length !== sizeOf(shape)) {
    fail("NB_GRAPH_SHAPE", `constant of ${data.length} elements given for shape ${showShape(shape)}`);
  }
  return make({ kind: "constant", data }, [], [...shape], data instanceof Float32Array ? "f32" : "i32");
}

/** An f32 scalar, shape []. */
export function scalar(x: number): Value {
  return constant(Float32Array.of(x), []);
}

export function isScalarConstant(v: Value, x: number): boolean {
  return v.op.kind === "constant" && v.shape.length === 0 && v.op.data[0] === x;
}

function unary(fn: UnaryFn, x: Value): Value {
  need(x.dtype === "f32", `${fn} takes f32`, x);
  return make({ kind: "unary", fn }, [x], x.shape);
}
export const neg = (x: Value): Value => unary("neg", x);
export const exp = (x: Value): Value => unary("exp", x);
export const log = (x: Value): Value => unary("log", x);
export const sqrt = (x: Value): Value => unary("sqrt", x);
export const reciprocal = (x: Value): Value => unary("reciprocal", x);
export const tanh = (x: Value): Value => unary("tanh", x);
export const sigmoid = (x: Value): Value => unary("sigmoid", x);
export const erf = (x: Value): Value => unary("erf", x);
/** x · sigmoid(x). */
export const silu = (x: Value): Value => unary("silu", x);
/** 0.5 · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))): GPT-2's approximation (Hendrycks and Gimpel, 2016). */
export const geluTanh = (x: Value): Value => unary("geluTanh", x);

function binary(fn: BinaryFn, a: Value, b: Value): Value {
  need(allF32(a, b), `${fn} takes f32 operands`, a, b);
  return make({ kind: "binary", fn }, [a, b], broadcastShape(a.shape, b.shape, fn));
}
export const add = (a: Value, b: Value): Value => binary("add", a, b);
export const sub = (a: Value, b: Value): Value => binary("sub", a, b);
export const mul = (a: Value, b: Value): Value => binary("mul", a, b);
export const div = (a: Value, b: Value): Value => binary("div", a, b);
/** x · factor; x itself when the factor is 1. */
export const scale = (x: Value, factor: number): Value => (factor === 1 ? x : mul(x, scalar(factor)));

export interface MatmulOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  /** Factor on the product. */
  readonly alpha?: number;
}

/** alpha · op(a) · op(b): [..., M, K] × [..., K, N] → [..., M, N], the leading axes equal. */
export function matmul(a: Value, b: Value, options: MatmulOptions = {}): Value {
  const { transA = false, transB = false, alpha = 1 } = options;
  const rank = a.shape.length;
  need(
    allF32(a, b) && rank >= 2 && b.shape.length === rank,
    "matmul takes f32 operands of one rank, 2 or more",
    a,
    b,
  );
  need(sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2)), "matmul takes equal leading axes", a, b);
  const [m, ka] = transA ? [a.shape[rank - 1], a.shape[rank - 2]] : [a.shape[rank - 2], a.shape[rank - 1]];
  const [kb, n] = transB ? [b.shape[rank - 1], b.shape[rank - 2]] : [b.shape[rank - 2], b.shape[rank - 1]];
  need(ka === kb, `matmul (transA ${transA}, transB ${transB}) takes equal inner axes`, a, b);
  return make({ kind: "matmul", transA, transB, alpha }, [a, b], [...a.shape.slice(0, -2), m, n]);
}

/** Sum over `axes`, which stay with length 1. */
export function reduceSum(x: Value, axes: readonly number[]): Value {
  const normal = axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis)).sort((a, b) => a - b);
  need(x.dtype === "f32", "reduceSum takes f32", x);
  need(
    normal.every((axis) => axis >= 0 && axis < x.shape.length),
    `reduceSum: axes ${axes} are out of range`,
    x,
  );
  if (normal.every((axis) => x.shape[axis] === 1)) return x;
  return make(
    { kind: "reduceSum", axes: normal },
    [x],
    x.shape.map((d, i) => (normal.includes(i) ? 1 : d)),
  );
}

export function reshape(x: Value, shape: Shape): Value {
  need(sizeOf(shape) === sizeOf(x.shape), `reshape to ${showShape(shape)} changes the number of elements`, x);
  if (sameShape(shape, x.shape)) return x;
  return make({ kind: "reshape" }, [x], [...shape], x.dtype);
}

export function transpose(x: Value, perm: readonly number[]): Value {
  need(
    perm.length === x.shape.length && [...perm].sort((a, b) => a - b).every((p, i) => p === i),
    `transpose takes a permutation of the axes, not ${showShape(perm)}`,
    x,
  );
  if (perm.every((p, i) => p === i)) return x;
  return make(
    { kind: "transpose", perm: [...perm] },
    [x],
    perm.map((p) => x.shape[p]),
    x.dtype,
  );
}

/** Repeats axes of length 1 up to `shape`. */
export function broadcast(x: Value, shape: Shape): Value {
  need(
    sameShape(broadcastShape(x.shape, shape, "broadcast"), shape),
    `broadcast to ${showShape(shape)} would drop axes`,
    x,
  );
  if (sameShape(shape, x.shape)) return x;
  return make({ kind: "broadcast" }, [x], [...shape], x.dtype);
}

export function slice(x: Value, axis: number, start: number, end: number): Value {
  need(
    axis >= 0 && axis < x.shape.length && 0 <= start && start < end && end <= x.shape[axis],
    `slice [${start}, ${end}) of axis ${axis} is out of range`,
    x,
  );
  if (start === 0 && end === x.shape[axis]) return x;
  return make(
    { kind: "slice", axis, start, end },
    [x],
    x.shape.map((d, i) => (i === axis ? end - start : d)),
    x.dtype,
  );
}

export function concat(parts: readonly Value[], axis: number): Value {
  const first = parts[0];
  if (first === undefined) fail("NB_GRAPH_SHAPE", "concat of no values");
  if (parts.length === 1) return first;
  need(
    axis >= 0 && axis < first.shape.length && parts.every((p) => p.dtype === first.dtype),
    `concat along axis ${axis} takes operands of one type that have it`,
    ...parts,
  );
  need(
    parts.every(
      (p) =>
        p.shape.length === first.shape.length && p.shape.every((d, i) => i === axis || d === first.shape[i]),
    ),
    `concat along axis ${axis} takes equal other axes`,
    ...parts,
  );
  const length = parts.reduce((sum, p) => sum + p.shape[axis], 0);
  return make(
    { kind: "concat", axis },
    parts,
    first.shape.map((d, i) => (i === axis ? length : d)),
    first.dtype,
  );
}

/** table [R, C], indices i32 [N] → [N, C]. */
export function gatherRows(table: Value, indices: Value): Value {
  need(
    table.dtype === "f32" &&
      table.shape.length === 2 &&
      indices.shape.length === 1 &&
      indices.dtype === "i32",
    "gatherRows takes an f32 table [R, C] and i32 indices [N]",
    table,
    indices,
  );
  return make({ kind: "gatherRows" }, [table, indices], [indices.shape[0], table.shape[1]]);
}

/** The transpose of gatherRows: indices i32 [N], updates [N, C] → [rows, C], updates of equal indices added. */
export function scatterAddRows(indices: Value, updates: Value, rows: number): Value {
  need(
    indices.shape.length === 1 &&
      indices.dtype === "i32" &&
      updates.dtype === "f32" &&
      updates.shape.length === 2 &&
      updates.shape[0] === indices.shape[0],
    "scatterAddRows takes i32 indices [N] and f32 updates [N, C]",
    indices,
    updates,
  );
  return make({ kind: "scatterAddRows", rows }, [indices, updates], [rows, updates.shape[1]]);
}

/** Softmax over the last axis. */
export function softmax(x: Value): Value {
  need(x.dtype === "f32" && x.shape.length > 0, "softmax takes f32 of rank 1 or more", x);
  return make({ kind: "softmax" }, [x], x.shape);
}

export function rmsNorm(x: Value, weight: Value, eps: number): Value {
  need(
    allF32(x, weight) && x.shape.length > 0 && sameShape(weight.shape, x.shape.slice(-1)),
    "rmsNorm takes f32 x [..., C] and a weight [C]",
    x,
    weight,
  );
  return make({ kind: "rmsNorm", eps }, [x, weight], x.shape);
}

export function layerNorm(x: Value, weight: Value, bias: Value, eps: number): Value {
  need(
    allF32(x, weight, bias) &&
      x.shape.length > 0 &&
      sameShape(weight.shape, x.shape.slice(-1)) &&
      sameShape(bias.shape, weight.shape),
    "layerNorm takes f32 x [..., C], a weight [C] and a bias [C]",
    x,
    weight,
    bias,
  );
  return make({ kind: "layerNorm", eps }, [x, weight, bias], x.shape);
}

/** Rotates pairs (x_i, x_{i+D/2}) of x [B, H, S, D] by the angles whose cos and sin are [S, D/2]. */
export function rope(x: Value, cos: Value, sin: Value): Value {
  const [, , s, d] = x.shape;
  need(
    allF32(x, cos, sin) &&
      x.shape.length === 4 &&
      d % 2 === 0 &&
      sameShape(cos.shape, [s, d / 2]) &&
      sameShape(sin.shape, cos.shape),
    "rope takes f32 x [B, H, S, D] with even D, cos and sin [S, D/2]",
    x,
    cos,
    sin,
  );
  return make({ kind: "rope" }, [x, cos, sin], x.shape);
}

function isClassification(logits: Value, labels: Value): boolean {
  const labelsFit = labels.dtype === "i32" && sameShape(labels.shape, logits.shape.slice(0, 1));
  return allF32(logits) && logits.shape.length === 2 && labelsFit;
}

/** Per position −log p(label), 0 where the label is negative: logits [N, V], labels i32 [N] → [N]. */
export function crossEntropy(logits: Value, labels: Value): Value {
  need(
    isClassification(logits, labels),
    "crossEntropy takes f32 logits [N, V] and i32 labels [N]",
    logits,
    labels,
  );
  return make({ kind: "crossEntropy" }, [logits, labels], labels.shape);
}

/** dL/dlogits of crossEntropy for g = dL/dnll [N]. */
export function crossEntropyGrad(logits: Value, labels: Value, g: Value): Value {
  need(
    isClassification(logits, labels) && allF32(g) && sameShape(g.shape, labels.shape),
    "crossEntropyGrad takes f32 logits [N, V], i32 labels [N] and f32 g [N]",
    logits,
    labels,
    g,
  );
  return make({ kind: "crossEntropyGrad" }, [logits, labels, g], logits.shape);
}
