/** The network of a simulation: connections over shaped links, a line that the server's connections share, connections that drop. */
import type { Frame } from "../../shared/protocol/messages.ts";
import type { LinkDirection, LinkProfile } from "../link/profiles.ts";
import { IDLE, type ShaperLink, type ShaperState, shaperLinks, ship } from "../link/shaper.ts";
import type { SimulatedClock } from "./clock.ts";
import type { MessageSizes } from "./messages.ts";
import type { Span } from "./workers.ts";

/** Hops of TCP and HTTP before a WebSocket is open: a round trip each. */
const ROUND_TRIPS_TO_OPEN = 2;

/** The server's line has its own draws of chance. */
const SERVER_LINE = 0x7fff_0000;

export interface Connection {
  /** From 0, in the order of asking for it. */
  readonly number: number;
  readonly client: number;
  readonly up: ShaperLink;
  readonly down: ShaperLink;
  upState: ShaperState;
  downState: ShaperState;
  /** Whether each end still takes it for open. */
  clientOpen: boolean;
  serverOpen: boolean;
  cancelDrop: () => void;
}

export interface NetworkOptions {
  readonly clock: SimulatedClock;
  /** Bytes of messages. */
  readonly sizes: MessageSizes;
  readonly seed: number;
  /** The server's own access to the network, shared by all clients; unlimited by default. */
  readonly serverLink: { readonly up: LinkDirection; readonly down: LinkDirection } | undefined;
  readonly trace: ((span: Span) => void) | undefined;
  /** A message has arrived at an end that takes its connection for open. */
  readonly toServer: (connection: Connection, frame: Frame) => void;
  readonly toClient: (connection: Connection, frame: Frame) => void;
}

export class SimulatedNetwork {
  /** Handed to all connections so far, by direction. */
  readonly bytes = { up: 0, down: 0 };
  readonly #options: NetworkOptions;
  readonly #sizes: MessageSizes;
  readonly #connections = new Map<number, Connection>();
  readonly #serverUp: ShaperLink | undefined;
  readonly #serverDown: ShaperLink | undefined;
  #serverUpState = IDLE;
  #serverDownState = IDLE;
  #count = 0;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#sizes = options.sizes;
    if (options.serverLink === undefined) return;
    const { up, down } = shaperLinks(
      { ...options.serverLink, resetEverySeconds: 0 },
      options.seed,
      SERVER_LINE,
    );
    this.#serverUp = up;
    this.#serverDown = down;
  }

  connection(number: number): Connection {
    return this.#connections.get(number)!;
  }

  /** Opens a connection over a link, which takes its time. */
  open(client: number, link: LinkProfile, opened: (connection: Connection) => void): void {
    const number = this.#count++;
    const roundTripMs = link.up.delayMs + link.down.delayMs;
    const { clock } = this.#options;
    const open = () => {
      const connection: Connection = {
        number,
        client,
        ...shaperLinks(link, this.#options.seed, number),
        upState: IDLE,
        downState: IDLE,
        clientOpen: true,
        serverOpen: true,
        cancelDrop: () => {},
      };
      this.#connections.set(number, connection);
      opened(connection);
    };
    clock.at(clock.nowMs + ROUND_TRIPS_TO_OPEN * roundTripMs, open, "link");
  }

  sendUp(connection: Connection, frame: Frame): void {
    const { clock, toServer } = this.#options;
    const size = this.#sizes.of(frame, true);
    this.bytes.up += size;
    const now = clock.nowMs;
    connection.upState = ship(connection.up, connection.upState, now, size);
    let arrived = connection.upState.arrivedMs;
    // What clients send up comes down the server's own line.
    if (this.#serverDown !== undefined) {
      this.#serverDownState = ship(this.#serverDown, this.#serverDownState, arrived, size);
      arrived = this.#serverDownState.arrivedMs;
    }
    this.#trace(connection, "up", frame, now, arrived);
    const arrive = () => {
      if (connection.serverOpen) toServer(connection, frame);
    };
    clock.at(arrived, arrive, "link");
  }

  sendDown(connection: Connection, frame: Frame): void {
    const { clock, toClient } = this.#options;
    const size = this.#sizes.of(frame, false);
    this.bytes.down += size;
    const now = clock.nowMs;
    let left = now;
    if (this.#serverUp !== undefined) {
      this.#serverUpState = ship(this.#serverUp, this.#serverUpState, now, size);
      left = this.#serverUpState.arrivedMs;
    }
    connection.downState = ship(connection.down, connection.downState, left, size);
    const { arrivedMs } = connection.downState;
    this.#trace(connection, "down", frame, now, arrivedMs);
    const arrive = () => {
      if (connection.clientOpen) toClient(connection, frame);
    };
    clock.at(arrivedMs, arrive, "link");
  }

  #trace(connection: Connection, way: "up" | "down", { message }: Frame, fromMs: number, toMs: number): void {
    if (message.type !== "tensor") return;
    const { step, microBatch, phase } = message;
    const who = `client-${connection.client + 1} ${way}`;
    this.#options.trace?.({ who, what: phase, step, microBatch, fromMs, toMs });
  }
}
