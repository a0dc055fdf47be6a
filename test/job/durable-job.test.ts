/** A job and a client that are kept on storage: what they do when it fails, and when it holds something else. */
import { describe, expect, it } from "vitest";
import { Job } from "../../server/job.ts";
import type { Storage } from "../../shared/job/storage.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import { POLICY } from "../protocol/world.ts";
import { inProcess, TINY, tinyClient } from "../server/harness.ts";
import { TinyTrunk } from "../server/tiny-segments.ts";
import { MemoryStorage } from "./memory-storage.ts";

const CONFIG: JobConfig = { ...TINY, steps: 6, stepDeadlineMs: 0 };

async function open(storage: Storage, resume: boolean, config = CONFIG) {
  const trunk = new TinyTrunk(config.model.hidden);
  const policy = { ...POLICY, minClients: 1, rejoinGraceMs: 60_000 };
  const journal = { storage, resume, every: 2 };
  const job = await Job.open({ name: "demo", number: 1, config, policy, trunk }, journal);
  return { job, trunk };
}

describe("a job that is kept", () => {
  it("ends with a name for it when storage is full, and goes on when there is room", async () => {
    const calm = await open(new MemoryStorage(), false);
    const alone = tinyClient(0, inProcess(calm.job), CONFIG);
    await alone.edge.run();
    await calm.job.close();

    const storage = new MemoryStorage();
    const first = await open(storage, false);
    let job = first.job;
    const client = tinyClient(0, async () => inProcess(job)(), CONFIG, {
      backoff: { baseMs: 20, capMs: 50, attempts: 100 },
      onStep: ({ commit }) => {
        if (commit.step === 2) storage.room = 500;
      },
    });
    const ended = client.edge.run();
    expect(await first.job.done).toMatchObject({ reason: "failed", code: "NB_STORAGE_FULL" });
    await expect(first.job.close()).rejects.toMatchObject({ code: "NB_STORAGE_FULL" });

    storage.room = Number.POSITIVE_INFINITY;
    const second = await open(storage, true);
    job = second.job;
    expect((await ended).reason).toBe("completed");
    await second.job.close();
    expect([...second.trunk.scale]).toEqual([...calm.trunk.scale]);
    expect([...client.bottom.scale]).toEqual([...alone.bottom.scale]);
  });

  it("is not gone on with under other settings, nor when it is completed", async () => {
    const storage = new MemoryStorage();
    const { job } = await open(storage, false);
    await tinyClient(0, inProcess(job), CONFIG).edge.run();
    await job.done;
    while (job.attended) await new Promise((resolve) => setTimeout(resolve, 5));
    await job.close();
    await expect(open(storage, true)).rejects.toMatchObject({ code: "NB_CONFIG_INVALID" });
    for (const change of [{ seed: 8 }, { heartbeatMs: 2_000 }]) {
      const refused = open(storage, true, { ...CONFIG, ...change });
      await expect(refused).rejects.toMatchObject({ code: "NB_CHECKPOINT_MISMATCH" });
    }
    await expect(open(new MemoryStorage(), true)).rejects.toMatchObject({ code: "NB_FILE_UNREADABLE" });
  });
});

describe("a client that is kept", () => {
  it("ends with a name for it when storage is full, before it promises what it cannot keep", async () => {
    const { job } = await open(new MemoryStorage(), false);
    const storage = new MemoryStorage();
    const heard: number[] = [];
    const start = (resume: boolean) =>
      tinyClient(0, inProcess(job), CONFIG, {
        journal: { storage, resume, every: 2 },
        onStep: ({ commit }) => {
          heard.push(commit.step);
          if (commit.step === 2 && !resume) storage.room = 100;
        },
      });
    const first = await start(false).edge.run();
    expect(first).toMatchObject({ reason: "failed", code: "NB_STORAGE_FULL" });
    storage.room = Number.POSITIVE_INFINITY;
    expect((await start(true).edge.run()).reason).toBe("completed");
    expect(heard).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("is not gone on with under another name, and stays completed when it is", async () => {
    const { job } = await open(new MemoryStorage(), false);
    const journal = { storage: new MemoryStorage(), every: 2 };
    await tinyClient(0, inProcess(job), CONFIG, { journal: { ...journal, resume: false } }).edge.run();
    const connect = () => expect.fail("nothing is to be asked");
    const other = tinyClient(1, connect, CONFIG, { journal: { ...journal, resume: true } });
    expect(await other.edge.run()).toMatchObject({ reason: "failed", code: "NB_CHECKPOINT_MISMATCH" });
    const again = tinyClient(0, connect, CONFIG, { journal: { ...journal, resume: true } });
    expect((await again.edge.run()).reason).toBe("completed");
    expect(again.edge.stepsTaken).toBe(6);
  });
});
