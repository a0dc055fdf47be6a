/** A client whose connection drops comes back, or says why it does not. */
import { afterEach, describe, expect, it } from "vitest";
import { Backoff } from "../../client/backoff.ts";
import { webSocketUrl } from "../../client/connection.ts";
import type { ClientProgress } from "../../shared/protocol/client-state.ts";
import type { ServerProgress } from "../../shared/protocol/server-state.ts";
import type { FrameSocket } from "../../shared/protocol/transport.ts";
import { inProcess, listening, socketClient, TINY, tinyClient, tinyJob } from "../server/harness.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe("waiting before connecting again", () => {
  it("is random between nothing and a bound that doubles up to a cap, and ends", () => {
    const options = { baseMs: 1_000, capMs: 60_000, attempts: 9 };
    const bounds = (random: number): (number | undefined)[] => {
      const backoff = new Backoff(options, () => random);
      return Array.from({ length: 9 }, () => backoff.next());
    };
    expect(bounds(0)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, undefined]);
    const half = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, undefined];
    expect(bounds(0.5)).toEqual(half);
  });

  it("begins anew after a success", () => {
    const backoff = new Backoff({ baseMs: 1_000, capMs: 60_000, attempts: 3 }, () => 1);
    expect([backoff.next(), backoff.next(), backoff.next()]).toEqual([1_000, 2_000, undefined]);
    backoff.reset();
    expect(backoff.next()).toBe(1_000);
  });
});

