/** Checkpoints and redo log: what is found again after a crash, after damage, and when there is no room. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkpointName, Journal, segmentName } from "../../shared/job/journal.ts";
import type { Storage } from "../../shared/job/storage.ts";
import { DirectoryStorage } from "../../shared/job/storage-node.ts";
import type { Checkpoint } from "../../shared/train/checkpoint.ts";
import { MemoryStorage } from "./memory-storage.ts";

const KIND = "test";

function checkpoint(number: number): Checkpoint {
  const data = Float32Array.of(number, 1, 2);
  return { kind: KIND, meta: { number }, tensors: new Map([["x", { shape: [3], data }]]) };
}

/** A run with checkpoints 0 to `last`, and two records after each: "n.0" and "n.1". */
async function written(storage: Storage, last: number): Promise<void> {
  const journal = await Journal.begin(storage);
  for (let number = 0; number <= last; number++) {
    journal.rotate(checkpoint(number));
    for (const i of [0, 1]) journal.append(`${number}.${i}`);
  }
  await journal.close();
}

async function found(storage: Storage) {
  const left = await Journal.resume(storage, KIND);
  return { number: left?.checkpoint.meta.number, records: left?.records, notes: left?.notes };
}

describe("a journal", () => {
  it("gives back the newest checkpoint and what came after it, from memory and from a directory", async () => {
    const directory = mkdtempSync(join(tmpdir(), "narrowband-journal-"));
    try {
      for (const storage of [new MemoryStorage(), new DirectoryStorage(join(directory, "run"))]) {
        expect(await Journal.resume(storage, KIND)).toBeUndefined();
        await written(storage, 3);
        expect(await found(storage)).toEqual({ number: 3, records: ["3.0", "3.1"], notes: [] });
      }
      const kept = [checkpointName(2), checkpointName(3), segmentName(2), segmentName(3)];
      expect(readdirSync(join(directory, "run")).sort()).toEqual(kept);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("goes on where it was left, again and again", async () => {
    const storage = new MemoryStorage();
    await written(storage, 1);
    for (let i = 0; i < 3; i++) {
      const left = await Journal.resume(storage, KIND);
      left!.journal.append(`again ${i}`);
      await left!.journal.close();
    }
    const records = ["1.0", "1.1", "again 0", "again 1", "again 2"];
    expect(await found(storage)).toEqual({ number: 1, records, notes: [] });
  });

  it("leaves out a torn end, says so, and writes on over it", async () => {
    const storage = new MemoryStorage();
    await written(storage, 1);
    storage.cut(segmentName(1), 2);
    const left = (await Journal.resume(storage, KIND))!;
    expect(left.records).toEqual(["1.0"]);
    expect(left.notes).toEqual([expect.stringContaining(`${segmentName(1)}: `)]);
    left.journal.append("after");
    await left.journal.close();
    expect(await found(storage)).toEqual({ number: 1, records: ["1.0", "after"], notes: [] });
  });

  it("takes the checkpoint before one that is altered, and the longer log, and keeps those", async () => {
    const storage = new MemoryStorage();
    await written(storage, 3);
    storage.damage(checkpointName(3), 20);
    const left = (await Journal.resume(storage, KIND))!;
    expect(left.checkpoint.meta.number).toBe(2);
    expect(left.records).toEqual(["2.0", "2.1", "3.0", "3.1"]);
    expect(left.notes).toEqual([
      expect.stringMatching(/checkpoint-000000003\.nbck is passed over.*checksum/),
    ]);
    left.journal.rotate(checkpoint(4));
    await left.journal.close();
    expect([...storage.files.keys()].filter((name) => name.endsWith(".nbck")).sort()).toEqual([
      checkpointName(2),
      checkpointName(4),
    ]);
    expect(await found(storage)).toMatchObject({ number: 4, records: [] });
    storage.damage(checkpointName(4), 20);
    expect(await found(storage)).toMatchObject({ number: 2, records: ["2.0", "2.1", "3.0", "3.1"] });
  });

  const damages: [string, string, (storage: MemoryStorage) => void][] = [
    [
      "two altered checkpoints",
      "NB_CHECKPOINT_INVALID",
      (s) => {
        for (const number of [2, 3]) s.damage(checkpointName(number), 20);
      },
    ],
    [
      "damage in a segment that others follow",
      "NB_LOG_INVALID",
      (s) => {
        s.damage(checkpointName(3), 20);
        s.damage(segmentName(2), 9);
      },
    ],
    [
      "a segment that is missing",
      "NB_LOG_INVALID",
      (s) => {
        s.damage(checkpointName(3), 20);
        s.files.delete(segmentName(2));
      },
    ],
  ];
  it.each(damages)("does not guess over %s", async (_name, code, damage) => {
    const storage = new MemoryStorage();
    await written(storage, 3);
    damage(storage);
    await expect(Journal.resume(storage, KIND)).rejects.toMatchObject({ code });
  });

  it("refuses the checkpoint of something else", async () => {
    const storage = new MemoryStorage();
    await written(storage, 0);
    await expect(Journal.resume(storage, "other")).rejects.toMatchObject({ code: "NB_CHECKPOINT_MISMATCH" });
  });

  it("says when there is no room, once, and leaves what was there", async () => {
    for (const room of [0, 10, 100]) {
      const storage = new MemoryStorage();
      await written(storage, 2);
      const left = (await Journal.resume(storage, KIND))!;
      const failures: string[] = [];
      left.journal.events = { synced: () => {}, failed: ({ code }) => failures.push(code) };
      storage.room = room;
      left.journal.rotate(checkpoint(3));
      for (let i = 0; i < 100; i++) left.journal.append("x".repeat(100));
      await expect(left.journal.close()).rejects.toMatchObject({ code: "NB_STORAGE_FULL" });
      expect(failures).toEqual(["NB_STORAGE_FULL"]);
      storage.room = Number.POSITIVE_INFINITY;
      expect(await found(storage)).toMatchObject({ number: 2 });
      expect((await found(storage)).records?.slice(0, 2)).toEqual(["2.0", "2.1"]);
    }
  });
});
