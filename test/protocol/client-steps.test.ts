/** How a client takes its steps: what it asks for, what it keeps when its connection drops, and what it refuses. */
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../../shared/errors.ts";
import { WorkStatus } from "../../shared/protocol/client-state.ts";
import { PROTOCOL_VERSION } from "../../shared/protocol/limits.ts";
import { type Message, NOTHING_TO_RESUME } from "../../shared/protocol/messages.ts";
import { ClientBench, COMMIT, FIRST } from "./bench.ts";
import { tensor } from "./world.ts";

function inStep(config = {}): ClientBench {
  const bench = new ClientBench(config);
  bench.join();
  bench.receive({ type: "roundStart", ...FIRST });
  return bench;
}

describe("a client", () => {
  it("introduces itself, loads what the job needs, and says that it is ready", () => {
    const bench = new ClientBench();
    bench.do({ type: "opened" });
    expect(bench.sent()).toMatchObject([
      { type: "hello", job: "demo", name: "c0", connection: 1, token: "" },
    ]);
    bench.welcome();
    expect(bench.requests()).toEqual(["build"]);
    expect(bench.sent()).toEqual([]);
    bench.do({ type: "computed", result: { kind: "build" } });
    expect(bench.sent()).toEqual([{ type: "ready" }]);
  });

  it("keeps as many micro-batches in flight as the job allows", () => {
    const bench = inStep({ inFlight: 2 });
    expect(bench.requests()).toEqual(["bottom", "bottom"]);
    bench.bottom(0);
    bench.bottom(1);
    expect(bench.sent()).toMatchObject([{ phase: "A1", microBatch: 1 }]);
    bench.tensor("A2", 0);
    expect(bench.requests()).toEqual(["top"]);
    bench.top(0);
    bench.tensor("G1", 0);
    expect(bench.requests()).toEqual(["backward"]);
    bench.backward(0);
    expect(bench.requests()).toEqual(["bottom"]);
  });

  it("adds up its loss and says so when the last micro-batch is through", () => {
    const bench = new ClientBench();
    bench.join();
    bench.step();
    expect(bench.sent()).toEqual([
      { type: "stepDone", step: 0, attempt: 0, lossSum: 3, supervisedTokens: 6 },
    ]);
  });

  it("takes the loss from the server in a vanilla split", () => {
    const bench = inStep({ split: "vanilla", microBatches: 1 });
    bench.bottom(0);
    bench.tensor("G1", 0);
    bench.backward(0);
    expect(bench.sent()).toEqual([
      { type: "stepDone", step: 0, attempt: 0, lossSum: 1.5, supervisedTokens: 2 },
    ]);
  });

  it("applies a committed step once, and begins the next after that", () => {
    const bench = new ClientBench();
    bench.join();
    bench.step();
    bench.receive({ ...COMMIT, ...FIRST });
    expect(bench.requests()).toEqual(["apply"]);
    bench.receive({ ...COMMIT, ...FIRST });
    expect(bench.requests()).toEqual([]);
    bench.receive({ type: "roundStart", step: 1, attempt: 0 });
    expect(bench.requests()).toEqual([]);
    bench.do({ type: "computed", result: { kind: "apply", key: FIRST } });
    expect(bench.requests()).toEqual(["bottom", "bottom"]);
  });

  it("keeps a step whose connection drops, and goes on where the server stands", () => {
    const bench = inStep();
    bench.bottom(0);
    bench.tensor("A2", 0);
    bench.do({ type: "closed", code: 1006 });
    expect(bench.effects.map((e) => e.type)).not.toContain("discard");
    expect(bench.effects).toContainEqual({ type: "connect" });
    // It goes on computing meanwhile, and sends nothing.
    bench.top(0);
    bench.bottom(1);
    expect(bench.sent()).toEqual([]);
    bench.do({ type: "opened" });
    const counts = { open: true, prepared: false, step: 0, attempt: 0, a1: 2, a2: 1, g2: 1, g1: 0 };
    expect(bench.sent()).toMatchObject([{ type: "hello", connection: 2, resume: counts }]);
    bench.welcome(true, { open: true, a1: 1, a2: 1 });
    expect(bench.sent()).toMatchObject([
      { phase: "A1", microBatch: 1 },
      { phase: "G2", microBatch: 0 },
    ]);
  });

  it("drops a step when it hears that the server has", () => {
    const bench = inStep();
    bench.bottom(0);
    bench.do({ type: "closed", code: 1006 });
    bench.do({ type: "opened" });
    bench.welcome(true);
    expect(bench.sent()).toEqual([]);
    bench.receive({ type: "abandon", ...FIRST, code: "NB_STEP_INTERRUPTED", message: "" });
    expect(bench.effects).toContainEqual({ type: "discard", key: FIRST });
    expect(bench.sent()).toEqual([{ type: "ready" }]);
    // What was being computed for that step goes nowhere.
    bench.bottom(1);
    expect(bench.sent()).toEqual([]);
  });

  it("keeps a prepared step over connections until it hears what became of it", () => {
    for (const answer of ["commit", "abandon"] as const) {
      const bench = new ClientBench();
      bench.join();
      bench.step();
      bench.do({ type: "closed", code: 1006 });
      expect(bench.state.work).toBe(WorkStatus.PREPARED);
      bench.do({ type: "opened" });
      expect(bench.sent()).toMatchObject([{ resume: { prepared: true, step: 0, attempt: 0 } }]);
      bench.welcome(true);
      expect(bench.sent()).toEqual([]);
      if (answer === "commit") {
        bench.receive({ ...COMMIT, ...FIRST });
        expect(bench.requests()).toEqual(["apply"]);
        bench.do({ type: "computed", result: { kind: "apply", key: FIRST } });
      } else {
        bench.receive({ type: "abandon", ...FIRST, code: "NB_STEP_INTERRUPTED", message: "" });
        expect(bench.effects).toContainEqual({ type: "discard", key: FIRST });
      }
      expect(bench.sent()).toEqual([{ type: "ready" }]);
    }
  });

  it("uploads its adapters after the steps that the job averages after, and waits for the average", () => {
    const bench = new ClientBench({ aggregation: "fedavg", averageEvery: 1 });
    bench.join();
    bench.step();
    bench.receive({ ...COMMIT, ...FIRST });
    bench.do({ type: "computed", result: { kind: "apply", key: FIRST } });
    expect(bench.effects).toContainEqual({ type: "sendAdapters", average: 1 });
    const begin = {
      type: "adapterBegin",
      average: 1,
      manifestDigest: 1,
      totalBytes: 4,
      chunkBytes: 4,
    } as const;
    bench.receive({ ...begin, manifest: new Uint8Array(0) });
    bench.receive({ type: "adapterChunk", average: 1, index: 0, data: new Uint8Array(4) });
    expect(bench.requests()).toEqual(["loadAverage"]);
    bench.receive({ type: "roundStart", step: 1, attempt: 0 });
    expect(bench.requests()).toEqual([]);
    bench.do({ type: "computed", result: { kind: "loadAverage", average: 1 } });
    expect(bench.requests()).toEqual(["bottom", "bottom"]);
    expect(bench.state.averaged).toBe(1);
  });

  it("ends with the job, after applying what is committed", () => {
    const bench = new ClientBench();
    bench.join();
    bench.step();
    bench.receive({ ...COMMIT, ...FIRST });
    bench.receive({ type: "goodbye", reason: "completed", code: "", message: "done", retryAfterMs: 0 });
    expect(bench.state.work).toBe(WorkStatus.APPLYING);
    bench.do({ type: "computed", result: { kind: "apply", key: FIRST } });
    expect(bench.state.work).toBe(WorkStatus.ENDED);
    expect(bench.effects).toContainEqual({ type: "close", code: 1000, reason: "" });
  });

  it("that is stopped leaves at once, but waits for the outcome of a prepared step", () => {
    const leaving = inStep();
    leaving.do({ type: "stop" });
    expect(leaving.sent()).toMatchObject([{ type: "goodbye", reason: "stopped" }]);
    const prepared = new ClientBench();
    prepared.join();
    prepared.step();
    prepared.do({ type: "stop" });
    expect(prepared.state.work).toBe(WorkStatus.PREPARED);
    prepared.receive({ ...COMMIT, ...FIRST });
    prepared.do({ type: "computed", result: { kind: "apply", key: FIRST } });
    expect(prepared.state.work).toBe(WorkStatus.ENDED);
  });

  it("says when it ends without knowing whether its step counted", () => {
    const bench = new ClientBench();
    bench.join();
    bench.step();
    bench.do({ type: "closed", code: 1006 });
    bench.do({ type: "gaveUp", code: "NB_CONNECTION_LOST", message: "12 attempts failed" });
    expect(bench.state.ending).toMatchObject({ code: "NB_CONNECTION_LOST" });
    expect(bench.state.ending?.message).toContain("whether step 0 counted is not known");
  });

  const closes: [string, number, boolean][] = [
    ["a dropped connection", 1006, true],
    ["a server that goes away", 1001, true],
    ["an altered frame", 4401, true],
    ["a silent peer", 4418, true],
    ["a bad token", 4411, false],
    ["a rule that it broke", 4403, false],
    ["another connection that took its place", 4416, false],
    ["a frame that is too large", 1009, false],
  ];
  it.each(closes)("after %s (close code %i) connects again: %s", (_name, code, again) => {
    const bench = new ClientBench();
    bench.join();
    bench.do({ type: "closed", code });
    expect(bench.effects.some((e) => e.type === "connect")).toBe(again);
    expect(bench.state.work === WorkStatus.ENDED).toBe(!again);
  });

  it("believes the server's error message over the close code", () => {
    const bench = new ClientBench();
    bench.do({ type: "opened" });
    bench.receive({ type: "error", code: "NB_JOB_FULL", message: "full" }, { job: 0, client: 0 });
    bench.do({ type: "closed", code: 1006 });
    expect(bench.state.ending).toMatchObject({ reason: "failed", code: "NB_JOB_FULL", message: "full" });
  });

  it("notices a server that is silent", () => {
    const bench = new ClientBench();
    bench.join();
    for (let i = 0; i < 2; i++) bench.do({ type: "timer", timer: "heartbeat" });
    expect(bench.sent()).toEqual([{ type: "ping", id: 1 }]);
    bench.do({ type: "timer", timer: "heartbeat" });
    expect(bench.sent()).toMatchObject([{ type: "error", code: "NB_PEER_SILENT" }]);
    expect(bench.effects).toContainEqual({ type: "connect" });
  });
});

