/**
 * Two sockets joined in memory, so that a server and its clients can run in one process: for experiments and tests. Messages
 * arrive in a later turn of the event loop, as from a network, and are copies.
 */
import type { FrameSocket, SocketHandlers } from "./transport.ts";

const NOBODY: SocketHandlers = { message: () => {}, closed: () => {} };

class MemorySocket implements FrameSocket {
  handlers: SocketHandlers = NOBODY;
  readonly bufferedBytes = 0;
  peer: MemorySocket | undefined;

  /** Nothing is added to a message in memory. */
  framing(): number {
    return 0;
  }

  send(bytes: Uint8Array): void {
    const { peer } = this;
    if (peer === undefined) return;
    const copy = bytes.slice();
    queueMicrotask(() => peer.handlers.message(copy));
  }

  onceDrained(callback: () => void): void {
    queueMicrotask(callback);
  }

  close(code: number): void {
    const { peer } = this;
    if (peer === undefined) return;
    this.peer = undefined;
    peer.peer = undefined;
    queueMicrotask(() => {
      peer.handlers.closed(code);
      this.handlers.closed(code);
    });
  }
}

/** Two ends of one connection. */
export function memorySocketPair(): [FrameSocket, FrameSocket] {
  const a = new MemorySocket();
  const b = new MemorySocket();
  a.peer = b;
  b.peer = a;
  return [a, b];
}
