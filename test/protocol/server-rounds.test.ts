/** How the server runs rounds: who takes part, when a step commits, who is left out and why. */
import { describe, expect, it } from "vitest";
import type { Message } from "../../shared/protocol/messages.ts";
import { NOTHING_TO_RESUME } from "../../shared/protocol/messages.ts";
import type { CommitGroup, ServerEffect } from "../../shared/protocol/server-state.ts";
import { ServerBench } from "./bench.ts";

/** Of a client that has sent StepDone for step 0. */
const PREPARED = { ...NOTHING_TO_RESUME, open: true, prepared: true, a1: 3, a2: 3, g2: 3, g1: 3 };

function commitOf(effects: readonly ServerEffect[]): CommitGroup | undefined {
  for (const e of effects) if (e.type === "compute" && e.request.kind === "commit") return e.request.group;
  return undefined;
}

function started(bench: ServerBench): string[] {
  return bench.effects.flatMap((e) =>
    e.type === "send" && e.frame.message.type === "roundStart"
      ? [`${e.connection}: ${e.frame.message.step}.${e.frame.message.attempt}`]
      : [],
  );
}

function two(config = {}, policy = {}): ServerBench {
  const bench = new ServerBench(config, policy);
  bench.join(10, "alice");
  bench.join(11, "bob");
  bench.ready(10);
  bench.ready(11);
  return bench;
}

