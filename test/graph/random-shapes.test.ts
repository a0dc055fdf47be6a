import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Shape, Value } from "../../shared/graph/ir.ts";
import { sizeOf } from "../../shared/graph/ir.ts";
import * as g from "../../shared/graph/ops.ts";
import { groupedAttention, numbers } from "./operator-cases.ts";
import { gradientError } from "./reference.ts";

const RUNS = { seed: 20250301, numRuns: 40 };
const size = fc.integer({ min: 1, max: 4 });
const sizes = (min: number, max: number) => fc.array(size, { minLength: min, maxLength: max });

/** An input of this shape and the numbers for it. */
function fed(feeds: Record<string, Float32Array>, shape: Shape, low = 0.5, high = 2): Value {
  const name = `x${Object.keys(feeds).length}`;
  feeds[name] = numbers(`${name}:${shape}`, sizeOf(shape), low, high);
  return g.input(name, shape);
}

/** A pair of shapes that broadcast: one shape, some of whose axes each side has with length 1 or leaves out in front. */
const broadcastPair = fc
  .record({
    shape: sizes(0, 4),
    seed: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 4, maxLength: 4 }),
  })
  .chain(({ shape, seed }) =>
    fc.record({ dropA: fc.nat(shape.length), dropB: fc.nat(shape.length) }).map(({ dropA, dropB }) => ({
      a: shape.map((d, i) => (seed[i] === 1 ? 1 : d)).slice(dropA),
      b: shape.map((d, i) => (seed[i] === 2 ? 1 : d)).slice(dropB),
    })),
  );

describe(`gradients agree with central differences for random shapes (seed ${RUNS.seed})`, () => {
  it.each(Object.entries({ add: g.add, sub: g.sub, mul: g.mul, div: g.div }))(
    "of broadcasting %s",
    (_, f) => {
      fc.assert(
        fc.property(broadcastPair, ({ a, b }) => {
          const feeds = {};
          const wrt = [fed(feeds, a), fed(feeds, b)];
          expect(gradientError(f(wrt[0], wrt[1]), wrt, feeds)).toBeLessThan(1e-7);
        }),
        RUNS,
      );
    },
  );

  it("of products with transposed operands and batch axes", () => {
    const shapes = fc.record({
      lead: sizes(0, 2),
      m: size,
      k: size,
      n: size,
      transA: fc.boolean(),
      transB: fc.boolean(),
    });
    fc.assert(
      fc.property(shapes, ({ lead, m, k, n, transA, transB }) => {
        const feeds = {};
        const a = fed(feeds, [...lead, ...(transA ? [k, m] : [m, k])]);
        const b = fed(feeds, [...lead, ...(transB ? [n, k] : [k, n])]);
        const y = g.matmul(a, b, { transA, transB, alpha: 0.7 });
        expect(gradientError(y, [a, b], feeds)).toBeLessThan(1e-7);
      }),
      RUNS,
    );
  });

  it("of sums over random axes, and of broadcasts back", () => {
    const shapes = sizes(1, 4).chain((shape) =>
      fc.record({ shape: fc.constant(shape), axes: fc.subarray([...shape.keys()]) }),
    );
    fc.assert(
      fc.property(shapes, ({ shape, axes }) => {
        const feeds = {};
        const x = fed(feeds, shape);
        const y = g.mul(g.broadcast(g.reduceSum(x, axes), shape), x);
        expect(gradientError(y, [x], feeds)).toBeLessThan(1e-7);
      }),
      RUNS,
    );
  });

  it("of transposes, slices and concatenations", () => {
    const shapes = sizes(1, 4).chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        perm: fc.shuffledSubarray([...shape.keys()], { minLength: shape.length }),
        axis: fc.nat(shape.length - 1),
        start: fc.nat(3),
        length: fc.integer({ min: 1, max: 4 }),
      }),
    );
    fc.assert(
      fc.property(shapes, ({ shape, perm, axis, start, length }) => {
        const feeds = {};
        const x = fed(feeds, shape);
        const turned = g.transpose(x, perm);
        const from = start % turned.shape[axis];
        const part = g.slice(turned, axis, from, Math.min(turned.shape[axis], from + length));
        const y = g.concat([turned, part, g.exp(part)], axis);
        expect(gradientError(y, [x], feeds)).toBeLessThan(1e-7);
      }),
      RUNS,
    );
  });

  it("of gathers and scatters with repeated indices", () => {
    const shapes = fc.record({ rows: size, width: size }).chain(({ rows, width }) =>
      fc.record({
        rows: fc.constant(rows),
        width: fc.constant(width),
        indices: fc.array(fc.nat(rows - 1), { minLength: 1, maxLength: 6 }),
      }),
    );
    fc.assert(
      fc.property(shapes, ({ rows, width, indices }) => {
        const feeds: Record<string, Float32Array | Int32Array> = {};
        const table = fed(feeds as Record<string, Float32Array>, [rows, width]);
        feeds.indices = Int32Array.from(indices);
        const at = g.input("indices", [indices.length], "i32");
        const picked = g.gatherRows(table, at);
        const y = g.scatterAddRows(at, g.mul(picked, picked), rows + 1);
        expect(gradientError(y, [table], feeds)).toBeLessThan(1e-7);
      }),
      RUNS,
    );
  });

  it("of attention with grouped queries", () => {
    const shapes = fc.record({
      rows: fc.integer({ min: 1, max: 2 }),
      kvHeads: fc.integer({ min: 1, max: 2 }),
      group: fc.integer({ min: 1, max: 3 }),
      length: size,
      dim: fc.constantFrom(2, 4),
    });
    fc.assert(
      fc.property(shapes, ({ rows, kvHeads, group, length, dim }) => {
        const feeds = {};
        const heads = kvHeads * group;
        const q = fed(feeds, [rows, heads, length, dim], -1.5, 1.5);
        const k = fed(feeds, [rows, kvHeads, length, dim], -1.5, 1.5);
        const v = fed(feeds, [rows, kvHeads, length, dim], -1.5, 1.5);
        const y = groupedAttention(q, k, v, [rows, heads, kvHeads, length, dim]);
        expect(gradientError(y, [q, k, v], feeds)).toBeLessThan(1e-6);
      }),
      { ...RUNS, numRuns: 20 },
    );
  });
});
