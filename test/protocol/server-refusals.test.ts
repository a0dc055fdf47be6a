/** A message that breaks a rule ends its own connection with the rule's code, and changes nothing else on the server. */
import { describe, expect, it } from "vitest";
import { ERRORS, type ErrorCode } from "../../shared/errors.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import type { Message, TensorMessage } from "../../shared/protocol/messages.ts";
import { helloOf, ServerBench } from "./bench.ts";
import { tensor } from "./world.ts";

/** Two clients in the first step; client 0, on connection 10, has sent A1 of micro-batch 0 and was answered. */
function inStep(config: Partial<JobConfig> = {}): ServerBench {
  const bench = new ServerBench(config);
  bench.join(10, "alice");
  bench.join(11, "bob");
  bench.ready(10);
  bench.ready(11);
  bench.tensor(10, "A1", 0);
  if (bench.state.config.split === "u-shape") bench.computed(0, "A2", 0);
  return bench;
}

function a1(bench: ServerBench, microBatch: number, change: Partial<TensorMessage> = {}): TensorMessage {
  return { ...tensor(bench.state.config, 0, { step: 0, attempt: 0 }, microBatch, "A1"), ...change };
}

function expectRefused(
  bench: ServerBench,
  message: Message,
  code: ErrorCode,
  names?: { job: number; client: number },
): void {
  const before = bench.state;
  bench.receive(10, message, names);
  expect(bench.sent(10).at(-1)).toMatchObject({ type: "error", code });
  const closes = bench.effects.filter((e) => e.type === "close");
  expect(closes).toEqual([
    { type: "close", connection: 10, code: (ERRORS[code] as { close: number }).close, reason: code },
  ]);
  expect(bench.state.connections.has(10)).toBe(false);
  expect(bench.effects.filter((e) => e.type === "compute")).toEqual([]);
  expect(bench.state.clients.get(1)).toBe(before.clients.get(1));
  expect(bench.sent(11)).toEqual([]);
  const { clients: _c, connections: _n, ...rest } = bench.state;
  const { clients: _d, connections: _o, ...restBefore } = before;
  expect(rest).toEqual(restBefore);
}

