/** A channel hands its socket no more than the network takes, in order, and counts what it hands over. */
import { describe, expect, it } from "vitest";
import { ByteLedger, sumBytes } from "../../shared/ledger/ledger.ts";
import { encodeFrame, parseFrame } from "../../shared/protocol/frame.ts";
import { FrameChannel } from "../../shared/protocol/frame-channel.ts";
import { MAX_QUEUED_FRAMES, SEND_HIGH_WATER_BYTES } from "../../shared/protocol/limits.ts";
import type { Frame } from "../../shared/protocol/messages.ts";
import type { FrameSocket, SocketHandlers } from "../../shared/protocol/transport.ts";

/** A network that takes nothing until it is told to. */
class Stalled implements FrameSocket {
  handlers: SocketHandlers = { message: () => {}, closed: () => {} };
  readonly sent: Frame[] = [];
  bufferedBytes = 0;
  closed: number | undefined;
  #drained: () => void = () => {};

  framing(): number {
    return 6;
  }
  send(bytes: Uint8Array): void {
    this.sent.push(parseFrame(bytes, 1e9));
    this.bufferedBytes += bytes.length;
  }
  onceDrained(callback: () => void): void {
    this.#drained = callback;
  }
  close(code: number): void {
    this.closed = code;
  }
  flow(): void {
    this.bufferedBytes = 0;
    this.#drained();
  }
}

const ping = (id: number): Frame => ({ job: 1, client: 0, message: { type: "ping", id } });
const chunk = (index: number): Frame => {
  const data = new Uint8Array(1_000_000);
  return { job: 1, client: 0, message: { type: "adapterChunk", average: 1, index, data } };
};

function open() {
  const socket = new Stalled();
  const ledger = new ByteLedger();
  const heard: string[] = [];
  const channel = new FrameChannel(socket, ledger, "down", 1_000, {
    frame: ({ message }) => heard.push(message.type),
    refused: (code) => heard.push(code),
    closed: (code) => heard.push(`closed ${code}`),
  });
  return { socket, ledger, channel, heard };
}

describe("a frame channel", () => {
  it("makes the frames of a sequence only as the network takes them, and keeps the order", () => {
    const { socket, channel } = open();
    let made = 0;
    channel.sendAll(
      (function* () {
        for (; made < 30; made++) yield chunk(made);
      })(),
    );
    channel.send(ping(1));
    expect(made).toBeLessThanOrEqual(Math.ceil(SEND_HIGH_WATER_BYTES / 1_000_000) + 1);
    expect(socket.sent.at(-1)!.message.type).toBe("adapterChunk");
    for (let i = 0; i < 30; i++) socket.flow();
    expect(
      socket.sent.map(({ message }) => (message.type === "adapterChunk" ? message.index : message.type)),
    ).toEqual([...Array(30).keys(), "ping"]);
  });

  it("still sends single frames that wait when it closes, but cuts sequences short", () => {
    const { socket, channel } = open();
    channel.sendAll(Array.from({ length: 30 }, (_, i) => chunk(i)));
    channel.send(ping(1));
    channel.close(4400, "NB_FRAME_MALFORMED");
    expect(socket.sent.length).toBeLessThan(20);
    expect(socket.sent.at(-1)).toEqual(ping(1));
    expect(socket.closed).toBe(4400);
  });

  it("gives up a peer for which more waits than any step has under way, and sends it nothing more", () => {
    const { socket, channel, heard } = open();
    socket.bufferedBytes = SEND_HIGH_WATER_BYTES + 1;
    for (let i = 0; i <= MAX_QUEUED_FRAMES; i++) channel.send(ping(i));
    expect(heard).toEqual(["NB_SLOW_READER"]);
    channel.close(4421, "NB_SLOW_READER");
    expect(socket.sent).toEqual([]);
    expect(socket.closed).toBe(4421);
  });

  it("shows each frame to its meter first, and not to others what that refuses", () => {
    const { socket, channel, heard } = open();
    channel.meter = ({ message }, bytes) =>
      message.type === "ping" && message.id === 2
        ? { code: "NB_RATE_EXCEEDED", message: `${bytes}` }
        : undefined;
    for (const id of [1, 2, 3]) socket.handlers.message(encodeFrame(ping(id)));
    expect(heard).toEqual(["ping", "NB_RATE_EXCEEDED", "ping"]);
  });

  it("counts what it sends and receives, also what it cannot read", () => {
    const { socket, ledger, channel, heard } = open();
    channel.send(ping(1));
    const bytes = encodeFrame(ping(2));
    socket.handlers.message(bytes);
    socket.handlers.message(new Uint8Array(3));
    const { up, down } = ledger.snapshot();
    expect(sumBytes(down)).toBe(encodeFrame(ping(1)).length + 6);
    expect(sumBytes(up)).toBe(bytes.length + 3 + 2 * 6);
    expect(heard).toEqual(["ping", "NB_FRAME_MALFORMED"]);
  });

  it("refuses what is larger than its limit", () => {
    const { socket, heard } = open();
    socket.handlers.message(new Uint8Array(1_001));
    expect(heard).toEqual(["NB_FRAME_TOO_LARGE"]);
  });

  it("tells of the other side's closing, but not of its own", () => {
    const theirs = open();
    theirs.socket.handlers.closed(1006);
    expect(theirs.heard).toEqual(["closed 1006"]);
    const own = open();
    own.channel.close(1000, "");
    own.socket.handlers.message(encodeFrame(ping(1)));
    own.socket.handlers.closed(1000);
    expect(own.heard).toEqual([]);
  });
});
