import { describe, expect, it } from "vitest";
import { onnx } from "../../proto/generated/onnx.js";
import type { Value } from "../../shared/graph/ir.ts";
import { lowerToOnnx } from "../../shared/graph/onnx.ts";
import * as g from "../../shared/graph/ops.ts";

function nodes(outputs: Record<string, Value>): onnx.INodeProto[] {
  const model = onnx.ModelProto.decode(lowerToOnnx({ outputs: new Map(Object.entries(outputs)) }));
  return model.graph?.node ?? [];
}

/** Operator types with their number of inputs, sorted. */
function summary(outputs: Record<string, Value>): string[] {
  return nodes(outputs)
    .map(({ op_type, input }) => `${op_type}/${input?.length}`)
    .sort();
}

const x = g.input("x", [4, 3]);
const w = g.input("w", [3, 5]);
const v = g.input("v", [3, 5]);
const bias = g.input("bias", [5]);
const other = g.input("other", [4, 5]);

describe("a sum of a matrix product and something else is one Gemm", () => {
  it("when the something is a bias", () => {
    expect(summary({ y: g.add(g.matmul(x, w), bias) })).toEqual(["Gemm/3"]);
  });

  it("on either side", () => {
    expect(summary({ y: g.add(other, g.matmul(x, w)) })).toEqual(["Gemm/3"]);
  });

  it("and a chain of such sums is one Gemm each", () => {
    const y = g.add(g.add(g.matmul(x, w), bias), g.matmul(x, v, { alpha: 2 }));
    expect(summary({ y })).toEqual(["Gemm/3", "Gemm/3"]);
  });

  it("but not when the product is read elsewhere, or is a result itself", () => {
    const product = g.matmul(x, w);
    expect(summary({ y: g.mul(g.add(product, other), product) })).toEqual(["Add/2", "Gemm/2", "Mul/2"]);
    expect(summary({ y: g.add(product, other), product })).toEqual(["Add/2", "Gemm/2"]);
    expect(summary({ y: g.add(product, product) })).toEqual(["Add/2", "Gemm/2"]);
  });

  it("nor when the sum repeats the product, or the product has batch axes", () => {
    const row = g.matmul(g.input("r", [1, 3]), w);
    expect(summary({ y: g.add(row, other) })).toEqual(["Add/2", "Gemm/2"]);
    const batch = g.matmul(g.input("a", [2, 4, 3]), g.input("b", [2, 3, 5]));
    expect(summary({ y: g.add(batch, bias) })).toEqual(["Add/2", "FusedMatMul/2"]);
  });
});

describe("the cross-entropy and its gradient", () => {
  it("share one log-softmax and need no softmax", () => {
    const labels = g.input("labels", [4], "i32");
    const outputs = {
      nll: g.crossEntropy(other, labels),
      grad: g.crossEntropyGrad(other, labels, g.input("g", [4])),
    };
    const kinds = nodes(outputs).map(({ op_type }) => op_type);
    expect(kinds.filter((kind) => kind === "LogSoftmax")).toHaveLength(1);
    expect(kinds).not.toContain("Softmax");
  });
});

describe("names", () => {
  it("of inputs and outputs are the program's own, whatever they are, and no two nodes give the same", () => {
    const outputs = { v0: g.exp(g.input("v1", [2])), v2: g.neg(g.input("v3", [2])) };
    const given = nodes(outputs).flatMap(({ output }) => output ?? []);
    expect(new Set(given).size).toBe(given.length);
    expect(given).toEqual(expect.arrayContaining(["v0", "v2"]));
  });
});
