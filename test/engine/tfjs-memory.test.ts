import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { gatherRows, input, matmul, silu } from "../../shared/graph/ops.ts";
import { wholeModel } from "../../shared/model/cut.ts";
import { SegmentRunner } from "../../shared/train/segment-runner.ts";
import { loadGolden, loraSpec, runnerOptions, TRAINING } from "../model/golden-cases.ts";
import { ENGINES } from "./engines.ts";

const TFJS = ENGINES.filter(([, { name }]) => name !== "onnxruntime");

describe.each(TFJS)("%s", (_, { name, skip }) => {
  let engine: Engine;
  beforeAll(async () => {
    if (!skip) engine = await createEngine(name, { threads: 1 });
  });
  afterAll(() => engine?.dispose());

  it.skipIf(skip)(
    "holds no more tensors after many training steps than after one, and none at the end",
    async () => {
      const before = tf.memory().numTensors;
      const golden = await loadGolden("llama");
      const runner = new SegmentRunner(
        runnerOptions(golden, loraSpec(golden, wholeModel(golden.config)), engine),
      );
      const { ids, labels, lengths } = golden.batch;
      const step = () => runner.lossOf(ids, labels, lengths, TRAINING);
      await step();
      const { numTensors, numBytes } = tf.memory();
      expect(numTensors).toBeGreaterThan(before); // The program's constants.
      for (let i = 0; i < 5; i++) await step();
      expect(tf.memory().numTensors).toBe(numTensors);
      expect(tf.memory().numBytes).toBe(numBytes);
      await runner.dispose();
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  it.skipIf(skip)("frees what a run that fails had made", async () => {
    const x = input("x", [4, 4]);
    const rows = input("rows", [2], "i32");
    const executable = await engine.compile({
      outputs: new Map([["y", gatherRows(matmul(silu(x), x), rows)]]),
    });
    const before = tf.memory().numTensors;
    const feeds = { x: new Float32Array(16), rows: Int32Array.of(0, 1) };
    const kernel = tf.getKernel("GatherV2", tf.getBackend());
    if (kernel === undefined) throw new Error("no kernel to replace");
    tf.unregisterKernel("GatherV2", tf.getBackend());
    await expect(executable.run(feeds)).rejects.toThrow(/GatherV2/);
    tf.registerKernel(kernel);
    expect(tf.memory().numTensors).toBe(before);
    expect((await executable.run(feeds)).y).toHaveLength(8);
    expect(tf.memory().numTensors).toBe(before);
    await executable.dispose();
  });
});
