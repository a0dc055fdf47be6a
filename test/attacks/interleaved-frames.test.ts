/**
 * Messages in an order that no client could have: before their turn, twice over, woven into one another. Expected: NB_PROTOCOL_ORDER (or 1002 below
 * our messages), no half-applied step, and a trunk that ends as without the attacker.
 */
import { afterEach, describe, expect, it } from "vitest";
import { encodeFrame } from "../../shared/protocol/frame.ts";
import type { Message } from "../../shared/protocol/messages.ts";
import { tensor } from "../protocol/world.ts";
import { socketClient, TINY } from "../server/harness.ts";
import { attacked, cleanUp, expectRefused, HELLO, RawPeer } from "../server/raw-peer.ts";
import { closeCodeOf, rawFrame, rawUpgrade } from "../server/raw-socket.ts";

afterEach(cleanUp);

const FIRST = { step: 0, attempt: 0 };
const a1 = (microBatch: number, key = FIRST): Message => tensor(TINY, 0, key, microBatch, "A1");
const g2 = (microBatch: number, key = FIRST): Message => tensor(TINY, 0, key, microBatch, "G2");
const done: Message = { type: "stepDone", ...FIRST, lossSum: 1, supervisedTokens: 1 };

const ORDERS: [string, Message[]][] = [
  ["G2 before its A1", [g2(0)]],
  ["the second micro-batch first", [a1(1)]],
  ["more micro-batches than may be under way", Array.from({ length: TINY.inFlight + 1 }, (_, m) => a1(m))],
  ["a micro-batch beyond the step", [a1(TINY.microBatches)]],
  ["G2 before A2 came", [a1(0), g2(0)]],
  ["StepDone at once", [done]],
  ["StepDone after half of the step", [a1(0), done]],
  ["a step that has not begun", [a1(0, { step: 5, attempt: 0 })]],
  ["two steps woven into one another", [a1(0), a1(0, { step: 1, attempt: 0 })]],
  ["an attempt that has not begun", [a1(0, { step: 0, attempt: 9 })]],
  ["what only a server sends", [{ type: "roundStart", ...FIRST }]],
  [
    "adapters in a job that averages none",
    [
      {
        type: "adapterBegin",
        average: 1,
        manifestDigest: 1,
        totalBytes: 4,
        chunkBytes: 4,
        manifest: new Uint8Array(0),
      },
    ],
  ],
];

async function calmTrunk(): Promise<Float32Array> {
  const { ws, trunk } = await attacked();
  await socketClient(0, ws).edge.run();
  return trunk.scale;
}

describe("messages out of order", () => {
  it.each(ORDERS)("%s end the connection and leave no trace", async (_, messages) => {
    const expected = await calmTrunk();
    const { ws, trunk } = await attacked();
    const peer = new RawPeer(ws);
    const names = await peer.join();
    await peer.until("roundStart");
    for (const message of messages) await peer.send(message, names);
    const { code } = await peer.closed;
    expect(peer.received.at(-1)).toMatchObject({ type: "error", code: "NB_PROTOCOL_ORDER" });
    expect(code).toBe(4403);
    expect((await socketClient(0, ws).edge.run()).reason).toBe("completed");
    expect(trunk.scale).toEqual(expected);
    expect(trunk.held).toBe(0);
  });

  it("Ready, A1 or Ping before Welcome are refused", async () => {
    const { ws } = await attacked();
    for (const message of [{ type: "ready" }, a1(0), { type: "ping", id: 1 }] as Message[]) {
      const peer = new RawPeer(ws);
      await peer.send(message);
      await expectRefused(peer, "NB_PROTOCOL_ORDER");
    }
  });

  it("a message begun inside another is no WebSocket", async () => {
    const { port } = await attacked();
    const { socket, ended } = await rawUpgrade(port);
    const hello = encodeFrame({ job: 0, client: 0, message: HELLO });
    socket.write(rawFrame(hello.subarray(0, 10), { fin: false }));
    socket.write(rawFrame(hello));
    expect(closeCodeOf(await ended)).toBe(1002);
  });

  it.each([
    ["an unmasked frame", { masked: false }],
    ["a continuation of nothing", { opcode: 0 }],
    ["an unknown opcode", { opcode: 5 }],
    ["a ping in parts", { opcode: 9, fin: false }],
  ])("%s is no WebSocket", async (_, options) => {
    const { port } = await attacked();
    const { socket, ended } = await rawUpgrade(port);
    socket.write(rawFrame(new Uint8Array(10), options));
    expect(closeCodeOf(await ended)).toBe(1002);
  });
});
