/**
 * A client that was let in and sends what spoils a model: NaN, infinities, absurd norms, wrong shapes. Expected: its step is refused with its reason, it
 * is shut out after repeats, and everybody else's adapters are, bit for bit, those of a run that it had no part in.
 */
import { afterEach, describe, expect, it } from "vitest";
import { wsConnector } from "../../client/connection.ts";
import type { ErrorCode } from "../../shared/errors.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import { encodeFrame, parseFrame } from "../../shared/protocol/frame.ts";
import type { TensorMessage } from "../../shared/protocol/messages.ts";
import type { ServerProgress } from "../../shared/protocol/server-state.ts";
import type { Connector } from "../../shared/protocol/transport.ts";
import { tensor } from "../protocol/world.ts";
import { socketClient, TINY } from "../server/harness.ts";
import { attacked, cleanUp, expectRefused, HELLO, RawPeer } from "../server/raw-peer.ts";

afterEach(cleanUp);

/** f32 both ways, so that any number can be sent. */
const CONFIG = { ...TINY, codecs: { A1: "f32", A2: "f32", G2: "f32", G1: "f32" }, steps: 5 };

type Change = (message: TensorMessage) => TensorMessage;

/** A connector whose client's tensors are changed on their way. */
function tampering(url: string, change: Change): { connect: Connector; ledger: ByteLedger } {
  const ledger = new ByteLedger();
  const inner = wsConnector({ url, ledger });
  const connect: Connector = async () => {
    const socket = await inner();
    const send = socket.send.bind(socket);
    socket.send = (bytes) => {
      const frame = parseFrame(bytes, 1e8);
      const { message } = frame;
      send(message.type === "tensor" ? encodeFrame({ ...frame, message: change(message) }) : bytes);
    };
    return socket;
  };
  return { connect, ledger };
}

/** Replaces every element of a phase. */
function filled(phase: "A1" | "G2", value: number): Change {
  return (message) => {
    if (message.phase !== phase) return message;
    const payload = new Uint8Array(message.payload.length);
    const view = new DataView(payload.buffer);
    for (let at = 0; at + 4 <= payload.length; at += 4) view.setFloat32(at, value, true);
    return { ...message, payload };
  };
}

interface Result {
  readonly trunk: Float32Array;
  readonly clients: readonly Float32Array[];
}

/** Two honest clients, and perhaps a bad one, take a job to its end. */
async function run(
  change?: Change,
): Promise<Result & { progress: ServerProgress[]; outcome?: { code: string } }> {
  const progress: ServerProgress[] = [];
  const { ws, trunk } = await attacked(
    {},
    {
      config: CONFIG,
      policy: { minClients: change === undefined ? 2 : 3, maxFailedSteps: 3 },
      job: { onProgress: (event) => progress.push(event) },
    },
  );
  const honest = [0, 1].map((index) => socketClient(index, ws, CONFIG));
  const runs = honest.map(({ edge }) => edge.run());
  // The bad one joins last, so that the others have the same places in both runs.
  while (progress.filter(({ type }) => type === "ready").length < 2)
    await new Promise((resolve) => setTimeout(resolve, 2));
  let outcome: { code: string } | undefined;
  if (change !== undefined) outcome = await socketClient(2, ws, CONFIG, tampering(ws, change)).edge.run();
  expect((await Promise.all(runs)).map(({ reason }) => reason)).toEqual(["completed", "completed"]);
  const clients = honest.flatMap(({ bottom, top }) => [bottom.scale, top.scale]);
  return { trunk: trunk.scale, clients, progress, outcome };
}

/** The run that the bad client had no part in; it is the same each time. */
let calm: ReturnType<typeof run> | undefined;
function calmRun(): ReturnType<typeof run> {
  calm ??= run();
  return calm;
}

const STEP_REFUSED: [string, Change, ErrorCode][] = [
  ["gradients whose sum overflows", filled("G2", 3e38), "NB_TENSOR_NOT_FINITE"],
  ["gradients of an absurd norm", filled("G2", 1e8), "NB_GRADIENT_REFUSED"],
];

/** What breaks a rule of the wire ends the connection at once. */
const CONNECTION_REFUSED: [string, Change, ErrorCode][] = [
  ["infinity as activations", filled("A1", Number.NEGATIVE_INFINITY), "NB_CODEC_BODY_INVALID"],
  ["NaN as activations", filled("A1", Number.NaN), "NB_CODEC_BODY_INVALID"],
  ["infinity as gradients", filled("G2", Number.POSITIVE_INFINITY), "NB_CODEC_BODY_INVALID"],
  ["NaN as gradients", filled("G2", Number.NaN), "NB_CODEC_BODY_INVALID"],
  ["too few bytes", (m) => ({ ...m, payload: m.payload.slice(4) }), "NB_CODEC_BODY_INVALID"],
  [
    "too many bytes",
    (m) => ({ ...m, payload: new Uint8Array(m.payload.length + 4) }),
    "NB_CODEC_BODY_INVALID",
  ],
  ["channels of another model", (m) => ({ ...m, channels: m.channels + 1 }), "NB_TENSOR_INVALID"],
  ["another codec", (m) => ({ ...m, codec: 2 }), "NB_TENSOR_INVALID"],
];

describe("a bad client", () => {
  it.each(STEP_REFUSED)(
    "that sends %s changes nothing for the others, and is shut out",
    async (_, change, code) => {
      const calm = await calmRun();
      const { progress, outcome, ...attackedRun } = await run(change);
      expect(attackedRun.trunk).toEqual(calm.trunk);
      expect(attackedRun.clients).toEqual(calm.clients);
      const abandoned = progress.filter((event) => event.type === "stepAbandoned");
      expect(abandoned.length).toBe(3);
      for (const event of abandoned) expect(event).toMatchObject({ client: 2, code });
      expect(outcome?.code).toBe("NB_STEP_REFUSED");
    },
  );

  it.each(CONNECTION_REFUSED)(
    "that sends %s loses its connection, and the others nothing",
    async (_, change, code) => {
      const calm = await calmRun();
      const { outcome, trunk, clients } = await run(change);
      expect(outcome?.code).toBe(code);
      expect(trunk).toEqual(calm.trunk);
      expect(clients).toEqual(calm.clients);
    },
  );

  it("that breaks rules and comes back again and again is shut out", async () => {
    const { ws } = await attacked({}, { policy: { minClients: 2, maxFailedSteps: 3 } });
    const names = { job: 1, client: 0 };
    for (let connection = 1; connection <= 3; connection++) {
      const peer = new RawPeer(ws);
      await peer.join({ connection });
      await peer.send(tensor(TINY, 0, { step: 9, attempt: 0 }, 0, "A1"), names);
      await expectRefused(peer, "NB_PROTOCOL_ORDER");
    }
    const last = new RawPeer(ws);
    await last.send({ ...HELLO, connection: 4 });
    await expectRefused(last, "NB_STEP_REFUSED");
  });
});
