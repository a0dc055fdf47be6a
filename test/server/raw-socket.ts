/** WebSocket frames (RFC 6455 §5.2) written by hand onto a TCP connection, to send what no library would. */
import { connect, type Socket } from "node:net";
import { onCleanUp } from "./raw-peer.ts";

export interface FrameOptions {
  /** 2, binary, by default. */
  readonly opcode?: number;
  readonly fin?: boolean;
  /** The bit that marks compressed messages. */
  readonly rsv1?: boolean;
  /** Length that the frame declares; that of its payload by default. */
  readonly declared?: bigint;
  readonly masked?: boolean;
}

/** One frame of a client; its mask is all zero. */
export function rawFrame(payload: Uint8Array, options: FrameOptions = {}): Buffer {
  const { opcode = 2, fin = true, rsv1 = false, masked = true } = options;
  const declared = options.declared ?? BigInt(payload.length);
  const head = Buffer.alloc(10);
  head[0] = (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode;
  const mask = masked ? 0x80 : 0;
  let length = 10;
  if (declared < 126n) {
    head[1] = mask | Number(declared);
    length = 2;
  } else if (declared < 65_536n) {
    head[1] = mask | 126;
    head.writeUInt16BE(Number(declared), 2);
    length = 4;
  } else {
    head[1] = mask | 127;
    head.writeBigUInt64BE(declared, 2);
  }
  return Buffer.concat([head.subarray(0, length), Buffer.alloc(masked ? 4 : 0), payload]);
}

export interface RawSocket {
  readonly socket: Socket;
  /** Status line and headers of the answer to the upgrade, or of whatever came instead. */
  readonly head: string;
  /** Resolves with everything that came after the head, once the connection is gone. */
  readonly ended: Promise<Buffer>;
}

export interface UpgradeOptions {
  readonly path?: string;
  readonly headers?: readonly string[];
}

/** A TCP connection that nothing was sent on. */
export async function rawConnect(port: number): Promise<{ socket: Socket; ended: Promise<Buffer> }> {
  const socket = connect(port, "127.0.0.1");
  onCleanUp(() => socket.destroy());
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => {});
  const ended = new Promise<Buffer>((resolve) => socket.on("close", () => resolve(Buffer.concat(chunks))));
  await new Promise((resolve) => socket.once("connect", resolve));
  return { socket, ended };
}

export function upgradeRequest({ path = "/ws", headers = [] }: UpgradeOptions = {}): string {
  return [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Protocol: narrowband",
    ...headers,
    "\r\n",
  ].join("\r\n");
}

/** A connection that was upgraded to a WebSocket. */
export async function rawUpgrade(port: number, options: UpgradeOptions = {}): Promise<RawSocket> {
  const { socket, ended } = await rawConnect(port);
  const answer = new Promise<Buffer>((resolve) => socket.once("data", resolve));
  socket.write(upgradeRequest(options));
  const first = (await answer).toString("latin1");
  const cut = first.indexOf("\r\n\r\n") + 4;
  return { socket, head: first.slice(0, cut), ended: ended.then((all) => all.subarray(cut)) };
}

/** The code of the close frame among a server's frames, or undefined. */
export function closeCodeOf(bytes: Buffer): number | undefined {
  for (let at = 0; at + 2 <= bytes.length; ) {
    const opcode = bytes[at] & 0x0f;
    let length = bytes[at + 1] & 0x7f;
    let header = 2;
    if (length === 126) {
      length = bytes.readUInt16BE(at + 2);
      header = 4;
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at + 2));
      header = 10;
    }
    if (opcode === 8) return length < 2 ? undefined : bytes.readUInt16BE(at + header);
    at += header + length;
  }
  return undefined;
}