describe("a sync round", () => {
  it("begins when the job has the clients that it waits for, not before", () => {
    const bench = new ServerBench();
    bench.join(10, "alice");
    bench.ready(10);
    expect(started(bench)).toEqual([]);
    bench.join(11, "bob");
    expect(started(bench)).toEqual([]);
    bench.ready(11);
    expect(started(bench)).toEqual(["10: 0.0", "11: 0.0"]);
  });

  it("commits once, with all gradients, when the last client is done", () => {
    const bench = two();
    bench.step(10);
    expect(commitOf(bench.effects)).toBeUndefined();
    bench.step(11);
    const group = commitOf(bench.effects);
    expect(group?.trunkStep).toBe(0);
    expect(group?.members.map((m) => [m.client, m.supervisedTokens, m.staleness])).toEqual([
      [0, 2, 0],
      [1, 2, 0],
    ]);
    bench.commit(0);
    const expected = {
      type: "commit",
      step: 0,
      attempt: 0,
      trunkStep: 0,
      participants: 2,
      supervisedTokens: 4,
    };
    expect(bench.sent(10)[0]).toMatchObject(expected);
    expect(started(bench)).toEqual(["10: 1.0", "11: 1.0"]);
    // A commit that is reported again has no effect.
    expect(bench.commit(0).filter((e) => e.type === "send")).toEqual([]);
  });

  it("goes on without a client that drops, which takes part again from the next round", () => {
    const bench = two();
    bench.tensor(10, "A1", 0);
    bench.do({ type: "closed", connection: 10 });
    expect(bench.effects).toContainEqual({ type: "discard", client: 0, key: { step: 0, attempt: 0 } });
    bench.join(12, "alice", { connection: 2 });
    bench.ready(12);
    expect(started(bench)).toEqual([]);
    bench.step(11);
    expect(commitOf(bench.effects)?.members.map((m) => m.client)).toEqual([1]);
    bench.commit(0);
    expect(started(bench)).toEqual(["12: 1.0", "11: 1.0"]);
  });

  it("counts a client that drops after StepDone, and tells it when it returns", () => {
    const bench = two();
    bench.step(10);
    bench.do({ type: "closed", connection: 10 });
    bench.step(11);
    expect(commitOf(bench.effects)?.members.map((m) => m.client)).toEqual([0, 1]);
    bench.commit(0);
    bench.join(12, "alice", { connection: 2, resume: PREPARED });
    expect(bench.sent(12).map((m) => m.type)).toEqual(["welcome", "commit"]);
  });

  it("leaves a returning client's step open while it is, and answers when it is not", () => {
    const bench = two();
    bench.step(10);
    bench.do({ type: "closed", connection: 10 });
    bench.join(12, "alice", { connection: 2, resume: PREPARED });
    expect(bench.sent(12).map((m) => m.type)).toEqual(["welcome"]);
    bench.step(11);
    bench.commit(0);
    expect(bench.sent(12).map((m) => m.type)).toEqual(["commit", "roundStart"]);
  });

  it("tells a returning client that its step was abandoned if StepDone did not arrive", () => {
    const bench = two();
    bench.do({ type: "closed", connection: 10 });
    bench.join(12, "alice", { connection: 2, resume: PREPARED });
    expect(bench.sent(12)[1]).toMatchObject({
      type: "abandon",
      step: 0,
      attempt: 0,
      code: "NB_STEP_INTERRUPTED",
    });
  });

  it("does not tell another process of the client about a step that it never saw", () => {
    const bench = two();
    bench.step(10);
    bench.do({ type: "closed", connection: 10 });
    bench.join(12, "alice", { process: "another-process-0001" });
    bench.step(11);
    bench.commit(0);
    expect(bench.sent(12)).toEqual([]);
    bench.ready(12);
    expect(bench.state.clients.get(0)).toMatchObject({ ready: true, status: 0 });
  });

  it("is tried again under a new attempt number when everybody dropped", () => {
    const bench = two();
    for (const connection of [10, 11]) bench.do({ type: "closed", connection });
    expect(bench.effects.some((e) => e.type === "startTimer" && e.timer === "absent")).toBe(true);
    bench.join(12, "bob", { connection: 2 });
    bench.ready(12);
    expect(started(bench)).toEqual(["12: 0.1"]);
    expect(bench.effects).toContainEqual({ type: "stopTimer", timer: "absent" });
  });

  it("leaves out who is not done by the deadline, and shuts out who never is", () => {
    const bench = two();
    for (let step = 0; step < 3; step++) {
      bench.step(11, { step, attempt: 0 });
      bench.do({ type: "timer", timer: "round" });
      expect(bench.sent(10)[0]).toMatchObject({ type: "abandon", step, code: "NB_STEP_DEADLINE" });
      expect(commitOf(bench.effects)?.members.map((m) => m.client)).toEqual([1]);
      if (step === 2) expect(bench.sent(10)[1]).toMatchObject({ type: "error", code: "NB_STEP_REFUSED" });
      bench.commit(step);
    }
    bench.join(12, "alice", { connection: 2 });
    expect(bench.sent(12)).toMatchObject([{ type: "error", code: "NB_STEP_REFUSED" }]);
  });

  it("does not count with fewer clients than the quorum", () => {
    const bench = two({}, { quorum: 2 });
    bench.step(11);
    bench.do({ type: "closed", connection: 10 });
    expect(commitOf(bench.effects)).toBeUndefined();
    expect(bench.sent(11)).toMatchObject([{ type: "abandon", code: "NB_QUORUM_LOST" }]);
  });

  it("takes late messages of an abandoned step for what they are", () => {
    const bench = two();
    bench.tensor(10, "A1", 0);
    bench.do({ type: "timer", timer: "round" });
    expect(started(bench)).toEqual(["10: 0.1", "11: 0.1"]);
    bench.tensor(10, "A1", 1);
    expect(bench.effects).toEqual([
      { type: "notify", progress: { type: "ignored", client: 0, message: "tensor" } },
    ]);
    // An answer that was being computed for the abandoned step goes nowhere.
    expect(bench.computed(0, "A2", 0)).toEqual([]);
  });

  it("fails a client's step when its tensor cannot be used, and ends its connection when it cannot be read", () => {
    const bench = two();
    bench.tensor(10, "A1", 0);
    const request = bench.effects.flatMap((e) => (e.type === "compute" ? [e.request] : []))[0];
    bench.do({ type: "computeFailed", request, code: "NB_TENSOR_NOT_FINITE", message: "NaN" });
    expect(bench.sent(10)).toMatchObject([{ type: "abandon", code: "NB_TENSOR_NOT_FINITE" }]);
    bench.tensor(11, "A1", 0);
    const other = bench.effects.flatMap((e) => (e.type === "compute" ? [e.request] : []))[0];
    bench.do({ type: "computeFailed", request: other, code: "NB_CODEC_BODY_INVALID", message: "short" });
    expect(bench.sent(11)).toMatchObject([{ type: "error", code: "NB_CODEC_BODY_INVALID" }]);
  });

  it("ends the job when its optimizer step fails, and tells those who were in it", () => {
    const bench = two();
    bench.step(10);
    bench.step(11);
    const request = bench.effects.flatMap((e) => (e.type === "compute" ? [e.request] : []))[0];
    bench.do({ type: "computeFailed", request, code: "NB_ENGINE_UNAVAILABLE", message: "gone" });
    expect(bench.sent(10).map((m) => m.type)).toEqual(["abandon", "goodbye"]);
    expect(bench.state.outcome).toMatchObject({ reason: "failed", code: "NB_ENGINE_UNAVAILABLE" });
  });
});

