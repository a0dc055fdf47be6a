/** Where settings come from, and what is said when one is wrong. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type CommandDefinition, defineCommand, option } from "../../shared/command/definition.ts";
import { temporaryDirectory } from "../model/helpers.ts";
import { type Ran, run } from "./helpers.ts";

let seen: unknown;

const sample = defineCommand({
  name: "sample",
  group: "Test",
  summary: "a command of this test",
  description: "x",
  examples: [],
  json: "One object.",
  options: z
    .strictObject({
      place: option(z.string().min(1), { help: "a place", group: "G", positional: true }),
      stepCount: option(z.int().min(1).max(10).default(3), {
        help: "steps",
        group: "G",
        env: "SAMPLE_STEPS",
      }),
      learningRate: option(z.number().positive().lt(1).default(0.5), { help: "rate", group: "G" }),
      mode: option(z.enum(["fast", "slow"]).default("fast"), { help: "mode", group: "G" }),
      names: option(z.array(z.string().min(1)).default([]), { help: "names", group: "G" }),
      paths: option(z.array(z.string()).default([]), { help: "paths", group: "G", splitsAtCommas: false }),
      targets: option(z.union([z.literal("all"), z.array(z.string()).min(1)]).default("all"), {
        help: "targets",
        group: "G",
      }),
      packed: option(z.boolean().default(true), { help: "no packing", group: "G" }),
      token: option(z.string().min(8).optional(), {
        help: "token",
        group: "G",
        env: "SAMPLE_TOKEN",
        secret: true,
      }),
    })
    .check((ctx) => {
      if (ctx.value.mode === "slow" && ctx.value.stepCount > 5)
        ctx.issues.push({
          code: "custom",
          input: ctx.value,
          path: ["stepCount"],
          message: "accepted with --mode slow: up to 5",
        });
    }),
  async run(settings) {
    seen = settings;
  },
}) as CommandDefinition;

const call = (args: string[], env: Record<string, string> = {}): Promise<Ran> =>
  run(["sample", ...args], { commands: [sample], env });

function file(name: string, text: string): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, text);
  return path;
}

async function refused(args: string[], env: Record<string, string> = {}): Promise<string> {
  const { exit, stderr } = await call(args, env);
  expect(exit).toBe(2);
  expect(stderr).toContain("NB_CONFIG_INVALID");
  return stderr;
}

describe("settings", () => {
  it("have the schema's defaults", async () => {
    expect((await call(["here"])).exit).toBe(0);
    expect(seen).toEqual({
      place: "here",
      stepCount: 3,
      learningRate: 0.5,
      mode: "fast",
      names: [],
      paths: [],
      targets: "all",
      packed: true,
    });
  });

  it("come from flags before the environment, from that before the file, from that before defaults", async () => {
    const config = file("c.yaml", "place: there\nstep-count: 4\nlearning-rate: 0.25\nmode: slow\n");
    await call(["here", "--config", config, "--learning-rate", "1e-3"], { SAMPLE_STEPS: "5" });
    expect(seen).toMatchObject({ place: "here", stepCount: 5, learningRate: 0.001, mode: "slow" });
    await call(["--config", config, "--step-count", "2"], { SAMPLE_STEPS: "5" });
    expect(seen).toMatchObject({ place: "there", stepCount: 2 });
  });

  it("read JSON as they read YAML", async () => {
    await call(["--config", file("c.json", '{"place":"x","names":["a","b"],"packed":false}')]);
    expect(seen).toMatchObject({ place: "x", names: ["a", "b"], packed: false });
  });

  it("take lists by repetition and at commas, and paths by repetition alone", async () => {
    await call(["x", "--names", "a,b", "--names", "c", "--paths", "a,b", "--paths", "c"]);
    expect(seen).toMatchObject({ names: ["a", "b", "c"], paths: ["a,b", "c"] });
  });

  it("tell a word from a list where both are accepted", async () => {
    await call(["x", "--targets", "all"]);
    expect(seen).toMatchObject({ targets: "all" });
    await call(["x", "--targets", "q,v"]);
    expect(seen).toMatchObject({ targets: ["q", "v"] });
  });

  it("let a flag win over the file both ways", async () => {
    await call(["x", "--config", file("c.yaml", "packed: false"), "--packed"]);
    expect(seen).toMatchObject({ packed: true });
    await call(["x", "--config", file("c.yaml", "packed: true"), "--no-packed"]);
    expect(seen).toMatchObject({ packed: false });
  });

  it("treat a key without a value as not there", async () => {
    await call(["x", "--config", file("c.yaml", "step-count:\n")]);
    expect(seen).toMatchObject({ stepCount: 3 });
  });
});

describe("a wrong setting", () => {
  it("is named with what was given and what is accepted, wherever it came from", async () => {
    expect(await refused(["x", "--step-count", "0"])).toContain(
      "--step-count: 0 was given; accepted: a whole number from 1 to 10",
    );
    expect(await refused(["x"], { SAMPLE_STEPS: "many" })).toContain(
      'SAMPLE_STEPS (environment): "many" was given; accepted: a whole number from 1 to 10',
    );
    const config = file("c.yaml", "mode: quick\n");
    expect(await refused(["x", "--config", config])).toContain(
      `${config}: mode: "quick" was given; accepted: one of fast, slow`,
    );
    expect(await refused(["x", "--learning-rate", "1"])).toContain("a number above 0 and below 1");
    expect(await refused(["x", "--learning-rate", ""])).toContain('--learning-rate: "" was given');
    expect(await refused([])).toContain("place is missing; accepted: a text");
  });

  it("does not hide another", async () => {
    const message = await refused(["x", "--step-count", "0", "--mode", "quick"]);
    expect(message).toContain("--step-count");
    expect(message).toContain("--mode");
  });

  it("is explained by the schema's own check where that spans several", async () => {
    expect(await refused(["x", "--mode", "slow", "--step-count", "6"])).toContain(
      "--step-count: 6 was given; accepted with --mode slow: up to 5",
    );
  });

  it("is not shown when it is a secret", async () => {
    const message = await refused(["x"], { SAMPLE_TOKEN: "hunter2" });
    expect(message).toContain("SAMPLE_TOKEN");
    expect(message).not.toContain("hunter2");
  });

  it("is a setting that does not exist: the near one is named", async () => {
    expect(await refused(["x", "--config", file("c.yaml", "stepCount: 1")])).toContain(
      "accepted: step-count",
    );
    expect(await refused(["x", "--step-cont", "1"])).toContain("--step-count");
  });

  it("is a file that is no mapping, is torn, or names a key twice", async () => {
    expect(await refused(["x", "--config", file("c.yaml", "- a\n- b\n")])).toContain("holds a list");
    expect(await refused(["x", "--config", file("c.json", '{"mode": "fast"')])).toContain("c.json");
    expect(await refused(["x", "--config", file("c.yaml", "mode: fast\nmode: slow\n")])).toContain("unique");
  });

  it("is a file that is not there", async () => {
    const { exit, stderr } = await call(["x", "--config", "no/such/file.yaml"]);
    expect(exit).toBe(2);
    expect(stderr).toContain("NB_FILE_UNREADABLE");
  });
});

describe("--print-config", () => {
  it("keeps secrets out", async () => {
    const { stdout } = await call(["x", "--print-config"], { SAMPLE_TOKEN: "hunter2hunter2" });
    expect(stdout).toContain("step-count: 3");
    expect(stdout).not.toContain("hunter2");
  });
});
