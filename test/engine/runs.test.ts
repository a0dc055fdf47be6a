import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine, Executable } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import type { Value } from "../../shared/graph/ir.ts";
import { add, constant, input, matmul, reshape, scale, silu } from "../../shared/graph/ops.ts";
import { ENGINES } from "./engines.ts";

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: "NB_GRAPH_SHAPE", message: expect.stringMatching(message) });

describe.each(ENGINES)("%s", (_, { name, skip }) => {
  let engine: Engine;
  const x = input("x", [2, 2]);
  const rows = input("rows", [2], "i32");
  const compile = (outputs: Record<string, Value>): Promise<Executable> =>
    engine.compile({ outputs: new Map(Object.entries(outputs)) });

  beforeAll(async () => {
    if (!skip) engine = await createEngine(name, { threads: 1 });
  });
  afterAll(() => engine?.dispose());

  it.skipIf(skip)("is called by the name it was asked for", () => {
    expect(engine.name).toBe(name);
  });

  it.skipIf(skip)("gives each of many simultaneous runs its own result", async () => {
    const executable = await compile({ y: matmul(silu(x), x) });
    const feeds = Array.from({ length: 20 }, (_, i) => Float32Array.of(i, 1, 0, i));
    const together = await Promise.all(feeds.map((data) => executable.run({ x: data })));
    for (const [i, data] of feeds.entries()) {
      expect(together[i]).toEqual(await executable.run({ x: data }));
    }
    expect(together[3].y).not.toEqual(together[4].y);
    await executable.dispose();
  });

  it.skipIf(skip)("runs two programs side by side", async () => {
    const [double, square] = [await compile({ y: scale(x, 2) }), await compile({ y: matmul(x, x) })];
    const feeds = { x: Float32Array.of(1, 2, 3, 4) };
    const results = await Promise.all([double.run(feeds), square.run(feeds), double.run(feeds)]);
    expect(results.map(({ y }) => [...y])).toEqual([
      [2, 4, 6, 8],
      [7, 10, 15, 22],
      [2, 4, 6, 8],
    ]);
    await double.dispose();
    await square.dispose();
  });

  it.skipIf(skip)("writes into the arrays it is given, and makes the others", async () => {
    const executable = await compile({ y: scale(x, 2), z: scale(x, 3) });
    const y = new Float32Array(4).fill(9);
    const results = await executable.run({ x: Float32Array.of(1, 2, 3, 4) }, { y });
    expect(results.y).toBe(y);
    expect([...y]).toEqual([2, 4, 6, 8]);
    expect([...results.z]).toEqual([3, 6, 9, 12]);
    await executable.dispose();
  });

  it.skipIf(skip)("sees what has changed in an array since the last run", async () => {
    const executable = await compile({ y: scale(x, 2) });
    const feed = Float32Array.of(1, 2, 3, 4);
    await executable.run({ x: feed });
    feed[0] = 5;
    expect([...(await executable.run({ x: feed })).y]).toEqual([10, 4, 6, 8]);
    await executable.dispose();
  });

  it.skipIf(skip)("gives results that belong to the caller, even of inputs and constants", async () => {
    const ones = constant(Float32Array.of(1, 1, 1, 1), [2, 2]);
    const executable = await compile({
      same: x,
      ones,
      flat: reshape(x, [4]),
      twice: reshape(x, [4]),
      sum: add(x, ones),
    });
    const feed = Float32Array.of(1, 2, 3, 4);
    const first = await executable.run({ x: feed });
    for (const array of Object.values(first)) array.fill(-1);
    expect([...feed]).toEqual([1, 2, 3, 4]);
    const second = await executable.run({ x: feed });
    expect(Object.fromEntries(Object.entries(second).map(([key, data]) => [key, [...data]]))).toEqual({
      same: [1, 2, 3, 4],
      ones: [1, 1, 1, 1],
      flat: [1, 2, 3, 4],
      twice: [1, 2, 3, 4],
      sum: [2, 3, 4, 5],
    });
    await executable.dispose();
  });

  it.skipIf(skip)("gives one value under two names", async () => {
    const y = silu(x);
    const executable = await compile({ a: y, b: y });
    const { a, b } = await executable.run({ x: Float32Array.of(1, 2, 3, 4) });
    expect(a).toEqual(b);
    expect(a).not.toBe(b);
    await executable.dispose();
  });

  it.skipIf(skip)("refuses feeds that do not fit, and goes on", async () => {
    const executable = await compile({ y: add(x, input("w", [2])) });
    const good = { x: new Float32Array(4), w: Float32Array.of(1, 2) };
    await expect(executable.run({ x: good.x })).rejects.toThrow(
      refusal(/input "w" takes 2 elements of f32; given nothing/),
    );
    await expect(executable.run({ ...good, w: new Float32Array(3) })).rejects.toThrow(
      refusal(/Float32Array of 3/),
    );
    await expect(executable.run({ ...good, w: new Int32Array(2) })).rejects.toThrow(
      refusal(/Int32Array of 2/),
    );
    await expect(executable.run(good, { y: new Float32Array(3) })).rejects.toThrow(
      refusal(/output "y" gives 4 elements of f32; the array for it is a Float32Array of 3/),
    );
    expect([...(await executable.run(good)).y]).toEqual([1, 2, 1, 2]);
    await executable.dispose();
  });

  it.skipIf(skip)("refuses a program that gives integers", async () => {
    await expect(compile({ rows })).rejects.toThrow(refusal(/output "rows" is i32/));
  });

  it.skipIf(skip)("refuses a program with an output that has the name of an input", async () => {
    await expect(compile({ x: scale(x, 2) })).rejects.toThrow(refusal(/output "x" has the name of an input/));
  });

  it.skipIf(skip)("finishes runs that were begun before it is disposed", async () => {
    const executable = await compile({ y: scale(x, 2) });
    const run = executable.run({ x: Float32Array.of(1, 2, 3, 4) });
    const [{ y }] = await Promise.all([run, executable.dispose()]);
    expect([...y]).toEqual([2, 4, 6, 8]);
  });
});
