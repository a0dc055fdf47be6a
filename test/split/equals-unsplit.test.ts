/** Split with f32, a model trains as in one piece: loss, gradients and adapters. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EdgeStep } from "../../client/edge.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { wholeModel } from "../../shared/model/cut.ts";
import { SegmentRunner } from "../../shared/train/segment-runner.ts";
import type { NamedTensors } from "../../shared/train/segments.ts";
import { adaptersOf, type Golden, loadGolden, loraSpec, runnerOptions } from "../model/golden-cases.ts";
import { expectClose, largestDifference } from "../tensors.ts";
import { jobConfig, NO_CLIPPING, splitJob, textOf } from "./split-job.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine("onnxruntime", { threads: 1 });
});
afterAll(() => engine.dispose());

interface Trained {
  readonly adapters: NamedTensors;
  readonly losses: number[];
}

/** The whole model, trained on client 0's text in one piece. */
async function unsplit(golden: Golden, microBatches: number, steps: number): Promise<Trained> {
  const spec = loraSpec(golden, wholeModel(golden.config));
  const runner = new SegmentRunner({ ...runnerOptions(golden, spec, engine), optimizer: NO_CLIPPING });
  runner.loadAdapters(adaptersOf(golden, spec));
  const text = textOf(golden, 0);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    let supervised = 0;
    let lossSum = 0;
    for (let microBatch = 0; microBatch < microBatches; microBatch++) {
      const { ids, labels, lengths } = await text.nextBatch(step, microBatch);
      const loss = await runner.lossOf(ids, labels, lengths, { step, microBatch, training: true });
      supervised += loss.supervisedTokens;
      lossSum += loss.lossSum;
    }
    losses.push(lossSum / supervised);
    await runner.optimizerStep(step, supervised);
  }
  const adapters = runner.adapters();
  await runner.dispose();
  return { adapters, losses };
}

async function split(golden: Golden, change: Parameters<typeof jobConfig>[1]): Promise<Trained> {
  const losses: number[] = [];
  const onStep = ({ lossSum, supervisedTokens }: EdgeStep): void => {
    losses.push(lossSum / supervisedTokens);
  };
  const config = jobConfig(golden, change);
  const { server, clients, run, dispose } = splitJob(golden, engine, config, 1, { edge: { onStep } });
  await run();
  const top = config.split === "vanilla" ? server.top : clients[0].top;
  const parts = [clients[0].bottom, server.trunk, top];
  const adapters = new Map(parts.flatMap((part) => [...part.adapters()]));
  await dispose();
  return { adapters, losses };
}

describe("a model split in f32", () => {
  it.each([
    ["llama", "u-shape", 50],
    ["llama", "vanilla", 15],
    ["gpt2", "u-shape", 15],
  ] as const)(
    "has the losses and adapters of the unsplit one: %s as %s after %i steps",
    async (name, kind, steps) => {
      const golden = await loadGolden(name);
      const change = { split: kind, steps, microBatches: 2, inFlight: 2 };
      const [a, b] = [await split(golden, change), await unsplit(golden, 2, steps)];
      expect(largestDifference(a.losses, b.losses)).toBeLessThan(1e-5);
      expectClose(a.adapters, b.adapters, 1e-5);
      const first = await unsplit(golden, 2, 0);
      const moved = [...first.adapters].map(([key, { data }]) => {
        return largestDifference(data, b.adapters.get(key)!.data);
      });
      expect(Math.min(...moved)).toBeGreaterThan(1e-3);
    },
  );
});

describe("a split with a coarse codec", () => {
  it("does not give the unsplit model's adapters: the codec is used", async () => {
    const golden = await loadGolden("llama");
    const codecs = { A1: "fixed:3", A2: "fixed:3", G2: "fixed:3", G1: "fixed:3" };
    const [a, b] = [await split(golden, { steps: 5, codecs }), await unsplit(golden, 1, 5)];
    const moved = [...a.adapters].map(([key, { data }]) =>
      largestDifference(data, b.adapters.get(key)!.data),
    );
    expect(Math.max(...moved)).toBeGreaterThan(1e-3);
    expect(a.losses[0]).not.toBe(b.losses[0]);
    expect(Math.abs(a.losses[0] - b.losses[0]) / b.losses[0]).toBeLessThan(0.1);
  });
});