describe("a client", () => {
  it("whose connection drops in the middle of a step takes part again from the next", async () => {
    const config = { ...TINY, steps: 6 };
    const events: ServerProgress[] = [];
    const { job, trunk } = tinyJob(config, {}, { onProgress: (progress) => events.push(progress) });
    const steady = tinyClient(0, inProcess(job), config);
    const sockets: FrameSocket[] = [];
    const flaky = tinyClient(
      1,
      async () => {
        const socket = await inProcess(job)();
        sockets.push(socket);
        return socket;
      },
      config,
      {
        onProgress: (progress) => {
          // Cut in the middle of step 2: the step has begun, and its first messages are on their way.
          if (progress.type === "stepStarted" && progress.key.step === 2) {
            queueMicrotask(() => queueMicrotask(() => sockets[0].close(1006, "")));
          }
        },
      },
    );
    const outcomes = await Promise.all([steady.edge.run(), flaky.edge.run()]);
    expect(outcomes.map((o) => o.reason)).toEqual(["completed", "completed"]);
    expect(sockets).toHaveLength(2);
    const abandoned = events.filter((e) => e.type === "stepAbandoned");
    expect(abandoned).toMatchObject([
      { client: 1, key: { step: 2, attempt: 0 }, code: "NB_STEP_INTERRUPTED" },
    ]);
    const taken = (client: number): number =>
      events.filter((e) => e.type === "committed" && e.group.members.some((m) => m.client === client)).length;
    expect(taken(0)).toBe(6);
    expect([steady.bottom.steps, flaky.bottom.steps]).toEqual([6, taken(1)]);
    expect(taken(1)).toBeLessThan(6);
    for (const part of [trunk, steady.bottom, flaky.bottom]) expect(part.held).toBe(0);
  });

  it("leaves nothing of an abandoned step in the gradients or the codecs of those that go on", async () => {
    const codecs = { A1: "amaq:8-3@4", A2: "amaq:8-3@4", G2: "fixed:4", G1: "fixed:4" };
    const config = { ...TINY, steps: 4, codecs };
    // Alone from the start, against alone after another client was cut in its first step.
    const calm = tinyJob(config, { minClients: 1 });
    const alone = tinyClient(0, inProcess(calm.job), config);
    await alone.edge.run();
    const cut = tinyJob(config, { minClients: 2 });
    let socket: FrameSocket | undefined;
    const leaver = tinyClient(
      1,
      async () => {
        socket = await inProcess(cut.job)();
        return socket;
      },
      config,
      {
        backoff: { baseMs: 1, capMs: 1, attempts: 1 },
        onProgress: (progress: ClientProgress) => {
          if (progress.type !== "stepStarted") return;
          let turns = 40;
          const later = (): void => {
            if (turns-- > 0) queueMicrotask(later);
            else socket!.close(1006, "");
          };
          later();
        },
      },
    );
    const left = tinyClient(0, inProcess(cut.job), config);
    const [outcome, gone] = await Promise.all([left.edge.run(), leaver.edge.run()]);
    expect([outcome.reason, gone.code]).toEqual(["completed", "NB_CONNECTION_LOST"]);
    expect(cut.job.status().clients).toHaveLength(2);
    expect([...cut.trunk.scale]).toEqual([...calm.trunk.scale]);
    expect([...left.bottom.scale]).toEqual([...alone.bottom.scale]);
    expect([...left.top.scale]).toEqual([...alone.top.scale]);
  });

  it("whose connection breaks again and again without a step gives up, though it is let in each time", async () => {
    const { job } = tinyJob({}, { minClients: 1 });
    let connections = 0;
    const { edge } = tinyClient(0, async () => {
      connections++;
      const socket = await inProcess(job)();
      const send = socket.send.bind(socket);
      // A proxy that alters every tensor.
      socket.send = (bytes) => {
        if (bytes.length > 300) bytes[bytes.length - 1] ^= 1;
        send(bytes);
      };
      return socket;
    });
    expect(await edge.run()).toMatchObject({ reason: "failed", code: "NB_CONNECTION_LOST" });
    expect(connections).toBe(5);
  });

  it("gives up with a name for it when the server stays away", async () => {
    const { edge } = socketClient(0, "ws://127.0.0.1:1", TINY, {
      backoff: { baseMs: 1, capMs: 2, attempts: 3 },
    });
    expect(await edge.run()).toMatchObject({ reason: "failed", code: "NB_CONNECTION_LOST" });
  });

  it("is told when the server stops, and ends with that", async () => {
    const { server, ws } = await listening();
    cleanups.push(() => server.close());
    const { job } = tinyJob({ steps: 1_000 }, { minClients: 1 });
    server.addJob(job);
    const steps: number[] = [];
    const { edge } = socketClient(0, ws, TINY, {
      onStep: ({ commit }) => {
        steps.push(commit.step);
        if (commit.step === 3) void job.stop();
      },
    });
    expect(await edge.run()).toMatchObject({ reason: "stopped", code: "NB_JOB_STOPPED" });
    expect(steps.length).toBeLessThan(10);
  });

  it("that is stopped says goodbye, and the others go on", async () => {
    const events: ServerProgress[] = [];
    const { job } = tinyJob({ steps: 8 }, {}, { onProgress: (progress) => events.push(progress) });
    const leaver = tinyClient(0, inProcess(job), TINY, {
      onStep: ({ commit }) => {
        if (commit.step === 2) leaver.edge.stop();
      },
    });
    const stayer = tinyClient(1, inProcess(job));
    const outcomes = await Promise.all([leaver.edge.run(), stayer.edge.run()]);
    expect(outcomes.map((o) => o.reason)).toEqual(["stopped", "completed"]);
    expect(events.filter((e) => e.type === "left")[0]).toMatchObject({
      client: 0,
      why: expect.stringMatching(/^goodbye/),
    });
    expect(stayer.bottom.steps).toBe(8);
  });

  it("that brings batches larger than the job takes is told which limit they break", async () => {
    const { job } = tinyJob({ maxTokens: 4 }, { minClients: 1 });
    const { edge } = tinyClient(0, inProcess(job));
    const outcome = await edge.run();
    expect(outcome.code).toBe("NB_CONFIG_INVALID");
    expect(outcome.message).toContain("maxTokens is 4");
  });

  it.each(["http://host", "host:1", "ws//host", ""])("does not take %j for a server's address", (url) => {
    expect(() => webSocketUrl(url)).toThrowError(expect.objectContaining({ code: "NB_CONFIG_INVALID" }));
  });
});