describe("a sequential job", () => {
  const config = { mode: "sequential", microBatches: 1 } as const;

  it("commits each client's step when it arrives, and records how stale it is", () => {
    const bench = two(config);
    bench.step(11);
    expect(commitOf(bench.effects)).toMatchObject({ trunkStep: 0, members: [{ client: 1, staleness: 0 }] });
    bench.commit(0);
    expect(started(bench)).toEqual(["11: 1.0"]);
    bench.step(11, { step: 1, attempt: 0 });
    bench.commit(1);
    bench.step(10);
    // Alice began when the trunk had taken no step, and two were taken meanwhile.
    expect(commitOf(bench.effects)).toMatchObject({ trunkStep: 2, members: [{ client: 0, staleness: 2 }] });
  });

  it("ends when every client has taken its steps", () => {
    const bench = two({ ...config, steps: 1 });
    bench.step(10);
    bench.commit(0);
    expect(bench.state.outcome).toBeUndefined();
    bench.step(11);
    bench.commit(1);
    expect(bench.state.outcome?.reason).toBe("completed");
    expect(bench.sent(10)).toMatchObject([{ type: "goodbye", reason: "completed" }]);
  });

  it("waits a while for a client that is away, then ends without it", () => {
    const bench = two({ ...config, steps: 1 });
    bench.do({ type: "closed", connection: 10 });
    bench.step(11);
    bench.commit(0);
    expect(bench.state.waiting).toBe(true);
    bench.do({ type: "timer", timer: "absent" });
    expect(bench.state.outcome?.reason).toBe("completed");
  });
});

describe("averaging", () => {
  const config = { aggregation: "fedavg", averageEvery: 1, microBatches: 1 } as const;
  const begin: Message = {
    type: "adapterBegin",
    average: 1,
    manifestDigest: 9,
    totalBytes: 12,
    chunkBytes: 8,
    manifest: new Uint8Array(0),
  };
  const chunk = (index: number, bytes: number): Message => {
    return { type: "adapterChunk", average: 1, index, data: new Uint8Array(bytes) };
  };

  function committed(): ServerBench {
    const bench = two(config);
    bench.step(10);
    bench.step(11);
    bench.commit(0);
    return bench;
  }

  it("waits for everybody's adapters, weighs them by supervised tokens, and sends all the average before the next round", () => {
    const bench = committed();
    expect(started(bench)).toEqual([]);
    for (const connection of [10, 11]) {
      bench.receive(connection, begin);
      bench.receive(connection, chunk(0, 8));
      bench.receive(connection, chunk(1, 4));
    }
    const members = [0, 1].map((client) => ({ client, weight: 2 }));
    expect(bench.effects).toContainEqual({
      type: "compute",
      request: { kind: "average", average: 1, members },
    });
    bench.do({ type: "computed", result: { kind: "average", average: 1 } });
    const order = bench.effects
      .filter((e) => e.type === "sendAverage" || e.type === "send")
      .map((e) => e.type);
    expect(order).toEqual(["sendAverage", "sendAverage", "send", "send"]);
    expect(started(bench)).toEqual(["10: 1.0", "11: 1.0"]);
  });

  it("goes on without a client whose adapters do not come in time, which still gets the average", () => {
    const bench = committed();
    bench.receive(11, begin);
    bench.receive(11, chunk(0, 8));
    bench.receive(11, chunk(1, 4));
    bench.do({ type: "timer", timer: "upload:0" });
    expect(bench.effects).toContainEqual({
      type: "compute",
      request: { kind: "average", average: 1, members: [{ client: 1, weight: 2 }] },
    });
    bench.do({ type: "computed", result: { kind: "average", average: 1 } });
    expect(bench.effects).toContainEqual({ type: "sendAverage", connection: 10, client: 0 });
    bench.receive(10, begin);
    expect(bench.progress()).toEqual([{ type: "ignored", client: 0, message: "adapterBegin" }]);
  });

  it("gives a client that joins later the newest average", () => {
    const bench = committed();
    for (const connection of [10, 11]) {
      bench.receive(connection, begin);
      bench.receive(connection, chunk(0, 8));
      bench.receive(connection, chunk(1, 4));
    }
    bench.do({ type: "computed", result: { kind: "average", average: 1 } });
    bench.join(12, "carol");
    bench.ready(12);
    expect(bench.effects).toContainEqual({ type: "sendAverage", connection: 12, client: 2 });
  });

  const bad: [string, string, Message[]][] = [
    ["a chunk out of order", "NB_PROTOCOL_ORDER", [begin, chunk(1, 4)]],
    ["a chunk of another size", "NB_PROTOCOL_ORDER", [begin, chunk(0, 4)]],
    ["an average that is not next", "NB_PROTOCOL_ORDER", [{ ...begin, average: 2 } as Message]],
  ];
  it.each(bad)("refuses %s", (_name, code, messages) => {
    const bench = committed();
    for (const message of messages) bench.receive(10, message);
    expect(bench.sent(10)).toMatchObject([{ type: "error", code }]);
  });

  it("refuses adapters that are not like the others'", () => {
    const bench = committed();
    bench.receive(10, begin);
    bench.receive(11, { ...begin, manifestDigest: 8 } as Message);
    expect(bench.sent(11)).toMatchObject([{ type: "error", code: "NB_ADAPTER_MISMATCH" }]);
  });
});

