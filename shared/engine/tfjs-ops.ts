/**
 * What each operator of the IR is on TensorFlow.js. Everything is put together from TensorFlow.js' plain operators, none of
 * which is ours, so that results and (in tests) TensorFlow.js' own gradients are a second opinion on the graph's.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { UnaryFn, Value } from "../graph/ir.ts";

export interface TfjsKernels {
  /** Whether a product of a transposed operand is far slower here than transposing it first. */
  readonly slowTransposedMatmul: boolean;
}

/** √(2/π) and the cubic's coefficient in GPT-2's approximation of GELU. */
const GELU_FACTOR = Math.sqrt(2 / Math.PI);
const GELU_CUBIC = 0.044715;

function unary(fn: UnaryFn, x: tf.Tensor): tf.Tensor {
  switch (fn) {
    case "neg":
      return tf.neg(x);
    case "exp":
      return tf.exp(x);
    case "log":
      return tf.log(x);
    case "sqrt":
      return tf.sqrt(x);
    case "reciprocal":
      return tf.reciprocal(x);
    case "tanh":
      return tf.tanh(x);
    case "sigmoid":
      return tf.sigmoid(x);
    case "erf":
      return tf.erf(x);
    case "silu":
      return tf.mul(x, tf.sigmoid(x));
    case "geluTanh": {
      const inner = tf.mul(x, tf.add(tf.mul(tf.square(x), GELU_CUBIC), 1));
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(tf.mul(inner, GELU_FACTOR)), 1));
    }
  }
}

function swapLastAxes(x: tf.Tensor): tf.Tensor {
  const perm = x.shape.map((_, i) => i);
  perm.push(...perm.splice(-2).reverse());
  return tf.transpose(x, perm);
}

function matmul(
  a: tf.Tensor,
  b: tf.Tensor,
  op: Extract<Value["op"], { kind: "matmul" }>,
  kernels: TfjsKernels,
): tf.Tensor {
  const { transA, transB, alpha } = op;
  const product = kernels.slowTransposedMatmul
    ? tf.matMul(transA ? swapLastAxes(a) : a, transB ? swapLastAxes(b) : b)
    : tf.matMul(a, b, transA, transB);
  return alpha === 1 ? product : tf.mul(product, alpha);
}

function meanOfLast(x: tf.Tensor): tf.Tensor {
  return tf.mean(x, -1, true);
}

function rope(x: tf.Tensor, cos: tf.Tensor, sin: tf.Tensor): tf.Tensor {
  const [left, right] = tf.split(x, 2, -1);
  return tf.concat(
    [tf.sub(tf.mul(left, cos), tf.mul(right, sin)), tf.add(tf.mul(right, cos), tf.mul(left, sin))],
    -1,
  );
}

/**
 * f32 [N, classes]: 1 at the label, else 0; a row of zeros where the label is negative. Made by comparison, because the
 * wasm backend's one-hot operator gives integers whatever type it is asked for.
 */
function labelRows(labels: tf.Tensor, classes: number): tf.Tensor {
  return tf.cast(tf.equal(tf.expandDims(labels, 1), tf.range(0, classes, 1, "int32")), "float32");
}

/**
 * The value of `v`, given those of its inputs. Makes intermediate tensors that it does not free: call it within tf.tidy
 * (or under tf.grads). Not for inputs and constants, which are the executor's.
 */
export function evaluate(v: Value, inputs: readonly tf.Tensor[], kernels: TfjsKernels): tf.Tensor {
  const { op } = v;
  const [a, b, c] = inputs;
  const shape = [...v.shape];
  switch (op.kind) {
    case "input":
    case "constant":
      return a;
    case "unary":
      return unary(op.fn, a);
    case "binary":
      return { add: tf.add, sub: tf.sub, mul: tf.mul, div: tf.div }[op.fn](a, b);
    case "matmul":
      return matmul(a, b, op, kernels);
    case "reduceSum":
      return tf.sum(a, [...op.axes], true);
    case "reshape":
      return tf.reshape(a, shape);
    case "transpose":
      return tf.transpose(a, [...op.perm]);
    case "broadcast":
      return tf.broadcastTo(a, shape);
    case "slice": {
      const begin = shape.map((_, i) => (i === op.axis ? op.start : 0));
      return tf.slice(a, begin, shape);
    }
    case "concat":
      return tf.concat([...inputs], op.axis);
    case "gatherRows":
      return tf.gather(a, b as tf.Tensor1D);
    case "scatterAddRows":
      // Equal indices are added. The segment sum that would say this more plainly is missing from the wasm backend.
      return tf.scatterND(tf.expandDims(a, 1), b, shape as [number, number]);
    case "softmax":
      return tf.softmax(a);
    case "rmsNorm":
      return tf.mul(tf.mul(a, tf.rsqrt(tf.add(meanOfLast(tf.square(a)), op.eps))), b);
    case "layerNorm": {
      const centred = tf.sub(a, meanOfLast(a));
      const scaled = tf.mul(centred, tf.rsqrt(tf.add(meanOfLast(tf.square(centred)), op.eps)));
      return tf.add(tf.mul(scaled, b), c);
    }
    case "rope":
      return rope(a, b, c);
    case "crossEntropy":
      return tf.neg(tf.sum(tf.mul(tf.logSoftmax(a), labelRows(b, a.shape[1] as number)), 1));
    case "crossEntropyGrad": {
      const real = tf.cast(tf.greaterEqual(b, tf.scalar(0, "int32")), "float32");
      const difference = tf.sub(tf.softmax(a), labelRows(b, a.shape[1] as number));
      return tf.mul(difference, tf.expandDims(tf.mul(c, real), 1));
    }
  }
}
