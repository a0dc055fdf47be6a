import { describe, expect, it } from "vitest";
import { gradients } from "../../shared/graph/autodiff.ts";
import type { Value } from "../../shared/graph/ir.ts";
import { add, crossEntropyGrad, input, matmul, mul, silu } from "../../shared/graph/ops.ts";
import { relativeDifference } from "../tensors.ts";
import { numbers, OPERATOR_CASES } from "./operator-cases.ts";
import { gradientError, interpret } from "./reference.ts";

describe("the gradient graph of an operator agrees with central differences in float64", () => {
  const differentiable = OPERATOR_CASES.filter(({ wrt }) => wrt.length > 0).map((c) => [c.name, c] as const);
  it.each(differentiable)("%s", (_, { output, wrt, feeds }) => {
    expect(gradientError(output, wrt, feeds)).toBeLessThan(1e-7);
  });
});

describe("gradients", () => {
  const x = input("x", [2, 3]);
  const w = input("w", [3, 3]);
  const feeds = { x: numbers("x", 6), w: numbers("w", 9) };

  it("of a value that is used several times are added up", () => {
    const h = silu(matmul(x, w));
    const y = add(mul(h, h), matmul(mul(h, x), w));
    expect(gradientError(y, [x, w], feeds)).toBeLessThan(1e-7);
  });

  it("are undefined for what no output depends on", () => {
    const y = silu(x);
    expect(gradients([{ output: y, cotangent: input("c", y.shape) }], [w])).toEqual([undefined]);
  });

  it("of a value with respect to itself are its cotangent", () => {
    const c = input("c", x.shape);
    expect(gradients([{ output: x, cotangent: c }], [x])[0]).toBe(c);
  });

  it("of several outputs are the sum over their cotangents", () => {
    const [y, z] = [silu(x), mul(x, x)];
    const [cy, cz] = [input("cy", y.shape), input("cz", z.shape)];
    const both = gradients(
      [
        { output: y, cotangent: cy },
        { output: z, cotangent: cz },
      ],
      [x],
    ) as Value[];
    const alone = [
      ...gradients([{ output: y, cotangent: cy }], [x]),
      ...gradients([{ output: z, cotangent: cz }], [x]),
    ] as Value[];
    const given = { ...feeds, cy: numbers("cy", 6), cz: numbers("cz", 6) };
    const [sum, a, b] = interpret([...both, ...alone], given);
    expect(
      relativeDifference(
        sum,
        a.map((e, i) => e + b[i]),
      ),
    ).toBeLessThan(1e-15);
  });

  it("refuse a cotangent of another shape", () => {
    expect(() => gradients([{ output: x, cotangent: input("c", [3, 2]) }], [x])).toThrow(
      expect.objectContaining({ code: "NB_GRAPH_SHAPE" }),
    );
  });

  it("refuse a second derivative of the cross-entropy, which has no rule", () => {
    const logits = input("logits", [2, 3]);
    const y = crossEntropyGrad(logits, input("labels", [2], "i32"), input("g", [2]));
    expect(() => gradients([{ output: y, cotangent: input("c", y.shape) }], [logits])).toThrow(
      expect.objectContaining({ code: "NB_GRAPH_SHAPE" }),
    );
  });
});
