/** Two processes with one --out: the second is told of the first, and one that is gone stands in nobody's way. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LOCK_FILE, lockDirectory } from "../../experiments/runner/directory-lock.ts";
import { run } from "../command/helpers.ts";
import { failure, temporaryDirectory } from "../model/helpers.ts";

/** No process has this id: Linux gives ids below 2^22. */
const GONE = 2 ** 30;

describe("a directory of runs", () => {
  it("belongs to one process until that gives it back", () => {
    const directory = join(temporaryDirectory(), "runs");
    const unlock = lockDirectory(directory);
    expect(readFileSync(join(directory, LOCK_FILE), "utf8")).toBe(`${process.pid}\n`);
    unlock();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("is refused while another process is at work in it, which is named with the file to remove", async () => {
    const directory = temporaryDirectory();
    const lock = join(directory, LOCK_FILE);
    writeFileSync(lock, `${process.ppid}\n`);
    const message = await failure("NB_CONFIG_INVALID", () => lockDirectory(directory));
    expect(message).toContain(`process ${process.ppid} makes runs in ${directory}`);
    expect(message).toContain(`remove ${lock}`);
    expect(readFileSync(lock, "utf8")).toBe(`${process.ppid}\n`);
  });

  it.each([
    ["of a process that is gone", `${GONE}\n`],
    ["of an earlier process with this one's id", `${process.pid}\n`],
    ["that says nothing", "?"],
  ])("is taken from a file %s", (_, text) => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, LOCK_FILE), text);
    const unlock = lockDirectory(directory);
    expect(readFileSync(join(directory, LOCK_FILE), "utf8")).toBe(`${process.pid}\n`);
    unlock();
  });
});

it("narrowband experiment run makes nothing in another's directory, and lists it all the same", async () => {
  const directory = temporaryDirectory();
  const file = join(directory, "e.yaml");
  const arm = "{ name: a, activations: f16, gradients: f16 }";
  writeFileSync(file, `name: e\nmodels: [models/base-6m]\nseeds: 1\ntasks: [moby-dick]\narms: [${arm}]\n`);
  const out = join(directory, "out");
  const unlock = lockDirectory(out);
  writeFileSync(join(out, LOCK_FILE), `${process.ppid}\n`);
  const refused = await run(["experiment", "run", file, "--out", out]);
  expect([refused.exit, refused.stderr]).toEqual([2, expect.stringContaining(`process ${process.ppid}`)]);
  expect(existsSync(join(out, "cells"))).toBe(false);
  const listed = await run(["experiment", "run", file, "--out", out, "--list"]);
  expect([listed.exit, listed.stdout]).toEqual([0, expect.stringContaining("missing")]);
  unlock();
});
