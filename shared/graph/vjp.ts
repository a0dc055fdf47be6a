/**
 * Vector-Jacobian rules: for an operator y = f(x...) and a cotangent g = dL/dy, the values dL/dx.
 *
 * Rules emit IR, so a gradient is lowered, fused and checked like any other graph. They use y itself where
 * that is cheaper than recomputing from x.
 */
import { fail } from "../errors.ts";
import type { Shape, Value } from "./ir.ts";
import {
  add,
  broadcast,
  concat,
  constant,
  crossEntropyGrad,
  div,
  exp,
  gatherRows,
  matmul,
  mul,
  neg,
  reciprocal,
  reduceSum,
  reshape,
  rope,
  scalar,
  scale,
  scatterAddRows,
  sigmoid,
  slice,
  sqrt,
  sub,
  tanh,
  transpose,
} from "./ops.ts";

/** Undoes a broadcast: sums g over the axes along which `shape` was repeated. */
function sumTo(g: Value, shape: Shape): Value {
  const lead = g.shape.length - shape.length;
  const axes: number[] = [];
  for (let i = 0; i < g.shape.length; i++) {
    if (i < lead || (shape[i - lead] === 1 && g.shape[i] !== 1)) axes.push(i);
  }
  return reshape(axes.length === 0 ? g : reduceSum(g, axes), shape);
}

function zeros(shape: Shape): Value {
  return broadcast(scalar(0), shape);
}

/** y = alpha · op(a) · op(b). */
function matmulVjp(y: Value, g: Value, wants: (i: number) => boolean): (Value | undefined)[] {
  if (y.op.kind !== "matmul") fail("NB_INTERNAL", "matmul rule given another operator");
  const [a, b] = y.inputs;
  const { transA, transB, alpha } = y.op;
  let da: Value | undefined;
  let db: Value | undefined;
  if (wants(0)) {
    // op(a)' = g · op(b)ᵀ; stored transposed when transA.
    da = transA
      ? matmul(b, g, { transA: transB, transB: true, alpha })
      : matmul(g, b, { transB: !transB, alpha });
  }
  if (wants(1)) {
    db = transB
      ? matmul(g, a, { transA: true, transB: transA, alpha })
      : matmul(a, g, { transA: !transA, alpha });
  }
  return [da, db];
}

/** With r = rsqrt(mean(x²) + eps), y = x·r·w:  dx = r·(g·w − x·r²·mean(g·w·x)). */
function rmsNormVjp(x: Value, w: Value, eps: number, g: Value): (Value | undefined)[] {
  const channels = w.shape[0];
  const last = [x.shape.length - 1];
  const meanSquare = scale(reduceSum(mul(x, x), last), 1 / channels);
  const r = reciprocal(sqrt(add(meanSquare, scalar(eps))));
  const xr = mul(x, r);
  const gw = mul(g, w);
  const m = scale(reduceSum(mul(gw, xr), last), 1 / channels);
  return [mul(r, sub(gw, mul(xr, m))), sumTo(mul(g, xr), w.shape)];
}

/** With x̂ = (x − mean)·r:  dx = r·(g·w − mean(g·w) − x̂·mean(g·w·x̂)). */
function layerNormVjp(x: Value, w: Value, eps: number, g: Value): (Value | undefined)[] {
  const channels = w.shape[0];
  const last = [x.shape.length - 1];
  const centred = sub(x, scale(reduceSum(x, last), 1 / channels));
  const variance = scale(reduceSum(mul(centred, centred), last), 1 / channels);
  const r = reciprocal(sqrt(add(variance, scalar(eps))));
  const xhat = mul(centred, r);
  const gw = mul(g, w);
  const m1 = scale(reduceSum(gw, last), 1 / channels);
  const m2 = scale(reduceSum(mul(gw, xhat), last), 1 / channels);
  return [mul(r, sub(sub(gw, m1), mul(xhat, m2))), sumTo(mul(g, xhat), w.shape), sumTo(g, w.shape)];
}

