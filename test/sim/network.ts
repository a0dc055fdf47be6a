/**
 * Connections that are slow, break and forget: messages take their time, in order within a connection; a connection that is cut
 * delivers some of what was under way and ends for each side in its own time, or for none until heartbeats are missed.
 */
import { NarrowbandError } from "../../shared/errors.ts";
import type { FrameSocket, SocketHandlers } from "../../shared/protocol/transport.ts";
import type { Clock, SimProcess } from "./clock.ts";

const LATENCY_MS = 8;
const NOBODY: SocketHandlers = { message: () => {}, closed: () => {} };

export interface Faults {
  drops: number;
  duplicates: number;
  reorders: number;
}

class End implements FrameSocket {
  handlers: SocketHandlers = NOBODY;
  readonly bufferedBytes = 0;
  readonly owner: SimProcess;
  readonly #link: Link;
  open = true;

  constructor(owner: SimProcess, link: Link) {
    this.owner = owner;
    this.#link = link;
  }

  framing(): number {
    return 0;
  }

  send(bytes: Uint8Array): void {
    if (this.open && this.owner.alive) this.#link.send(this, bytes.slice());
  }

  onceDrained(callback: () => void): void {
    queueMicrotask(callback);
  }

  close(code: number): void {
    if (this.open && this.owner.alive) this.#link.close(this, code);
  }

  /** Tells the owner that the connection is gone. */
  end(code: number): void {
    if (!this.open) return;
    this.open = false;
    this.handlers.closed(code);
  }
}

export class Link {
  readonly client: End;
  readonly server: End;
  readonly #network: Network;
  /** Nothing is delivered before this, in each direction. */
  readonly #free = new Map<End, number>();
  #silent = false;

  constructor(network: Network, client: SimProcess, server: SimProcess) {
    this.#network = network;
    this.client = new End(client, this);
    this.server = new End(server, this);
  }

  get open(): boolean {
    return this.client.open && this.server.open && !this.#silent;
  }

  #peer(end: End): End {
    return end === this.client ? this.server : this.client;
  }

  #deliver(to: End, label: string, run: () => void): void {
    const { clock } = this.#network;
    const at = Math.max(this.#free.get(to) ?? 0, clock.now + clock.random() * LATENCY_MS);
    this.#free.set(to, at);
    clock.after(at - clock.now, label, run, to.owner);
  }

  send(from: End, bytes: Uint8Array): void {
    const to = this.#peer(from);
    const network = this.#network;
    const { clock } = network;
    const number = network.sent++;
    const deliver = (again: boolean) => {
      if (!to.open || this.#silent) return;
      network.delivered(number, again);
      to.handlers.message(bytes.slice());
    };
    this.#deliver(to, `${from.owner.name} → ${to.owner.name}`, () => deliver(false));
    if (network.left.duplicates > 0 && clock.chance(network.duplicateRate)) {
      network.left.duplicates--;
      network.count.duplicates++;
      // Comes once more, at once or after what is sent until then, but never before the first time.
      const later = Math.max(0, (this.#free.get(to) ?? 0) - clock.now) + clock.random() * LATENCY_MS * 4;
      clock.after(later, `${from.owner.name} ⇒ ${to.owner.name}`, () => deliver(true), to.owner);
    }
  }

  close(from: End, code: number): void {
    const to = this.#peer(from);
    this.#deliver(to, `${to.owner.name} is closed on`, () => to.end(code));
    from.open = false;
    // The closing handshake.
    const { clock } = this.#network;
    clock.after(clock.random() * LATENCY_MS * 2, "closed", () => from.handlers.closed(code), from.owner);
  }

  /** Breaks: for both ends after some time, of which what is delivered until then is the last. Silently: for none. */
  cut(silently: boolean): void {
    if (silently) {
      this.#silent = true;
      return;
    }
    const { clock } = this.#network;
    for (const end of [this.client, this.server]) {
      clock.after(clock.random() * LATENCY_MS * 3, `${end.owner.name} cut`, () => end.end(1006), end.owner);
    }
  }

  /** A process has died: its end is gone, the other end hears of it. */
  died(process: SimProcess): void {
    for (const end of [this.client, this.server]) {
      if (end.owner === process) end.open = false;
      else this.#deliver(end, `${end.owner.name} loses ${process.name}`, () => end.end(1006));
    }
  }
}

export class Network {
  readonly clock: Clock;
  readonly count: Faults = { drops: 0, duplicates: 0, reorders: 0 };
  readonly left: { drops: number; duplicates: number };
  readonly duplicateRate: number;
  sent = 0;
  links: Link[] = [];
  #newest = -1;

  constructor(clock: Clock, left: { drops: number; duplicates: number }, duplicateRate = 0.05) {
    this.clock = clock;
    this.left = left;
    this.duplicateRate = duplicateRate;
  }

  /** A message has arrived; one that was sent before another that is there already counts as out of order. */
  delivered(number: number, again: boolean): void {
    if (!again && number < this.#newest) this.count.reorders++;
    this.#newest = Math.max(this.#newest, number);
  }

  /** Opens a connection; `accept` is the server's, undefined while none listens. */
  async connect(
    client: SimProcess,
    listening: () => { process: SimProcess; accept: (socket: FrameSocket) => void } | undefined,
  ): Promise<FrameSocket> {
    await this.clock.pause(client, `${client.name} connects`, LATENCY_MS);
    const server = listening();
    if (server === undefined) throw new NarrowbandError("NB_CONNECTION_LOST", "nobody listens");
    const link = new Link(this, client, server.process);
    this.links = [...this.links.filter((l) => l.client.open || l.server.open), link];
    server.accept(link.server);
    return link.client;
  }

  /** Cuts a random open connection. */
  drop(): void {
    const open = this.links.filter((link) => link.open);
    if (open.length === 0 || this.left.drops === 0) return;
    this.left.drops--;
    this.count.drops++;
    const silently = this.clock.chance(0.2);
    const link = open[this.clock.pick(open.length)];
    this.clock.note(`cut ${link.client.owner.name}${silently ? " silently" : ""}`);
    link.cut(silently);
  }

  died(process: SimProcess): void {
    for (const link of this.links) link.died(process);
  }
}
