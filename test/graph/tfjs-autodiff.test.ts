import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "./tfjs-gradients.ts";
import { beforeAll, describe, expect, it } from "vitest";
import type { Tensors } from "../../shared/engine/engine.ts";
import { evaluate } from "../../shared/engine/tfjs-ops.ts";
import { topologicalOrder, type Value } from "../../shared/graph/ir.ts";
import { wholeModel } from "../../shared/model/cut.ts";
import { buildSegment, IDS, LABELS } from "../../shared/model/transformer.ts";
import { pad } from "../../shared/train/padding.ts";
import { fullSpec, type Golden, loadGolden, loraSpec } from "../model/golden-cases.ts";
import { relativeDifference } from "../tensors.ts";
import { OPERATOR_CASES } from "./operator-cases.ts";
import { cotangentFor, gradientGraph, interpret } from "./reference.ts";

beforeAll(async () => {
  tf.env().set("PROD", true);
  await tf.setBackend("cpu");
});

function tensorOf(value: Value, data: Float32Array | Int32Array): tf.Tensor {
  return tf.tensor(data, [...value.shape], value.dtype === "i32" ? "int32" : "float32");
}

/** The forward graph on TensorFlow.js, with `given` in the place of some of its inputs. */
function forward(output: Value, given: ReadonlyMap<Value, tf.Tensor>, feeds: Tensors): tf.Tensor {
  const known = new Map<Value, tf.Tensor>(given);
  for (const value of topologicalOrder([output])) {
    if (known.has(value)) continue;
    const inputs = value.inputs.map((v) => known.get(v) as tf.Tensor);
    const { op } = value;
    if (op.kind === "input") known.set(value, tensorOf(value, feeds[op.name]));
    else if (op.kind === "constant") known.set(value, tensorOf(value, op.data));
    else if (op.kind === "scatterAddRows") {
      // The executor's scatterND has no gradient in TensorFlow.js; the segment sum, which is the same, has.
      known.set(value, tf.unsortedSegmentSum(inputs[1], inputs[0] as tf.Tensor1D, op.rows));
    } else known.set(value, evaluate(value, inputs, { slowTransposedMatmul: false }));
  }
  return known.get(output) as tf.Tensor;
}

/** TensorFlow.js' own gradients of Σ ⟨output, cotangent⟩. */
function autodiff(output: Value, wrt: readonly Value[], feeds: Tensors, cotangent: Float32Array) {
  const at = wrt.map((v) => tensorOf(v, feeds[v.op.kind === "input" ? v.op.name : ""]));
  const loss = (...x: tf.Tensor[]): tf.Scalar => {
    const y = forward(output, new Map(wrt.map((v, i) => [v, x[i]])), feeds);
    return tf.sum(tf.mul(y, tf.tensor(cotangent, y.shape)));
  };
  return tf.tidy(() =>
    tf
      .grads(loss)(at)
      .map((g) => g.dataSync<"float32">()),
  );
}

describe("the gradient graph of an operator agrees with TensorFlow.js' own autodiff", () => {
  const differentiable = OPERATOR_CASES.filter(({ wrt }) => wrt.length > 0).map((c) => [c.name, c] as const);
  it.each(differentiable)("%s", (_, { output, wrt, feeds }) => {
    const cotangent = cotangentFor(output);
    const ours = interpret(gradientGraph(output, wrt), { ...feeds, cotangent });
    const theirs = autodiff(output, wrt, feeds, cotangent);
    wrt.forEach((_, i) => {
      expect(relativeDifference(theirs[i], ours[i])).toBeLessThan(5e-6);
    });
  });
});

describe("the gradient graph of a whole model agrees with TensorFlow.js' own autodiff", () => {
  const bucket = { rows: 2, length: 12 };

  function modelFeeds(golden: Golden): Record<string, Float32Array | Int32Array> {
    const { ids, labels, lengths } = golden.batch;
    const size = bucket.rows * bucket.length;
    const feeds: Record<string, Float32Array | Int32Array> = {
      [IDS]: pad(ids, lengths, bucket, 1, new Int32Array(size)),
      [LABELS]: pad(labels, lengths, bucket, 1, new Int32Array(size), -100),
    };
    for (const [name, data] of golden.weights) feeds[name] = data;
    for (const [name, { data }] of golden.adapters) feeds[name] = data;
    return feeds;
  }

  it.each([
    ["llama", "the adapters"],
    ["gpt2", "the adapters"],
    ["llama", "all weights"],
    ["gpt2", "all weights"],
  ])("%s, with respect to %s", async (name, what) => {
    const golden = await loadGolden(name);
    const range = wholeModel(golden.config);
    const { config, lora } = what === "the adapters" ? loraSpec(golden, range) : fullSpec(golden, range);
    const graph = buildSegment(config, range, bucket, { lora, training: true });
    const wrt = [...(lora === undefined ? graph.weights : graph.adapters).values()];
    const nll = graph.nll as Value;
    const feeds = modelFeeds(golden);
    const cotangent = cotangentFor(nll);
    const ours = interpret(gradientGraph(nll, wrt), { ...feeds, cotangent });
    const theirs = autodiff(nll, wrt, feeds, cotangent);
    wrt.forEach((_, i) => {
      expect(relativeDifference(theirs[i], ours[i])).toBeLessThan(2e-5);
    });
  });
});
