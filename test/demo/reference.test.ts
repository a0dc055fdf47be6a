/** The unsplit reference is the split run without the split: in f32 both give the same losses and adapters. */
import { EventEmitter } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runReference } from "../../experiments/demo/reference.ts";
import { BatchSchedule, makeRows } from "../../shared/data/batches.ts";
import { loadDataset } from "../../shared/data/load-node.ts";
import { splitHeldOut } from "../../shared/data/token-dataset.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { openModelDirectory, readAdapterDirectory } from "../../shared/model/files-node.ts";
import { jobConfigSchema } from "../../shared/protocol/job-config.ts";
import { run, writeRandomModel } from "../command/helpers.ts";
import { failure, temporaryDirectory } from "../model/helpers.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz";
const NAMES = ["first", "second"] as const;
const STEPS = 12;

/** Runs serve and two trains in f32; returns the job's settings and each client's losses. */
async function splitRun(directory: string, model: string) {
  let announce: (url: string) => void = () => {};
  const url = new Promise<string>((resolve) => {
    announce = resolve;
  });
  // biome-ignore format: one option a line
  const server = run(
    [
      "serve", "--json", "--log-level", "silent", "--threads", "1",
      "--model", model, "--out", join(directory, "server"), "--port", "0",
      "--min-clients", "2", "--quorum", "2", "--steps", String(STEPS), "--micro-batches", "2",
      "--rank", "2", "--learning-rate", "0.01", "--weight-decay", "0.01", "--max-row-tokens", "64",
      "--activations", "f32", "--gradients", "f32",
    ],
    {
      signals: new EventEmitter(),
      onStdout(text) {
        const found = /"ws":"([^"]+)"/.exec(text);
        if (found !== null) announce(found[1]);
      },
    },
  );
  const address = await url;
  const trained = await Promise.all(
    NAMES.map((name, i) =>
      // biome-ignore format: one option a line
      run([
        "train", address, "--json", "--log-level", "silent", "--threads", "1",
        "--model", model, "--data", join(directory, `${name}.txt`), "--name", name, "--out", join(directory, name),
        "--rows", "2", "--length", "24", "--held-out", "0.2", "--seed", String(i),
      ]),
    ),
  );
  const served = await server;
  for (const ran of [served, ...trained]) expect(ran.exit, ran.stderr).toBe(0);
  const events = trained.map((ran) => ran.json());
  const job = jobConfigSchema.parse(events[0].find(({ event }) => event === "joined")?.job);
  return {
    job,
    losses: events.map((of) => of.filter(({ event }) => event === "step").map(({ loss }) => Number(loss))),
  };
}

describe("the unsplit reference", () => {
  it("equals two clients and a server in f32: losses and all adapters to 1e-5", async () => {
    const directory = temporaryDirectory();
    const modelPath = await writeRandomModel(join(directory, "model"));
    writeFileSync(join(directory, "first.txt"), ALPHABET.repeat(30));
    writeFileSync(join(directory, "second.txt"), `${[...ALPHABET].reverse().join("")} 12345 `.repeat(30));
    const { job, losses } = await splitRun(directory, modelPath);

    const model = await openModelDirectory(modelPath);
    const engine = await createEngine("onnxruntime", { threads: 1 });
    const tokenizer = await model.tokenizer();
    const clients = await Promise.all(
      NAMES.map(async (name, i) => {
        const data = splitHeldOut(await loadDataset(join(directory, `${name}.txt`), tokenizer), 0.2, i).train;
        const schedule = new BatchSchedule(makeRows(data, { length: 24, packed: true }), 2, i);
        return (step: number, microBatch: number) => schedule.batch(step, microBatch, job.microBatches);
      }),
    );
    const reference = await runReference({ job, model, engine, clients });
    await model.close();
    await engine.dispose();

    const trunk = await readAdapterDirectory(join(directory, "server"));
    for (const [i, name] of NAMES.entries()) {
      expect(losses[i]).toHaveLength(STEPS);
      losses[i].forEach((loss, step) => {
        expect(Math.abs(loss - reference.losses[i][step])).toBeLessThan(1e-5);
      });
      expect(losses[i][STEPS - 1]).toBeLessThan(losses[i][0]);
      const own = await readAdapterDirectory(join(directory, name));
      const split = new Map([...own.tensors, ...trunk.tensors]);
      expect(split.size).toBe(reference.adapters[i].size);
      let moved = 0;
      for (const [key, { data }] of reference.adapters[i]) {
        const other = split.get(key)!.data;
        data.forEach((value, j) => {
          expect(Math.abs(value - other[j])).toBeLessThan(1e-5);
        });
        if (key.endsWith("lora_B.weight")) moved += Math.hypot(...data);
      }
      expect(moved).toBeGreaterThan(0.1);
    }
    // Bottom and top are each client's own; the trunk is common.
    const [a, b] = reference.adapters;
    const differs = [...a.keys()].filter((key) =>
      a.get(key)!.data.some((value, j) => value !== b.get(key)!.data[j]),
    );
    expect(new Set(differs.map((key) => /layers\.(\d)\./.exec(key)?.[1]))).toEqual(new Set(["0", "2"]));
  });

  it("is of sync jobs with personal adapters, and says so of others", async () => {
    const directory = temporaryDirectory();
    const model = await openModelDirectory(await writeRandomModel(join(directory, "model")));
    const engine = await createEngine("onnxruntime", { threads: 1 });
    const { JOB } = await import("../protocol/world.ts");
    for (const change of [{ mode: "sequential" }, { aggregation: "fedavg" }] as const)
      await failure("NB_CONFIG_INVALID", () =>
        runReference({ job: { ...JOB, ...change }, model, engine, clients: [] }),
      );
    await model.close();
    await engine.dispose();
  });
});
