import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../shared/engine/engine.ts";
import { createOnnxRuntimeEngine } from "../../shared/engine/onnxruntime-node.ts";
import { exp, gatherRows, input, neg } from "../../shared/graph/ops.ts";

describe("the ONNX Runtime engine", () => {
  let engine: Engine;
  beforeAll(() => {
    engine = createOnnxRuntimeEngine({ threads: 1 });
  });
  afterAll(() => engine.dispose());

  it("writes results where it is told and makes no copies of them beside", async () => {
    const size = 4 << 20;
    const x = input("x", [size]);
    const executable = await engine.compile({ outputs: new Map([["y", neg(x)]]) });
    const feeds = { x: new Float32Array(size).fill(3) };
    const into = { y: new Float32Array(size) };
    await executable.run(feeds, into);
    let grown = 0;
    for (let i = 0; i < 3; i++) {
      const before = process.memoryUsage().arrayBuffers;
      await executable.run(feeds, into);
      grown = Math.max(grown, process.memoryUsage().arrayBuffers - before);
    }
    expect(grown).toBeLessThan(1 << 20);
    expect(into.y.every((v) => v === -3)).toBe(true);
    await executable.dispose();
  });

  it("reports a run that fails, and goes on", async () => {
    const rows = input("rows", [2], "i32");
    const executable = await engine.compile({
      outputs: new Map([["y", gatherRows(input("table", [3, 2]), rows)]]),
    });
    const table = Float32Array.of(1, 2, 3, 4, 5, 6);
    await expect(executable.run({ table, rows: Int32Array.of(0, 7) })).rejects.toThrow(/indices|bounds/i);
    expect([...(await executable.run({ table, rows: Int32Array.of(2, 0) })).y]).toEqual([5, 6, 1, 2]);
    await executable.dispose();
  });

  it("flushes subnormal results to zero", async () => {
    const executable = await engine.compile({ outputs: new Map([["y", exp(input("x", [3]))]]) });
    const { y } = await executable.run({ x: Float32Array.of(-100, -90, 0) });
    expect([...new Uint32Array(y.buffer)]).toEqual([0, 0, new Uint32Array(Float32Array.of(1).buffer)[0]]);
    await executable.dispose();
  });
});