function unaryVjp(y: Value, x: Value, g: Value): Value {
  if (y.op.kind !== "unary") fail("NB_INTERNAL", "unary rule given another operator");
  switch (y.op.fn) {
    case "neg":
      return neg(g);
    case "exp":
      return mul(g, y);
    case "log":
      return div(g, x);
    case "sqrt":
      return div(scale(g, 0.5), y);
    case "reciprocal":
      return neg(mul(g, mul(y, y)));
    case "tanh":
      return sub(g, mul(g, mul(y, y)));
    case "sigmoid":
      return mul(g, sub(y, mul(y, y)));
    case "erf":
      return mul(g, scale(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)));
    case "silu": {
      // d/dx x·σ(x) = σ + y·(1 − σ) = y + σ·(1 − y)
      const s = sigmoid(x);
      return mul(g, add(y, sub(s, mul(s, y))));
    }
    case "geluTanh": {
      // u = k(x + c·x³), t = tanh u:  y' = ½(1 + t) + ½·x·(1 − t²)·k·(1 + 3c·x²)
      const k = Math.sqrt(2 / Math.PI);
      const c = 0.044715;
      const x2 = mul(x, x);
      const t = tanh(scale(mul(x, add(scale(x2, c), scalar(1))), k));
      const du = scale(add(scale(x2, 3 * c), scalar(1)), 0.5 * k);
      const left = scale(add(t, scalar(1)), 0.5);
      return mul(g, add(left, mul(mul(x, sub(scalar(1), mul(t, t))), du)));
    }
  }
}

/**
 * The cotangents of y's inputs; `wants(i)` says whether input i's is needed at all, and an entry may be undefined where
 * it is not (or where the input is not differentiable: indices, labels).
 */
export function vjp(y: Value, g: Value, wants: (i: number) => boolean): readonly (Value | undefined)[] {
  const [a, b] = y.inputs;
  switch (y.op.kind) {
    case "input":
    case "constant":
      return [];
    case "unary":
      return [unaryVjp(y, a, g)];
    case "binary":
      switch (y.op.fn) {
        case "add":
          return [wants(0) ? sumTo(g, a.shape) : undefined, wants(1) ? sumTo(g, b.shape) : undefined];
        case "sub":
          return [wants(0) ? sumTo(g, a.shape) : undefined, wants(1) ? sumTo(neg(g), b.shape) : undefined];
        case "mul":
          return [
            wants(0) ? sumTo(mul(g, b), a.shape) : undefined,
            wants(1) ? sumTo(mul(g, a), b.shape) : undefined,
          ];
        case "div":
          return [
            wants(0) ? sumTo(div(g, b), a.shape) : undefined,
            wants(1) ? sumTo(neg(div(mul(g, y), b)), b.shape) : undefined,
          ];
      }
      break;
    case "matmul":
      return matmulVjp(y, g, wants);
    case "reduceSum":
      return [broadcast(g, a.shape)];
    case "reshape":
      return [reshape(g, a.shape)];
    case "transpose": {
      const inverse: number[] = [];
      y.op.perm.forEach((p, i) => {
        inverse[p] = i;
      });
      return [transpose(g, inverse)];
    }
    case "broadcast":
      return [sumTo(g, a.shape)];
    case "slice": {
      const { axis, start, end } = y.op;
      const part = (length: number): Value => zeros(a.shape.map((d, i) => (i === axis ? length : d)));
      const parts = [g];
      if (start > 0) parts.unshift(part(start));
      if (end < a.shape[axis]) parts.push(part(a.shape[axis] - end));
      return [concat(parts, axis)];
    }
    case "concat": {
      const { axis } = y.op;
      let at = 0;
      return y.inputs.map((v) => {
        at += v.shape[axis];
        return slice(g, axis, at - v.shape[axis], at);
      });
    }
    case "gatherRows":
      return [scatterAddRows(b, g, a.shape[0]), undefined];
    case "scatterAddRows":
      return [undefined, gatherRows(g, a)];
    case "softmax": {
      const gy = mul(g, y);
      return [sub(gy, mul(y, reduceSum(gy, [-1])))];
    }
    case "rmsNorm":
      return rmsNormVjp(a, b, y.op.eps, g);
    case "layerNorm":
      return layerNormVjp(a, b, y.op.eps, g);
    case "rope":
      // A rotation's transpose is the rotation by the opposite angle.
      return [rope(g, b, neg(y.inputs[2])), undefined, undefined];
    case "crossEntropy":
      return [crossEntropyGrad(a, b, g), undefined];
    case "crossEntropyGrad":
      return fail("NB_GRAPH_SHAPE", "crossEntropyGrad has no second derivative");
  }
}

/** A seed cotangent of ones. */
export function ones(shape: Shape): Value {
  return shape.length === 0 ? scalar(1) : broadcast(constant(Float32Array.of(1), [1]), shape);
}
