/**
 * A client that stops reading. Expected: the server holds a bounded amount for it (a watermark, one frame, what the step protocol lets be under
 * way), cuts it after --slow-reader, and the others' job goes on meanwhile.
 */

import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import { FrameChannel } from "../../shared/protocol/frame-channel.ts";
import { MAX_FRAME_BYTES, SEND_HIGH_WATER_BYTES } from "../../shared/protocol/limits.ts";
import type { AdapterChunkMessage, Frame } from "../../shared/protocol/messages.ts";
import { WsSocket } from "../../shared/protocol/ws-socket-node.ts";
import { attacked, cleanUp, expectJobCompletes, onCleanUp, RawPeer } from "../server/raw-peer.ts";

afterEach(cleanUp);

const CHUNK = 256 * 1024;

function chunk(index: number): Frame {
  const message: AdapterChunkMessage = {
    type: "adapterChunk",
    average: 1,
    index,
    data: new Uint8Array(CHUNK),
  };
  return { job: 1, client: 0, message };
}

/** A real socket whose sending end is ours, and a peer that has stopped reading. */
async function stopped(stallMs?: number) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  onCleanUp(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const stalls: number[] = [];
  const closes: number[] = [];
  const opened = new Promise<{ channel: FrameChannel; socket: Socket }>((resolve) => {
    server.once("connection", (ws, request) => {
      const { socket } = request;
      const handshake = { sent: socket.bytesWritten, received: socket.bytesRead };
      const ledger = new ByteLedger();
      const onStalled = () => stalls.push(performance.now());
      const wsSocket = new WsSocket({ ws, socket, ledger, sends: "down", handshake, stallMs, onStalled });
      const channel = new FrameChannel(wsSocket, ledger, "down", MAX_FRAME_BYTES, {
        frame: () => {},
        refused: () => {},
        closed: (code) => closes.push(code),
      });
      resolve({ channel, socket });
    });
  });
  const peer = new RawPeer(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const { channel, socket } = await opened;
  await peer.opened;
  peer.ws.pause();
  return { channel, socket, peer, stalls, closes };
}

describe("a client that does not read", () => {
  it("makes the server hold a watermark and one frame, however much there is to send", async () => {
    const { channel, peer, socket } = await stopped();
    let made = 0;
    const count = 150;
    channel.sendAll(
      (function* () {
        for (; made < count; made++) yield chunk(made);
      })(),
    );
    let held = 0;
    for (let i = 0; i < 20; i++) {
      held = Math.max(held, socket.writableLength);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(held).toBeLessThanOrEqual(SEND_HIGH_WATER_BYTES + 2 * CHUNK);
    // The kernel's own buffers take some megabytes besides.
    expect(made).toBeLessThan(count);
    peer.ws.resume();
    while (peer.received.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(peer.received.map((m) => (m as AdapterChunkMessage).index)).toEqual([...Array(count).keys()]);
  });

  it("is cut off when it takes nothing for long enough, and not while it takes a little", async () => {
    const { channel, peer, stalls, closes } = await stopped(500);
    channel.sendAll(
      (function* () {
        for (let i = 0; i < 400; i++) yield chunk(i);
      })(),
    );
    // It reads for a moment now and then: slow, but alive.
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      const before = peer.received.length;
      peer.ws.resume();
      while (peer.received.length < before + 8) await new Promise((resolve) => setTimeout(resolve, 2));
      peer.ws.pause();
    }
    expect(stalls).toEqual([]);
    while (closes.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(closes).toEqual([1006]);
    expect(stalls.length).toBe(1);
  });

  it("does not hold up the others, and nothing of it stays", async () => {
    const { ws, job, server } = await attacked({ limits: { slowReaderMs: 200 } });
    const peer = new RawPeer(ws);
    await peer.join();
    peer.ws.pause();
    await expectJobCompletes(ws);
    peer.ws.terminate();
    while (job.status().clients.some(({ connected }) => connected))
      await new Promise((r) => setTimeout(r, 10));
    for (let i = 0; i < 200; i++) {
      if ((await server.app.inject("/metrics")).body.includes('narrowband_connections{state="accepted"} 0'))
        return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error("a connection is left");
  });
});
