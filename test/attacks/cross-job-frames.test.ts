/**
 * A client of one job that writes another's number, or another client's, into its messages. Expected: NB_SESSION_MISMATCH, and neither
 * job nor client notices.
 */
import { afterEach, describe, expect, it } from "vitest";
import { tensor } from "../protocol/world.ts";
import { TINY, tinyJob } from "../server/harness.ts";
import { attacked, cleanUp, expectJobCompletes, expectRefused, RawPeer } from "../server/raw-peer.ts";

afterEach(cleanUp);

describe("a message of another session", () => {
  it.each([
    ["another job that exists", { job: 2, client: 0 }],
    ["a job that does not exist", { job: 99, client: 0 }],
    ["no job", { job: 0, client: 0 }],
    ["another client that exists", { job: 1, client: 1 }],
    ["a client that does not exist", { job: 1, client: 4_000_000_000 }],
  ])("%s ends its connection, and no other", async (_, names) => {
    const { server, job, ws } = await attacked({}, { policy: { minClients: 3 } });
    const other = tinyJob({}, { minClients: 2 }, { name: "other", number: 2 });
    server.addJob(other.job);
    const bystander = new RawPeer(ws);
    const attacker = new RawPeer(ws);
    await attacker.join({ name: "attacker" });
    await bystander.join({ name: "bystander", process: "bystander-process-0001" });
    const elsewhere = new RawPeer(ws);
    await elsewhere.join({ name: "elsewhere", job: "other", process: "elsewhere-process-0001" });
    await attacker.send(tensor(TINY, names.client, { step: 0, attempt: 0 }, 0, "A1"), names);
    await expectRefused(attacker, "NB_SESSION_MISMATCH");
    for (const peer of [bystander, elsewhere]) expect(peer.ws.readyState).toBe(peer.ws.OPEN);
    expect(job.status().clients).toMatchObject([{ connected: false }, { connected: true }]);
    expect(other.job.status().clients).toMatchObject([{ connected: true }]);
    expect(other.trunk.steps).toBe(0);
  });

  it("does not stop the job", async () => {
    const { ws } = await attacked();
    const attacker = new RawPeer(ws);
    await attacker.join();
    await attacker.send({ type: "ready" }, { job: 7, client: 7 });
    await expectRefused(attacker, "NB_SESSION_MISMATCH");
    await expectJobCompletes(ws);
  });
});
