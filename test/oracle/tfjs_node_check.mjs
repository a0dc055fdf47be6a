/**
 * Sees whether a built @tensorflow/tfjs-node computes what TensorFlow.js' plain JavaScript backend computes, and how
 * fast it multiplies matrices. It is a check run by hand on a build that this project does not install; docs/engines.md
 * holds what it printed.
 *
 *   node test/oracle/tfjs_node_check.mjs PACKAGE_DIRECTORY [--json]
 *
 * The tensors go through this project's own copy of tfjs-core, so the check also shows that the two copies work as one.
 */
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";

/** Relative to the largest magnitude of the reference tensor. */
const TOLERANCE = 1e-4;

const { positionals, values: flags } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
if (positionals.length !== 1) {
  console.error("usage: node test/oracle/tfjs_node_check.mjs PACKAGE_DIRECTORY [--json]");
  process.exit(2);
}
const packageDirectory = resolve(positionals[0]);
// tfjs-node announces itself and repeats the kernels that the cpu backend has registered; neither is news here.
const warn = console.warn;
console.warn = () => {};
createRequire(import.meta.url)(packageDirectory);
console.warn = warn;

/** Values that look random and are the same on every run: a linear congruential generator, uniform in [-1, 1). */
function uniform(shape, seed) {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  let state = seed >>> 0;
  for (let index = 0; index < values.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[index] = state / 2 ** 31 - 1;
  }
  return tf.tensor(values, shape);
}

/** The mean of x² over the last axis, as RMSNorm has it. */
function rmsNorm(x, weight) {
  return tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-5))), weight);
}

/** x [2, 6, in] times the transpose of a weight [out, in]. */
function project(x, weight) {
  const [outputs, inputs] = weight.shape;
  return tf.reshape(tf.matMul(tf.reshape(x, [12, inputs]), weight, false, true), [2, 6, outputs]);
}

/**
 * Each case: the shapes of its inputs and a scalar or tensor function of them. The value and the gradient of its sum,
 * weighted so that no gradient is trivially zero, are compared.
 */
const ids = () => tf.tensor1d([3, 1, 4, 1, 5, 0, 2, 1], "int32");
const cases = {
  "matMul nn": [
    [
      [5, 7],
      [7, 3],
    ],
    (a, b) => tf.matMul(a, b),
  ],
  "matMul tn": [
    [
      [7, 5],
      [7, 3],
    ],
    (a, b) => tf.matMul(a, b, true, false),
  ],
  "matMul nt": [
    [
      [5, 7],
      [3, 7],
    ],
    (a, b) => tf.matMul(a, b, false, true),
  ],
  "matMul tt": [
    [
      [7, 5],
      [3, 7],
    ],
    (a, b) => tf.matMul(a, b, true, true),
  ],
  "matMul batched nt": [
    [
      [2, 3, 5, 4],
      [2, 3, 6, 4],
    ],
    (a, b) => tf.matMul(a, b, false, true),
  ],
  gather: [[[6, 4]], (table) => tf.gather(table, ids())],
  "gather axis 1": [[[3, 6, 2]], (table) => tf.gather(table, ids(), 1)],
  softmax: [[[4, 9]], (x) => tf.softmax(tf.mul(x, 5))],
  logSoftmax: [[[4, 9]], (x) => tf.logSoftmax(tf.mul(x, 5))],
  logSumExp: [[[4, 9]], (x) => tf.logSumExp(tf.mul(x, 5), -1)],
  "cross-entropy": [
    [[8, 6]],
    (x) => tf.neg(tf.sum(tf.mul(tf.oneHot(ids(), 6), tf.logSoftmax(tf.mul(x, 3))), -1)),
  ],
  rmsNorm: [[[4, 8], [8]], rmsNorm],
  layerNorm: [
    [[4, 8], [8], [8]],
    (x, weight, bias) => {
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-5));
      return tf.add(tf.mul(tf.mul(centred, scale), weight), bias);
    },
  ],
  silu: [[[4, 8]], (x) => tf.mul(x, tf.sigmoid(tf.mul(x, 3)))],
  "gelu tanh": [
    [[4, 8]],
    (x) => tf.mul(x, tf.add(1, tf.tanh(tf.mul(0.7978845608, tf.add(x, tf.mul(0.044715, tf.pow(x, 3))))))),
  ],
  erf: [[[4, 8]], (x) => tf.erf(tf.mul(x, 2))],
  "exp log sqrt": [[[4, 8]], (x) => tf.log(tf.add(tf.sqrt(tf.exp(x)), 1))],
  "sin cos": [[[4, 8]], (x) => tf.add(tf.sin(x), tf.cos(x))],
  "div broadcast": [
    [
      [4, 8],
      [4, 1],
    ],
    (x, y) => tf.div(x, tf.add(tf.abs(y), 1)),
  ],
  "maximum minimum": [
    [
      [4, 8],
      [4, 8],
    ],
    (x, y) => tf.add(tf.maximum(x, y), tf.minimum(x, 0.3)),
  ],
  where: [
    [
      [4, 8],
      [4, 8],
    ],
    (x, y) => tf.where(tf.greater(uniform([4, 8], 50), 0.1), tf.square(x), y),
  ],
  transpose: [[[2, 3, 4, 5]], (x) => tf.square(tf.transpose(x, [0, 2, 1, 3]))],
  reshape: [[[2, 12]], (x) => tf.square(tf.reshape(x, [4, 6]))],
  slice: [[[4, 8]], (x) => tf.square(tf.slice(x, [1, 2], [2, 5]))],
  concat: [
    [
      [4, 3],
      [4, 5],
    ],
    (x, y) => tf.square(tf.concat([x, y], 1)),
  ],
  pad: [
    [[3, 4]],
    (x) =>
      tf.square(
        tf.pad(x, [
          [0, 2],
          [1, 0],
        ]),
      ),
  ],
  tile: [[[3, 4]], (x) => tf.square(tf.tile(x, [2, 3]))],
  "sum max mean": [[[4, 8]], (x) => tf.add(tf.sum(x, 0), tf.mul(tf.max(x, 0), tf.mean(x, 0)))],
  unsortedSegmentSum: [[[8, 4]], (x) => tf.square(tf.unsortedSegmentSum(x, ids(), 6))],
  cumsum: [[[4, 8]], (x) => tf.square(tf.cumsum(x, 1))],
  "attention block with LoRA": [
    [[2, 6, 8], [8, 8], [8, 8], [8, 8], [8, 8], [8], [2, 8], [8, 2]],
    (x, query, key, value, output, norm, loraA, loraB) => {
      const heads = (y) => tf.transpose(tf.reshape(y, [2, 6, 2, 4]), [0, 2, 1, 3]);
      const normed = rmsNorm(x, norm);
      const adapted = tf.add(project(normed, query), project(project(normed, loraA), loraB));
      const scores = tf.matMul(heads(adapted), heads(project(normed, key)), false, true);
      const causal = tf.sub(tf.linalg.bandPart(tf.ones([6, 6]), -1, 0), 1);
      const weights = tf.softmax(tf.add(tf.mul(scores, 0.5), tf.mul(causal, 1e9)));
      const mixed = tf.transpose(tf.matMul(weights, heads(project(normed, value))), [0, 2, 1, 3]);
      return tf.add(x, project(tf.reshape(mixed, [2, 6, 8]), output));
    },
  ],
};

