import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readLatestCheckpoint, writeCheckpoint } from "../../shared/train/checkpoint-files.ts";

let directory: string;
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "checkpoints-")), "run");
});
afterEach(() => rm(join(directory, ".."), { recursive: true, force: true }));

function checkpoint(step: number) {
  return {
    kind: "test",
    meta: { step },
    tensors: new Map([["w", { shape: [3], data: Float32Array.of(step, step + 0.5, -step) }]]),
  };
}

/** The step of the checkpoint that is read, and the names of the files passed over. */
async function latest() {
  const { checkpoint: read, broken } = await readLatestCheckpoint(directory, "test");
  return { step: read?.meta.step, broken: broken.map(({ file }) => file.slice(directory.length + 1)) };
}

describe("checkpoints on disk", () => {
  it("are none in a directory that does not exist", async () => {
    expect(await latest()).toEqual({ step: undefined, broken: [] });
  });

  it("are read back, the newest first", async () => {
    await writeCheckpoint(directory, 5, checkpoint(5));
    await writeCheckpoint(directory, 10, checkpoint(10));
    const { checkpoint: read } = await readLatestCheckpoint(directory, "test");
    expect(read).toEqual(checkpoint(10));
  });

  it("are ordered by number, not by how the number is spelt", async () => {
    await writeCheckpoint(directory, 99_999, checkpoint(99_999));
    await writeCheckpoint(directory, 100_000, checkpoint(100_000));
    expect(await latest()).toEqual({ step: 100_000, broken: [] });
  });

  it("are kept two at a time", async () => {
    for (const step of [1, 2, 3, 4]) await writeCheckpoint(directory, step, checkpoint(step));
    expect((await readdir(directory)).sort()).toEqual(["step-000000003.nbck", "step-000000004.nbck"]);
  });

  it("fall back to the one before when the newest is torn, and say which and why", async () => {
    await writeCheckpoint(directory, 1, checkpoint(1));
    const newest = await writeCheckpoint(directory, 2, checkpoint(2));
    await truncate(newest, 40);
    const { checkpoint: read, broken } = await readLatestCheckpoint(directory, "test");
    expect(read).toEqual(checkpoint(1));
    expect(broken).toEqual([{ file: newest, why: expect.stringMatching(/checksum|torn/) }]);
  });

  it("fall back when a bit of the newest has flipped", async () => {
    await writeCheckpoint(directory, 1, checkpoint(1));
    const newest = await writeCheckpoint(directory, 2, checkpoint(2));
    const bytes = await readFile(newest);
    bytes[bytes.length - 12] ^= 4;
    await writeFile(newest, bytes);
    expect(await latest()).toEqual({ step: 1, broken: ["step-000000002.nbck"] });
  });

  it("are none when all are broken", async () => {
    await truncate(await writeCheckpoint(directory, 1, checkpoint(1)), 0);
    await truncate(await writeCheckpoint(directory, 2, checkpoint(2)), 3);
    expect(await latest()).toEqual({
      step: undefined,
      broken: ["step-000000002.nbck", "step-000000001.nbck"],
    });
  });

  it("written after going on from before broken ones outlive those", async () => {
    for (const step of [20, 30]) await truncate(await writeCheckpoint(directory, step, checkpoint(step)), 5);
    await writeCheckpoint(directory, 10, checkpoint(10));
    await writeCheckpoint(directory, 15, checkpoint(15));
    expect((await readdir(directory)).sort()).toEqual(["step-000000010.nbck", "step-000000015.nbck"]);
    expect(await latest()).toEqual({ step: 15, broken: [] });
  });

  it("of another kind stop the reading: another run's directory is not gone on with", async () => {
    await writeCheckpoint(directory, 1, checkpoint(1));
    await expect(readLatestCheckpoint(directory, "other")).rejects.toThrow(
      expect.objectContaining({ code: "NB_CHECKPOINT_MISMATCH" }),
    );
  });

  it("that were being written when the process died are no checkpoints, and go away", async () => {
    await writeCheckpoint(directory, 1, checkpoint(1));
    await writeFile(join(directory, "step-000000002.nbck.tmp"), "half");
    expect(await latest()).toEqual({ step: 1, broken: [] });
    await writeCheckpoint(directory, 3, checkpoint(3));
    expect((await readdir(directory)).sort()).toEqual(["step-000000001.nbck", "step-000000003.nbck"]);
  });

  it("keep other files of the directory", async () => {
    await writeCheckpoint(directory, 1, checkpoint(1));
    await writeFile(join(directory, "notes.txt"), "mine");
    for (const step of [2, 3]) await writeCheckpoint(directory, step, checkpoint(step));
    expect(await readdir(directory)).toContain("notes.txt");
  });
});
