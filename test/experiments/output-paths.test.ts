/** What the commands of experiments do with an --out, or a file to write, that they cannot use: an error that names it, before long work. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "../command/helpers.ts";
import { temporaryDirectory } from "../model/helpers.ts";
import { standInRun } from "./stand-ins.ts";

const FILE = `
name: paths
models: [models/base-6m]
seeds: 1
tasks: [moby-dick]
settings: { steps: 1, clients: 1, length: 16, testTokens: 64 }
arms: [{ name: a, activations: f16, gradients: f16 }]
`;

/** A directory with rows, an experiment file and a plain file. */
async function prepared() {
  const directory = temporaryDirectory();
  await standInRun(directory, FILE);
  const [yaml, afile] = [join(directory, "experiment.yaml"), join(directory, "afile")];
  writeFileSync(afile, "x");
  return { directory, yaml, afile };
}

const COMMANDS = (directory: string, yaml: string): string[][] => [
  ["experiment", "run", yaml],
  ["experiment", "report", directory],
  ["experiment", "keep", directory],
  ["codec", "bench", "--codec", "f16"],
];

describe("an --out that cannot be used", () => {
  it("is named, with the reason, by every command that has one", async () => {
    const { directory, yaml, afile } = await prepared();
    for (const out of [afile, join(afile, "x"), "/dev/null/x"])
      for (const args of COMMANDS(directory, yaml)) {
        const { exit, stderr } = await run([...args, "--out", out]);
        expect([args, exit]).toEqual([args, 2]);
        expect(stderr).toMatch(/NB_FILE_UNREADABLE: cannot write (\/dev\/null|.*afile)/);
        expect(stderr).not.toContain("This is a bug");
      }
  });

  it.skipIf(!existsSync("/sys/kernel"))("is refused before the first run is made", async () => {
    const { yaml } = await prepared();
    const { exit, stderr } = await run(["experiment", "run", yaml, "--out", "/sys/kernel"]);
    expect([exit, stderr]).toEqual([
      2,
      expect.stringContaining("NB_FILE_UNREADABLE: cannot write /sys/kernel"),
    ]);
    expect(stderr).not.toMatch(/moby-dick \| a/);
  });

  it("is refused when the experiment file cannot be put there", async () => {
    const { yaml } = await prepared();
    const out = join(temporaryDirectory(), "out");
    mkdirSync(join(out, "experiment.yaml"), { recursive: true });
    const { exit, stderr } = await run(["experiment", "run", yaml, "--out", out]);
    expect([exit, stderr]).toEqual([
      2,
      expect.stringContaining(`cannot write ${join(out, "experiment.yaml")}`),
    ]);
    expect(existsSync(join(out, "cells"))).toBe(false);
    expect(readdirSync(out)).toEqual(["experiment.yaml"]);
  });
});

describe("a file of results that cannot be written", () => {
  it("is named before the work is begun", async () => {
    const { directory, afile } = await prepared();
    for (const args of [
      ["experiment", "report", directory, "--json", directory],
      ["experiment", "report", directory, "--json", join(afile, "x.json")],
      ["codec", "bench", "--json", directory, "--out", join(directory, "bench")],
      ["experiment", "times", directory, "--links", "none", "--out", directory],
      ["simulate", "--model", "models/base-6m", "--save-costs", directory],
    ]) {
      const { exit, stderr, stdout } = await run(args);
      expect([args, exit, stdout]).toEqual([args, 2, ""]);
      expect(stderr).toMatch(/NB_FILE_UNREADABLE/);
    }
    expect(existsSync(join(directory, "bench"))).toBe(false);
  });
});
