/**
 * Links that someone put into a folder of checkpoints, or beside a file that is about to be written. Expected: nothing is read or written through
 * them; the file they lead to stays as it was.
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeJson } from "../../shared/model/files-node.ts";
import type { Checkpoint } from "../../shared/train/checkpoint.ts";
import { readLatestCheckpoint, writeCheckpoint } from "../../shared/train/checkpoint-files.ts";
import { temporaryDirectory } from "../model/helpers.ts";

function checkpoint(value: number): Checkpoint {
  const tensors = new Map([["w", { shape: [1], data: Float32Array.of(value) }]]);
  return { kind: "client", meta: { step: value }, tensors };
}

function folder(): { directory: string; victim: string } {
  const root = temporaryDirectory();
  const directory = join(root, "checkpoints");
  mkdirSync(directory);
  const victim = join(root, "victim.txt");
  writeFileSync(victim, "precious");
  return { directory, victim };
}

const name = (step: number): string => `step-${String(step).padStart(9, "0")}.nbck`;

describe("a link in a folder of checkpoints", () => {
  it("in place of the temporary file is not written through", async () => {
    const { directory, victim } = folder();
    symlinkSync(victim, join(directory, `${name(3)}.tmp`));
    await writeCheckpoint(directory, 3, checkpoint(3));
    expect(readFileSync(victim, "utf8")).toBe("precious");
    expect((await readLatestCheckpoint(directory, "client")).checkpoint?.meta).toEqual({ step: 3 });
  });

  it("in place of the checkpoint is replaced, not written through", async () => {
    const { directory, victim } = folder();
    symlinkSync(victim, join(directory, name(3)));
    await writeCheckpoint(directory, 3, checkpoint(3));
    expect(readFileSync(victim, "utf8")).toBe("precious");
    expect(lstatSync(join(directory, name(3))).isFile()).toBe(true);
  });

  it("to a checkpoint elsewhere is not taken for the newest", async () => {
    const { directory } = folder();
    const elsewhere = temporaryDirectory();
    await writeCheckpoint(elsewhere, 9, checkpoint(9));
    await writeCheckpoint(directory, 3, checkpoint(3));
    symlinkSync(join(elsewhere, name(9)), join(directory, name(9)));
    expect((await readLatestCheckpoint(directory, "client")).checkpoint?.meta).toEqual({ step: 3 });
  });

  it("to a device, or a directory of that name, neither blocks nor breaks reading", async () => {
    const { directory } = folder();
    await writeCheckpoint(directory, 3, checkpoint(3));
    symlinkSync("/dev/zero", join(directory, name(8)));
    mkdirSync(join(directory, name(9)));
    expect((await readLatestCheckpoint(directory, "client")).checkpoint?.meta).toEqual({ step: 3 });
  });

  it("is not followed when old checkpoints are removed", async () => {
    const { directory, victim } = folder();
    symlinkSync(victim, join(directory, name(1)));
    for (const step of [2, 3, 4]) await writeCheckpoint(directory, step, checkpoint(step));
    expect(readFileSync(victim, "utf8")).toBe("precious");
    expect(readdirSync(directory)).toEqual(expect.arrayContaining([name(3), name(4)]));
  });
});

describe("a link beside a file that is written", () => {
  it("is not written through", async () => {
    const { directory, victim } = folder();
    const path = join(directory, "adapter_config.json");
    symlinkSync(victim, `${path}.tmp-${process.pid}`);
    await writeJson(path, { r: 8 });
    expect(readFileSync(victim, "utf8")).toBe("precious");
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ r: 8 });
  });
});
