/** Several jobs on one server: each with its own cut, codecs, clients and adapters, on one port. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readAdapterDirectory } from "../../shared/model/files-node.ts";
import { temporaryDirectory } from "../model/helpers.ts";
import { run, writeRandomModel } from "./helpers.ts";

const QUIET = ["--threads", "1", "--log-level", "silent", "--json"];

function listening(): { readonly url: Promise<string>; readonly onStdout: (text: string) => void } {
  let found: (url: string) => void = () => {};
  const url = new Promise<string>((resolve) => {
    found = resolve;
  });
  return { url, onStdout: (text) => found(/"ws":"([^"]+)"/.exec(text)?.[1] ?? "") };
}

describe("narrowband serve --jobs", () => {
  it("takes two jobs to their ends side by side, and unloads what is idle", async () => {
    const directory = temporaryDirectory();
    const model = await writeRandomModel(join(directory, "model"));
    const data = join(directory, "text.txt");
    writeFileSync(data, "zyxwvutsrqponmlkjihgfedcba".repeat(20));
    const near = join(directory, "near.yaml");
    const far = join(directory, "far.json");
    writeFileSync(near, "job: near\nsteps: 2\nactivations: fixed:8\ngradients: f16\n");
    writeFileSync(far, JSON.stringify({ job: "far", steps: 3, top: 0, rank: 4, split: "u-shape" }));
    const log = join(directory, "server.log");
    const { url, onStdout } = listening();
    const out = join(directory, "out");
    const common = [
      "--rank",
      "2",
      "--max-row-tokens",
      "64",
      "--port",
      "0",
      "--unload-idle",
      "1",
      "--out",
      out,
    ];
    const jobs = ["--jobs", near, "--jobs", far];
    const flags = ["--threads", "1", "--json", "--log-level", "info", "--log-file", log];
    const server = run(["serve", "--model", model, ...common, ...jobs, ...flags], { onStdout });
    const address = await url;
    const train = (job: string) => {
      const files = ["--model", model, "--data", data, "--out", join(directory, job)];
      return run([
        "train",
        address,
        ...files,
        "--name",
        "alice",
        "--job",
        job,
        "--rows",
        "1",
        "--length",
        "16",
        ...QUIET,
      ]);
    };
    const [served, ...trained] = await Promise.all([server, train("near"), train("far")]);
    for (const ran of [served, ...trained]) expect(ran.exit, ran.stderr).toBe(0);
    const last = served.json().at(-1) as { jobs: { job: string; steps: number; outcome: string }[] };
    expect(last.jobs).toMatchObject([
      { job: "near", steps: 2, outcome: "completed" },
      { job: "far", steps: 3, outcome: "completed" },
    ]);
    const steps = served.json().filter(({ event }) => event === "step");
    expect(steps.filter(({ job }) => job === "near").length).toBe(2);
    expect(steps.filter(({ job }) => job === "far").length).toBe(3);
    // Each has adapters of its own: of its rank, and of its own cut.
    const adapters = await Promise.all(["near", "far"].map((job) => readAdapterDirectory(join(out, job))));
    expect(adapters.map(({ lora }) => lora.r)).toEqual([2, 4]);
    expect(adapters[1].tensors.size).toBe(2 * adapters[0].tensors.size);
    const text = readFileSync(log, "utf8");
    expect(text).toContain("idle: weights are unloaded");
    expect(text).toContain("weights are loaded again");
    for (const line of text
      .trim()
      .split("\n")
      .map((one) => JSON.parse(one)))
      if (/joined|committed|left/.test(line.msg)) expect(["near", "far"]).toContain(line.job);
  });

  it.each([
    ["a key of the whole server", "job: a\nport: 1\n", "port"],
    ["an unknown key", "job: a\nno-such: 1\n", "no-such"],
    ["a wrong value", "job: a\nsteps: none\n", "steps"],
    ["a name that is taken", "job: b\n", "two jobs have the job"],
    ["a directory that is taken", "job: a\nout: same\n", "two jobs have the out"],
  ])("refuses %s in a job's file", async (_, text, message) => {
    const directory = temporaryDirectory();
    const [a, b] = ["a.yaml", "b.yaml"].map((name) => join(directory, name));
    writeFileSync(a, text);
    writeFileSync(b, "job: b\nout: same\n");
    const { exit, stderr } = await run(["serve", "--model", directory, "--jobs", a, "--jobs", b]);
    expect(exit).toBe(2);
    expect(stderr).toContain("NB_CONFIG_INVALID");
    expect(stderr).toContain(message);
  });
});
