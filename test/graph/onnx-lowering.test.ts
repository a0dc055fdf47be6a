import { describe, expect, it } from "vitest";
import { onnx } from "../../proto/generated/onnx.js";
import type { Value } from "../../shared/graph/ir.ts";
import { lowerToOnnx } from "../../shared/graph/onnx.ts";
import * as g from "../../shared/graph/ops.ts";

function nodes(outputs: Record<string, Value>): onnx.INodeProto[] {
  const model = onnx.ModelProto.decode(lowerToOnnx({ outputs: new Map(Object.entries(outputs)) }));
  return model.graph?.node ?? [];
}

const other = g.input("other", [4, 5]);

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
