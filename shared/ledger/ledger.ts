/**
 * The ledger counts every byte that a side sends and receives, by what it is for. Its totals are those of the socket: HTTP upgrade,
 * WebSocket framing and closing included. Under TLS it counts what goes into TLS; records and handshakes of TLS itself are not seen.
 */
import type { FrameSizes } from "../protocol/frame.ts";
import type { Message, Phase } from "../protocol/messages.ts";

/** up: client to server. */
export type Direction = "up" | "down";

export const CATEGORIES = [
  /** Packed elements. */
  "payload",
  /** Ranges of channels. */
  "scales",
  "bitTables",
  /** Of a vanilla split. */
  "labels",
  /** Prelude and header of tensor messages. */
  "headers",
  /** Frame headers and control frames of WebSocket. */
  "websocketFraming",
  /** Whole messages that carry adapters. */
  "adapters",
  /** All other messages, whole. */
  "control",
  /** HTTP upgrade. */
  "handshake",
  /**
   * What the socket counted besides all that: 0 with our own peers. Negative when a connection broke before all that was handed to
   * it was sent.
   */
  "unattributed",
] as const;
export type Category = (typeof CATEGORIES)[number];

/** Bytes by category. */
export type CategoryBytes = Readonly<Record<Category, number>>;

/** Tensors of one phase. */
export interface PhaseCounts {
  readonly messages: number;
  /** Real tokens. */
  readonly tokens: number;
  /** Tokens times channels. */
  readonly elements: number;
  /** Bytes of its messages by category; framing included. */
  readonly bytes: CategoryBytes;
}

export interface LedgerSnapshot {
  readonly up: CategoryBytes;
  readonly down: CategoryBytes;
  readonly phases: Readonly<Record<Phase, PhaseCounts>>;
}

/** Bytes that the codecs' entropy stages kept off the wire, of what this side sent. */
export interface EntropySavings {
  /** WebSocket framing included. */
  readonly up: number;
  readonly down: number;
  /** Of the payloads alone. */
  readonly phases: Readonly<Record<Phase, number>>;
}

type Counts = Record<Category, number>;

function zero(): Counts {
  return Object.fromEntries(CATEGORIES.map((category) => [category, 0])) as Counts;
}

class PhaseTotals {
  messages = 0;
  tokens = 0;
  elements = 0;
  readonly bytes = zero();
}

/** Counts of one side. A server has one for all connections of a job, a client one for all its connections. */
export class ByteLedger {
  readonly #bytes = { up: zero(), down: zero() };
  readonly #phases: Record<Phase, PhaseTotals> = {
    A1: new PhaseTotals(),
    A2: new PhaseTotals(),
    G2: new PhaseTotals(),
    G1: new PhaseTotals(),
  };
  readonly #saved = { up: 0, down: 0, phases: { A1: 0, A2: 0, G2: 0, G1: 0 } };

  /** Counts one of our messages. `framing`: bytes that WebSocket adds to it. */
  countFrame(direction: Direction, message: Message, sizes: FrameSizes, framing: number): void {
    const bytes = this.#bytes[direction];
    bytes.websocketFraming += framing;
    if (message.type !== "tensor") {
      const adapters = message.type === "adapterBegin" || message.type === "adapterChunk";
      bytes[adapters ? "adapters" : "control"] += sizes.total;
      return;
    }
    const phase = this.#phases[message.phase];
    phase.messages += 1;
    phase.tokens += message.tokens;
    phase.elements += message.tokens * message.channels;
    phase.bytes.websocketFraming += framing;
    for (const counts of [bytes, phase.bytes]) {
      counts.payload += sizes.payload;
      counts.scales += sizes.scales;
      counts.bitTables += sizes.bitTable;
      counts.labels += sizes.labels;
      counts.headers += sizes.header;
    }
  }

  /**
   * Counts what one of our messages, which countFrame() has counted, would have taken more without entropy stages: itself,
   * and with its framing. Negative where the stage cost bytes.
   */
  countSaved(direction: Direction, message: Message, bytes: number, withFraming: number): void {
    this.#saved[direction] += withFraming;
    if (message.type === "tensor") this.#saved.phases[message.phase] += bytes;
  }

  /**
   * What entropy stages have saved so far. With the counts of snapshot() these are the bytes of the same run without such a
   * stage, exactly: the stage is lossless, so nothing else would differ. A copy. Of this process alone: a checkpoint does not hold it.
   */
  entropySavings(): EntropySavings {
    const { up, down, phases } = this.#saved;
    return { up, down, phases: { ...phases } };
  }

  /** Counts a message that could not be read. */
  countUnreadable(direction: Direction, size: number, framing: number): void {
    this.#bytes[direction].control += size;
    this.#bytes[direction].websocketFraming += framing;
  }

  /** Counts what is no message of ours: the HTTP upgrade, WebSocket control frames, and what is left over. */
  count(
    direction: Direction,
    category: "handshake" | "websocketFraming" | "unattributed",
    bytes: number,
  ): void {
    this.#bytes[direction][category] += bytes;
  }

  /** Adds what another ledger has counted. */
  absorb(other: LedgerSnapshot): void {
    for (const category of CATEGORIES) {
      this.#bytes.up[category] += other.up[category];
      this.#bytes.down[category] += other.down[category];
    }
    for (const phase of Object.keys(other.phases) as Phase[]) {
      const [mine, theirs] = [this.#phases[phase], other.phases[phase]];
      mine.messages += theirs.messages;
      mine.tokens += theirs.tokens;
      mine.elements += theirs.elements;
      for (const category of CATEGORIES) mine.bytes[category] += theirs.bytes[category];
    }
  }

  /** The counts now. A copy. */
  snapshot(): LedgerSnapshot {
    const copyPhase = ({ messages, tokens, elements, bytes }: PhaseTotals): PhaseCounts => {
      return { messages, tokens, elements, bytes: { ...bytes } };
    };
    const { A1, A2, G2, G1 } = this.#phases;
    return {
      up: { ...this.#bytes.up },
      down: { ...this.#bytes.down },
      phases: { A1: copyPhase(A1), A2: copyPhase(A2), G2: copyPhase(G2), G1: copyPhase(G1) },
    };
  }
}

export function sumBytes(bytes: CategoryBytes): number {
  return CATEGORIES.reduce((sum, category) => sum + bytes[category], 0);
}