describe("a job", () => {
  it("ends with a name for it when too few clients are left for too long", () => {
    const bench = two();
    for (const connection of [10, 11]) bench.do({ type: "closed", connection });
    bench.do({ type: "timer", timer: "absent" });
    expect(bench.state.outcome).toMatchObject({ reason: "failed", code: "NB_QUORUM_LOST" });
  });

  it("that is stopped finishes the open round, then says goodbye", () => {
    const bench = two();
    bench.step(10);
    bench.do({ type: "stop" });
    expect(bench.state.phase).toBe(1);
    bench.step(11);
    bench.commit(0);
    expect(bench.sent(10)).toMatchObject([
      { type: "commit" },
      { type: "goodbye", reason: "stopped", code: "NB_JOB_STOPPED" },
    ]);
  });

  it("that is stopped does not wait for ever", () => {
    const bench = two();
    bench.step(10);
    bench.do({ type: "stop" });
    bench.do({ type: "timer", timer: "stop" });
    expect(bench.sent(10).map((m) => m.type)).toEqual(["abandon", "goodbye"]);
    expect(bench.sent(11).map((m) => m.type)).toEqual(["abandon", "goodbye"]);
  });

  it("that has ended says so to who comes back", () => {
    const bench = two({ steps: 1 });
    bench.step(10);
    bench.do({ type: "closed", connection: 10 });
    bench.step(11);
    bench.commit(0);
    bench.join(12, "alice", { connection: 2, resume: PREPARED });
    expect(bench.sent(12).map((m) => m.type)).toEqual(["welcome", "commit"]);
    bench.ready(12);
    expect(bench.sent(12).map((m) => m.type)).toEqual(["goodbye"]);
    bench.join(13, "carol");
    expect(bench.sent(13).map((m) => m.type)).toEqual(["welcome", "goodbye"]);
  });

  it("notices a connection that is dead without a word, and not one that answers", () => {
    const bench = two();
    bench.do({ type: "timer", timer: "heartbeat:10" });
    bench.do({ type: "timer", timer: "heartbeat:10" });
    expect(bench.sent(10)).toMatchObject([{ type: "ping" }]);
    bench.receive(10, { type: "pong", id: 1 });
    bench.do({ type: "timer", timer: "heartbeat:10" });
    expect(bench.sent(10)).toEqual([]);
    bench.do({ type: "timer", timer: "heartbeat:10" });
    expect(bench.sent(10)).toMatchObject([{ type: "ping" }]);
    bench.do({ type: "timer", timer: "heartbeat:10" });
    expect(bench.sent(10)).toMatchObject([{ type: "error", code: "NB_PEER_SILENT" }]);
  });
});
