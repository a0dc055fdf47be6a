/** What a client captures in an f32 job is what the segments computed, and holds nothing of the text. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeCapture, encodeCapture } from "../../shared/capture/capture.ts";
import { CaptureRecorder } from "../../shared/capture/recorder.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { phasesOf } from "../../shared/protocol/codecs.ts";
import type { TokenBatch } from "../../shared/train/segments.ts";
import { loadGolden } from "../model/golden-cases.ts";
import { largestDifference } from "../tensors.ts";
import { jobConfig, splitJob, textOf } from "./split-job.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine("onnxruntime", { threads: 1 });
});
afterAll(() => engine.dispose());

async function capture(split: "u-shape" | "vanilla") {
  const golden = await loadGolden("llama");
  const recorders: CaptureRecorder[] = [];
  const edge = {
    capture: (config: Parameters<typeof phasesOf>[0]) => {
      const tensorsPerMicroBatch = phasesOf(config).length;
      recorders.push(
        new CaptureRecorder({ wants: (step) => step !== 1, maxBytes: 1e7, tensorsPerMicroBatch }),
      );
      return recorders[0];
    },
  };
  const config = jobConfig(golden, { steps: 3, microBatches: 2, inFlight: 2, split });
  const job = splitJob(golden, engine, config, 1, { edge });
  const fresh = splitJob(golden, engine, config, 1);
  await job.run();
  const about = { note: "test", channels: config.model.hidden, codecs: config.codecs };
  const taken = recorders[0]!.finish(about);
  await job.dispose();
  return { golden, taken, fresh };
}

describe("the capture of a client", () => {
  it("has the tensors of the wanted steps, as the segments compute them", async () => {
    const { golden, taken, fresh } = await capture("u-shape");
    const names = taken.tensors.map(({ phase, step, microBatch }) => `${phase} ${step}.${microBatch}`);
    const expected = [0, 2].flatMap((step) =>
      [0, 1].flatMap((mb) => ["A1", "A2", "G2", "G1"].map((phase) => `${phase} ${step}.${mb}`)),
    );
    expect(names).toEqual(expected);
    // The first step again, by hand, from the same first adapters.
    const { ids, labels, lengths } = (await textOf(golden, 0).nextBatch(0, 0)) as TokenBatch;
    const at = { step: 0, microBatch: 0, training: true };
    const [client, server] = [fresh.clients[0]!, fresh.server];
    const a1 = await client.bottom.forward({ ids, labels, lengths }, at);
    const a2 = await server.trunk.forward(a1.output, lengths, at);
    const loss = await client.top.loss(a2.output, labels, lengths, at);
    const g1 = await server.trunk.backward(a2.saved!, loss.gradient!);
    const byHand = [a1.output, a2.output, loss.gradient!, g1];
    byHand.forEach((values, i) => {
      expect(largestDifference(taken.tensors[i]!.values, values)).toBe(0);
    });
    a1.saved!.release();
    await fresh.dispose();
  });

  it("has activations and gradients of the one cut of a vanilla split", async () => {
    const { taken, fresh } = await capture("vanilla");
    expect([...new Set(taken.tensors.map(({ phase }) => phase))]).toEqual(["A1", "G1"]);
    await fresh.dispose();
  });

  it("holds no run of token ids or labels", async () => {
    const { golden, taken, fresh } = await capture("u-shape");
    await fresh.dispose();
    const bytes = Buffer.from(await encodeCapture(taken));
    expect((await decodeCapture(bytes)).tensors.length).toBe(16);
    const { ids, labels } = (await textOf(golden, 0).nextBatch(0, 0)) as TokenBatch;
    for (const values of [ids, labels]) {
      const run = [...values.subarray(0, 6)];
      for (const form of [Int32Array, Int16Array, Uint8Array, Float32Array]) {
        expect(bytes.includes(Buffer.from(form.from(run).buffer))).toBe(false);
      }
    }
  });
});
