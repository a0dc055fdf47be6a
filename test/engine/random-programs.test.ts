import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { type Shape, sizeOf, type Value } from "../../shared/graph/ir.ts";
import * as g from "../../shared/graph/ops.ts";
import { numbers } from "../graph/operator-cases.ts";
import { interpret } from "../graph/reference.ts";
import { largestDifference, magnitude } from "../tensors.ts";
import { ENGINES } from "./engines.ts";

const SEED = 20250302;

/** Makes a value out of earlier ones; the two numbers choose. The results stay of moderate size, so that errors do too. */
type Maker = (pool: readonly Value[], i: number, j: number) => Value;

const bounded = (x: Value): Value => g.tanh(x);
const pick = (pool: readonly Value[], i: number): Value => pool[i % pool.length];
const matrix = (x: Value): Value =>
  g.reshape(x, [sizeOf(x.shape) / (x.shape.at(-1) ?? 1), x.shape.at(-1) ?? 1]);

const MAKERS: readonly Maker[] = [
  (pool, i) => g.silu(pick(pool, i)),
  (pool, i) => g.geluTanh(pick(pool, i)),
  (pool, i) => g.neg(pick(pool, i)),
  (pool, i) => g.sigmoid(pick(pool, i)),
  (pool, i, j) => {
    const [a, b] = [pick(pool, i), pick(pool, j)];
    const fits = a.shape.length === b.shape.length && a.shape.every((d, k) => d === b.shape[k]);
    return fits ? bounded(g.mul(a, b)) : g.add(a, g.reshape(g.reduceSum(matrix(b), [0, 1]), []));
  },
  (pool, i, j) => {
    const [a, b] = [matrix(pick(pool, i)), matrix(pick(pool, j))];
    const transA = a.shape[1] !== b.shape[0];
    if (!transA) return bounded(g.matmul(a, b));
    return a.shape[0] === b.shape[0]
      ? bounded(g.matmul(a, b, { transA }))
      : bounded(g.matmul(a, a, { transB: true }));
  },
  (pool, i) => g.softmax(matrix(pick(pool, i))),
  (pool, i) => {
    const x = matrix(pick(pool, i));
    return g.rmsNorm(x, g.constant(numbers("w", x.shape[1]), [x.shape[1]]), 1e-2);
  },
  (pool, i) => {
    const x = pick(pool, i);
    return g.transpose(x, [...x.shape.keys()].reverse());
  },
  (pool, i, j) => {
    const x = matrix(pick(pool, i));
    const from = j % x.shape[1];
    return g.slice(x, 1, from, x.shape[1]);
  },
  (pool, i, j) => {
    const [a, b] = [matrix(pick(pool, i)), matrix(pick(pool, j))];
    return g.concat(a.shape[1] === b.shape[1] ? [a, b] : [a, a], 0);
  },
  (pool, i) => {
    const x = matrix(pick(pool, i));
    return g.broadcast(g.reshape(x, [1, ...x.shape]), [2, ...x.shape]);
  },
  (pool, i) => bounded(g.reduceSum(pick(pool, i), [0])),
  (pool, i, j) => {
    const x = matrix(pick(pool, i));
    const rows = Int32Array.of(j % x.shape[0], 0, j % x.shape[0]);
    return g.gatherRows(x, g.constant(rows, [3]));
  },
  (pool, i, j) => {
    const x = matrix(pick(pool, i));
    const rows = Int32Array.from({ length: x.shape[0] }, (_, k) => (k * j) % 3);
    return bounded(g.scatterAddRows(g.constant(rows, [x.shape[0]]), x, 3));
  },
];

const INPUTS: readonly Shape[] = [
  [2, 3],
  [3, 3],
  [1, 4],
  [2, 2, 3],
];
/** Values beyond this size are not built upon. */
const MAX_SIZE = 200;

const recipe = fc.record({
  steps: fc.array(fc.tuple(fc.nat(MAKERS.length - 1), fc.nat(50), fc.nat(50)), {
    minLength: 3,
    maxLength: 14,
  }),
  outputs: fc.array(fc.nat(50), { minLength: 1, maxLength: 4 }),
});

function build({ steps, outputs }: { steps: [number, number, number][]; outputs: number[] }) {
  const feeds: Record<string, Float32Array> = {};
  const pool = INPUTS.map((shape, i) => {
    feeds[`x${i}`] = numbers(`x${i}`, sizeOf(shape));
    return g.input(`x${i}`, shape);
  });
  for (const [maker, i, j] of steps) {
    const made = MAKERS[maker](pool, i, j);
    if (sizeOf(made.shape) <= MAX_SIZE) pool.push(made);
  }
  const program = { outputs: new Map(outputs.map((o, i) => [`y${i}`, pick([...pool].reverse(), o)])) };
  return { program, feeds };
}

describe.each(ENGINES)(`%s computes random programs right (seed ${SEED})`, (_, { name, skip }) => {
  let engine: Engine;
  beforeAll(async () => {
    if (!skip) engine = await createEngine(name, { threads: 1 });
  });
  afterAll(() => engine?.dispose());

  it.skipIf(skip)("with shared values, many outputs, and outputs that are inputs", async () => {
    await fc.assert(
      fc.asyncProperty(recipe, async (given) => {
        const { program, feeds } = build(given);
        const expected = interpret([...program.outputs.values()], feeds);
        const executable = await engine.compile(program);
        const actual = await executable.run(feeds);
        await executable.dispose();
        [...program.outputs.keys()].forEach((key, i) => {
          const error = largestDifference(actual[key], expected[i]);
          expect(error).toBeLessThan(2e-5 * Math.max(1, magnitude(expected[i])));
        });
      }),
      { seed: SEED, numRuns: 100 },
    );
  });
});