describe("the server refuses", () => {
  const order: ErrorCode = "NB_PROTOCOL_ORDER";
  const invalid: ErrorCode = "NB_TENSOR_INVALID";
  const cases: [string, ErrorCode, (b: ServerBench) => Message][] = [
    ["a micro-batch out of order", order, (b) => a1(b, 2)],
    ["a micro-batch that the step does not have", order, (b) => a1(b, 3)],
    [
      "a gradient of what was not sent",
      order,
      (b) => tensor(b.state.config, 0, { step: 0, attempt: 0 }, 1, "G2"),
    ],
    ["the server's own phases", order, (b) => tensor(b.state.config, 0, { step: 0, attempt: 0 }, 0, "A2")],
    ["a step that was not begun", order, (b) => a1(b, 1, { step: 1 })],
    ["an attempt that was not begun", order, (b) => a1(b, 1, { attempt: 1 })],
    [
      "StepDone before the last micro-batch",
      order,
      () => ({ type: "stepDone", step: 0, attempt: 0, lossSum: 1, supervisedTokens: 1 }),
    ],
    ["a message that is the server's to send", order, () => ({ type: "roundStart", step: 0, attempt: 0 })],
    [
      "adapters in a job that does not average",
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
    [
      "a chunk of adapters in such a job",
      order,
      () => ({ type: "adapterChunk", average: 1, index: 0, data: new Uint8Array(4) }),
    ],
    ["another number of channels", invalid, (b) => a1(b, 1, { channels: 5 })],
    ["another codec", invalid, (b) => a1(b, 1, { codec: 2 })],
    ["a tensor without row lengths", invalid, (b) => a1(b, 1, { lengths: [] })],
    ["too many tokens", invalid, (b) => a1(b, 1, { tokens: 65, lengths: [32, 32, 1] })],
    ["too many rows", invalid, (b) => a1(b, 1, { tokens: 9, lengths: Array(9).fill(1) })],
    ["a row that is too long", invalid, (b) => a1(b, 1, { tokens: 33, lengths: [33] })],
    ["labels, in a U-shape", invalid, (b) => a1(b, 1, { labels: new Uint8Array(6) })],
    [
      "a gradient of another size",
      invalid,
      (b) => ({ ...tensor(b.state.config, 0, { step: 0, attempt: 0 }, 0, "G2"), tokens: 9 }),
    ],
  ];
  it.each(cases)("%s", (_name, code, message) => {
    const bench = inStep();
    expectRefused(bench, message(bench), code);
  });

  it("a message of another job or client", () => {
    const ping: Message = { type: "ping", id: 1 };
    expectRefused(inStep(), ping, "NB_SESSION_MISMATCH", { job: 4, client: 0 });
    expectRefused(inStep(), ping, "NB_SESSION_MISMATCH", { job: 3, client: 1 });
  });

  it("more micro-batches in flight than the job allows", () => {
    const bench = inStep({ inFlight: 2 });
    bench.tensor(10, "A1", 1);
    expectRefused(bench, a1(bench, 2), "NB_PROTOCOL_ORDER");
  });

  it("more supervised tokens than were sent", () => {
    const bench = inStep({ microBatches: 1 });
    bench.tensor(10, "G2", 0);
    bench.computed(0, "G1", 0);
    const sent = a1(bench, 0).tokens;
    const done: Message = { type: "stepDone", step: 0, attempt: 0, lossSum: 1, supervisedTokens: sent + 1 };
    expectRefused(bench, done, "NB_TENSOR_INVALID");
  });

  it("a vanilla tensor whose labels are missing or of another size", () => {
    for (const labels of [undefined, new Uint8Array(3), new Uint8Array(5)]) {
      const bench = inStep({ split: "vanilla" });
      expectRefused(bench, a1(bench, 1, { labels }), "NB_TENSOR_INVALID");
    }
  });

  it("G2 in a vanilla split", () => {
    const bench = inStep({ split: "vanilla" });
    expectRefused(
      bench,
      tensor(bench.state.config, 0, { step: 0, attempt: 0 }, 0, "G2"),
      "NB_PROTOCOL_ORDER",
    );
  });
});

describe("the server refuses at the door", () => {
  function refusal(
    change: Parameters<typeof helloOf>[1],
    after?: (bench: ServerBench) => void,
  ): Message | undefined {
    const bench = new ServerBench({}, { maxClients: 1 });
    after?.(bench);
    bench.connect(20);
    bench.receive(20, helloOf("alice", change));
    if (bench.state.connections.has(20)) bench.do({ type: "authenticated", connection: 20 });
    return bench.sent(20).at(-1);
  }

  const cases: [string, ErrorCode, Parameters<typeof helloOf>[1]][] = [
    ["a client that is too old", "NB_PROTOCOL_VERSION", { protocolMin: 1, protocolMax: 1 }],
    ["a client that is too new", "NB_PROTOCOL_VERSION", { protocolMin: 3, protocolMax: 4 }],
    ["another job's client", "NB_JOB_UNKNOWN", { job: "other" }],
    ["another model", "NB_MODEL_MISMATCH", { modelFingerprint: "m2" }],
    ["another tokenizer", "NB_MODEL_MISMATCH", { tokenizerFingerprint: "t2" }],
    ["a client without the job's codecs", "NB_CODEC_UNSUPPORTED", { codecs: ["f32"] }],
  ];
  it.each(cases)("%s", (_name, code, change) => {
    expect(refusal(change)).toMatchObject({ type: "error", code });
  });

  it("no client that leaves the model open", () => {
    expect(refusal({ modelFingerprint: "", tokenizerFingerprint: "" })).toMatchObject({ type: "welcome" });
  });

  it("a new client of a full job, but not one that it knows", () => {
    const full = (bench: ServerBench): void => void bench.join(10, "bob");
    expect(refusal({}, full)).toMatchObject({ type: "error", code: "NB_JOB_FULL" });
    expect(refusal({ name: "bob", connection: 2 }, full)).toMatchObject({ type: "welcome" });
  });

  it("a bad token, when the driver says so", () => {
    const bench = new ServerBench();
    bench.connect(20);
    const effects = bench.receive(20, helloOf("alice"));
    expect(effects).toContainEqual({ type: "authenticate", connection: 20, token: "secret", name: "alice" });
    bench.do({ type: "refused", connection: 20, code: "NB_AUTH_REFUSED", message: "no" });
    expect(bench.sent(20)).toEqual([{ type: "error", code: "NB_AUTH_REFUSED", message: "no" }]);
    expect([...bench.state.clients]).toEqual([]);
  });

  it("anything before Hello", () => {
    const bench = new ServerBench();
    bench.connect(20);
    bench.receive(20, { type: "ready" });
    expect(bench.sent(20)).toMatchObject([{ type: "error", code: "NB_PROTOCOL_ORDER" }]);
  });

  it("a connection that says nothing for too long", () => {
    const bench = new ServerBench();
    bench.connect(20);
    bench.do({ type: "timer", timer: "hello:20" });
    expect(bench.sent(20)).toMatchObject([{ type: "error", code: "NB_HELLO_DEADLINE" }]);
  });

  it("a connection that is older than the client's newest, and leaves the newest alone", () => {
    const bench = new ServerBench();
    bench.join(21, "alice", { connection: 2 });
    bench.join(20, "alice", { connection: 1 });
    expect(bench.sent(20)).toMatchObject([{ type: "error", code: "NB_CLIENT_REPLACED" }]);
    expect(bench.state.clients.get(0)?.connection).toBe(21);
  });

  it("keeps no token in its state", () => {
    const bench = new ServerBench();
    bench.connect(20);
    bench.receive(20, helloOf("alice"));
    expect(JSON.stringify(bench.state.connections)).not.toContain("secret");
  });
});
