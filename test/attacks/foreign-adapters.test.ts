/**
 * Adapters of other names than the job's, uploaded before anybody else's. Expected: NB_ADAPTER_MISMATCH for who sent them, however early, and for
 * nobody else; the others are averaged.
 */
import { afterEach, describe, expect, it } from "vitest";
import { wsConnector } from "../../client/connection.ts";
import { narrowband } from "../../proto/generated/wire.js";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import { adapterOutline } from "../../shared/protocol/adapters.ts";
import { xxh32 } from "../../shared/protocol/checksum.ts";
import { encodeFrame, parseFrame } from "../../shared/protocol/frame.ts";
import type { AdapterBeginMessage, Message } from "../../shared/protocol/messages.ts";
import type { Connector } from "../../shared/protocol/transport.ts";
import { socketClient, TINY } from "../server/harness.ts";
import { attacked, cleanUp } from "../server/raw-peer.ts";
import { TinyBottom, TinyTop } from "../server/tiny-segments.ts";

afterEach(cleanUp);

const CONFIG = { ...TINY, aggregation: "fedavg" as const, averageEvery: 2, steps: 4 };
const { hidden } = CONFIG.model;
const OUTLINE = adapterOutline(
  new Map(
    [...new TinyBottom(hidden).adapters(), ...new TinyTop(hidden).adapters()].map(([name, { shape }]) => [
      name,
      shape,
    ]),
  ),
);

/** A connector whose client's messages may be put off and altered on their way; their order stays. */
function altered(url: string, alter: (message: Message) => Message | Promise<Message>) {
  const ledger = new ByteLedger();
  const inner = wsConnector({ url, ledger });
  const connect: Connector = async () => {
    const socket = await inner();
    const send = socket.send.bind(socket);
    let last: Promise<void> | undefined;
    socket.send = (bytes) => {
      const frame = parseFrame(bytes, 1e8);
      const message = alter(frame.message);
      if (message instanceof Promise || last !== undefined) {
        const before = last;
        const passOn = async (): Promise<void> => {
          const given = await message;
          await before;
          send(encodeFrame({ ...frame, message: given }));
        };
        last = passOn();
      } else send(encodeFrame({ ...frame, message }));
    };
    return socket;
  };
  return { connect, ledger };
}

/** The same upload under other names. */
function renamed(message: AdapterBeginMessage): AdapterBeginMessage {
  const { tensors } = narrowband.AdapterManifest.decode(message.manifest);
  const others = tensors.map(({ name, shape }) => ({ name: `${name}.x`, shape }));
  const manifest = narrowband.AdapterManifest.encode({ tensors: others }).finish();
  return { ...message, manifest, manifestDigest: xxh32(manifest) };
}

describe("adapters of other names than the job's", () => {
  it.each([
    ["under their own digest", renamed],
    [
      "under the digest of the right ones",
      (m: AdapterBeginMessage) => ({ ...renamed(m), manifestDigest: OUTLINE.digest }),
    ],
  ])("%s are their sender's fault, though they come first", async (_name, forge) => {
    const { ws, job } = await attacked(
      {},
      { config: CONFIG, policy: { minClients: 3 }, job: { adapters: OUTLINE } },
    );
    let sent: () => void = () => {};
    const badIsFirst = new Promise<void>((resolve) => {
      sent = resolve;
    });
    const patient = altered(ws, (message) =>
      message.type === "adapterBegin" ? badIsFirst.then(() => message) : message,
    );
    const patientToo = altered(ws, (message) =>
      message.type === "adapterBegin" ? badIsFirst.then(() => message) : message,
    );
    const hasty = altered(ws, (message) => {
      if (message.type !== "adapterBegin") return message;
      // Only when the server has answered it are the others let through.
      setTimeout(sent, 100);
      return forge(message);
    });
    const honest = [patient, patientToo].map((rest, index) => socketClient(index, ws, CONFIG, rest));
    const bad = socketClient(2, ws, CONFIG, hasty);
    const [a, b, outcome] = await Promise.all([...honest, bad].map(({ edge }) => edge.run()));
    expect([a.reason, b.reason]).toEqual(["completed", "completed"]);
    expect(outcome).toMatchObject({ reason: "failed", code: "NB_ADAPTER_MISMATCH" });
    expect(job.status().averages).toBe(2);
  });
});