/** The value of a case and its gradients, on one backend, as plain arrays. */
async function evaluate(backend, [shapes, compute]) {
  await tf.setBackend(backend);
  return tf.tidy(() => {
    const inputs = shapes.map((shape, index) => uniform(shape, 7 * index + 1));
    const value = compute(...inputs);
    const weights = uniform(value.shape, 99);
    const gradients = tf.grads((...given) => tf.sum(tf.mul(compute(...given), weights)))(inputs);
    return [value, ...gradients].map((tensor) => tensor.dataSync());
  });
}

/** Largest difference relative to the reference's largest magnitude, over a case's value and gradients. */
function difference(actual, reference) {
  let worst = 0;
  reference.forEach((expected, index) => {
    const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expected.forEach((x, at) => {
      const error = Math.abs(x - actual[index][at]) / scale;
      worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(worst, error);
    });
  });
  return worst;
}

/** GFLOP/s of a product of two 1024 x 1024 matrices: the median of ten, after three. */
async function sgemm(backend, transposeA, transposeB, count) {
  await tf.setBackend(backend);
  const size = 1024;
  const a = uniform([size, size], 1);
  const b = uniform([size, size], 2);
  const times = [];
  for (let run = 0; run < count + Math.min(count, 3); run++) {
    const start = performance.now();
    const product = tf.matMul(a, b, transposeA, transposeB);
    product.dataSync();
    times.push(performance.now() - start);
    product.dispose();
  }
  tf.dispose([a, b]);
  const counted = times.slice(-count).sort((left, right) => left - right);
  return (2 * size ** 3) / counted[Math.floor(counted.length / 2)] / 1e6;
}

const results = [];
for (const [name, described] of Object.entries(cases)) {
  const reference = await evaluate("cpu", described);
  try {
    results.push({ name, difference: difference(await evaluate("tensorflow", described), reference) });
  } catch (error) {
    results.push({ name, error: error.message.split("\n")[0] });
  }
}
const speeds = {};
for (const [name, ta, tb] of [
  ["nn", false, false],
  ["tn", true, false],
  ["nt", false, true],
]) {
  speeds[name] = { tensorflow: await sgemm("tensorflow", ta, tb, 10), cpu: await sgemm("cpu", ta, tb, 1) };
}
const failed = results.filter((result) => !(result.difference <= TOLERANCE));
if (flags.json) {
  console.log(JSON.stringify({ node: process.version, tolerance: TOLERANCE, results, gflops: speeds }));
} else {
  for (const { name, error, difference: worst } of results) {
    console.log(`${name.padEnd(28)} ${error ?? worst.toExponential(1)}`);
  }
  for (const [name, { tensorflow, cpu }] of Object.entries(speeds)) {
    console.log(`1024³ ${name}: tfjs-node ${tensorflow.toFixed(0)} GFLOP/s, cpu backend ${cpu.toFixed(2)}`);
  }
  console.log(`${results.length - failed.length} of ${results.length} within ${TOLERANCE}`);
}
process.exitCode = failed.length === 0 ? 0 : 1;
