import { describe, expect, it } from "vitest";
import { programInputs, topologicalOrder } from "../../shared/graph/ir.ts";
import * as g from "../../shared/graph/ops.ts";

const x = g.input("x", [2, 3]);
const i = g.input("i", [2], "i32");
const f = (...shape: number[]) => g.input("f", shape);

const REFUSED: Record<string, { make: () => unknown; message: RegExp }> = {
  "operands that do not broadcast": { make: () => g.add(x, f(2)), message: /add: shapes \[2, 3\] and \[2\]/ },
  "integers in arithmetic": { make: () => g.mul(i, i), message: /mul takes f32 operands; given i32\[2\]/ },
  "integers in a function": { make: () => g.exp(i), message: /exp takes f32/ },
  "products of unequal inner axes": { make: () => g.matmul(x, f(2, 3)), message: /equal inner axes/ },
  "transposed products of unequal inner axes": {
    make: () => g.matmul(x, f(2, 4), { transB: true }),
    message: /transB true/,
  },
  "products of unequal leading axes": {
    make: () => g.matmul(f(2, 3, 4), f(3, 4, 5)),
    message: /leading axes/,
  },
  "products of unequal rank": { make: () => g.matmul(f(2, 3, 4), f(4, 5)), message: /one rank/ },
  "products of integers": {
    make: () => g.matmul(g.input("i", [2, 2], "i32"), f(2, 2)),
    message: /matmul takes f32/,
  },
  "products of vectors": { make: () => g.matmul(f(3), f(3)), message: /2 or more/ },
  "sums over an axis that is not there": { make: () => g.reduceSum(x, [2]), message: /out of range/ },
  "reshapes that change the size": { make: () => g.reshape(x, [4]), message: /number of elements/ },
  "transposes that are no permutation": { make: () => g.transpose(x, [0, 0]), message: /permutation/ },
  "transposes that leave an axis out": { make: () => g.transpose(x, [0]), message: /permutation/ },
  "broadcasts that drop axes": { make: () => g.broadcast(x, [3]), message: /drop axes/ },
  "broadcasts to another length": { make: () => g.broadcast(x, [2, 4]), message: /do not broadcast/ },
  "empty slices": { make: () => g.slice(x, 1, 2, 2), message: /slice \[2, 2\)/ },
  "slices past the end": { make: () => g.slice(x, 1, 0, 4), message: /slice \[0, 4\)/ },
  "slices of an axis that is not there": { make: () => g.slice(x, 2, 0, 1), message: /axis 2/ },
  "concatenations of nothing": { make: () => g.concat([], 0), message: /no values/ },
  "concatenations of unequal other axes": {
    make: () => g.concat([x, f(2, 4)], 0),
    message: /equal other axes/,
  },
  "concatenations of higher rank": { make: () => g.concat([x, f(2, 3, 1)], 0), message: /equal other axes/ },
  "concatenations of lower rank": { make: () => g.concat([x, f(2)], 0), message: /equal other axes/ },
  "concatenations along an axis that is not there": {
    make: () => g.concat([x, x], 2),
    message: /concat along axis 2/,
  },
  "concatenations of unequal types": { make: () => g.concat([f(2), i], 0), message: /concat/ },
  "gathers from a vector": { make: () => g.gatherRows(f(3), i), message: /f32 table \[R, C\]/ },
  "gathers by floats": { make: () => g.gatherRows(x, f(2)), message: /i32 indices/ },
  "scatters of another number of rows": {
    make: () => g.scatterAddRows(i, f(3, 2), 4),
    message: /updates \[N, C\]/,
  },
  "scatters of integers": {
    make: () => g.scatterAddRows(i, g.input("u", [2, 2], "i32"), 4),
    message: /f32 updates/,
  },
  "softmax of integers": { make: () => g.softmax(i), message: /softmax takes/ },
  "softmax of a scalar": { make: () => g.softmax(f()), message: /softmax takes/ },
  "RMSNorm weights of another width": { make: () => g.rmsNorm(x, f(2), 1e-5), message: /rmsNorm/ },
  "LayerNorm without a bias of the width": {
    make: () => g.layerNorm(x, f(3), f(2), 1e-5),
    message: /layerNorm/,
  },
  "rotations of an odd number of channels": {
    make: () => g.rope(f(1, 2, 3, 5), f(3, 2), f(3, 2)),
    message: /even D/,
  },
  "rotations by tables of another length": {
    make: () => g.rope(f(1, 2, 3, 4), f(2, 2), f(2, 2)),
    message: /\[S, D\/2\]/,
  },
  "cross-entropy with another number of labels": {
    make: () => g.crossEntropy(f(3, 4), i),
    message: /labels \[N\]/,
  },
  "cross-entropy's gradient with another number of cotangents": {
    make: () => g.crossEntropyGrad(x, i, f(3)),
    message: /crossEntropyGrad/,
  },
  "cross-entropy with labels that are floats": {
    make: () => g.crossEntropy(f(2, 4), f(2)),
    message: /i32 labels/,
  },
  "constants of another number of elements": {
    make: () => g.constant(Float32Array.of(1, 2), [3]),
    message: /2 elements given for shape \[3\]/,
  },
};

describe("an operator's constructor refuses", () => {
  it.each(Object.entries(REFUSED))("%s", (_, { make, message }) => {
    expect(make).toThrow(
      expect.objectContaining({ code: "NB_GRAPH_SHAPE", message: expect.stringMatching(message) }),
    );
  });
});

describe("operators that change nothing are left out", () => {
  it("so that the value itself comes back", () => {
    expect(g.reshape(x, [2, 3])).toBe(x);
    expect(g.transpose(x, [0, 1])).toBe(x);
    expect(g.broadcast(x, [2, 3])).toBe(x);
    expect(g.slice(x, 1, 0, 3)).toBe(x);
    expect(g.concat([x], 0)).toBe(x);
    expect(g.scale(x, 1)).toBe(x);
    const column = f(4, 1);
    expect(g.reduceSum(column, [1])).toBe(column);
  });
});

describe("a program", () => {
  it("is computed inputs first, each value once", () => {
    const h = g.exp(x);
    const y = g.add(h, g.mul(h, x));
    const order = topologicalOrder([y, h, y]);
    expect(new Set(order).size).toBe(order.length);
    expect(order).toHaveLength(4);
    for (const value of order) {
      for (const input of value.inputs) expect(order.indexOf(input)).toBeLessThan(order.indexOf(value));
    }
  });

  it("as deep as a thousand layers overflows no stack", () => {
    let y = x;
    for (let k = 0; k < 100_000; k++) y = g.neg(y);
    expect(topologicalOrder([y])).toHaveLength(100_001);
  });

  it("refuses two different inputs of one name", () => {
    const outputs = new Map([["y", g.add(f(2, 3), f(2, 3))]]);
    expect(() => programInputs({ outputs })).toThrow(expect.objectContaining({ code: "NB_GRAPH_SHAPE" }));
  });
});