describe("a client refuses", () => {
  const order: ErrorCode = "NB_PROTOCOL_ORDER";
  const invalid: ErrorCode = "NB_TENSOR_INVALID";
  const cases: [string, ErrorCode, (b: ClientBench) => Message][] = [
    ["an answer to what it has not sent", order, (b) => tensor(b.config, 0, FIRST, 1, "A2")],
    ["a gradient of what it has not sent", order, (b) => tensor(b.config, 0, FIRST, 0, "G1")],
    ["its own phases", order, (b) => tensor(b.config, 0, FIRST, 0, "A1")],
    ["a tensor of another step", order, (b) => tensor(b.config, 0, { step: 1, attempt: 0 }, 0, "A2")],
    ["another step while one is open", order, () => ({ type: "roundStart", step: 1, attempt: 0 })],
    ["the commit of a step that is not prepared", order, () => ({ ...COMMIT, ...FIRST })],
    [
      "an average in the middle of a step",
      order,
      () => ({
        type: "adapterBegin",
        average: 1,
        manifestDigest: 1,
        totalBytes: 4,
        chunkBytes: 4,
        manifest: new Uint8Array(0),
      }),
    ],
    ["a message that is its own to send", order, () => ({ type: "ready" })],
    ["another number of channels", invalid, (b) => ({ ...tensor(b.config, 0, FIRST, 0, "A2"), channels: 5 })],
    ["another codec", invalid, (b) => ({ ...tensor(b.config, 0, FIRST, 0, "A2"), codec: 2 })],
    ["another number of tokens", invalid, (b) => ({ ...tensor(b.config, 0, FIRST, 0, "A2"), tokens: 9 })],
  ];
  it.each(cases)("%s", (_name, code, message) => {
    const bench = inStep();
    bench.bottom(0);
    bench.receive(message(bench));
    expect(bench.sent()).toMatchObject([{ type: "error", code }]);
    expect(bench.requests()).toEqual([]);
    expect(bench.state.work).toBe(WorkStatus.ENDED);
    expect(bench.state.ending).toMatchObject({ reason: "failed", code });
  });

  it("a message of another job", () => {
    const bench = inStep();
    bench.receive({ type: "ping", id: 1 }, { job: 4, client: 0 });
    expect(bench.sent()).toMatchObject([{ type: "error", code: "NB_SESSION_MISMATCH" }]);
  });

  it("a job whose settings have changed since it joined", () => {
    const bench = new ClientBench();
    bench.join();
    bench.do({ type: "closed", code: 1006 });
    bench.do({ type: "opened" });
    const config = { ...bench.config, steps: 99 };
    const welcome = {
      type: "welcome",
      protocol: PROTOCOL_VERSION,
      resumed: false,
      job: 3,
      client: 0,
    } as const;
    bench.receive({ ...welcome, config, resume: NOTHING_TO_RESUME });
    expect(bench.sent()).toMatchObject([{ type: "error", code: "NB_SESSION_MISMATCH" }]);
  });
});
