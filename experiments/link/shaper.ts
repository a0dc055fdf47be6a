/**
 * What a link does to bytes: when those that are handed to it at a time have all arrived at the other end. A pure function, so that
 * the proxy on real sockets, runs in memory and the simulator have the same link.
 *
 * A link is a queue that is emptied at its rate, behind it a delay. Bytes arrive in order. Jitter and losses belong to segments
 * of the byte stream and are drawn from (seed, direction, segment), so it makes no difference in which pieces the bytes are handed over.
 */
import { random32 } from "../../shared/random.ts";
import { LEAST_STALL_MS, type LinkDirection, type LinkProfile } from "./profiles.ts";

/** Bytes of payload in a TCP segment over Ethernet. */
export const SEGMENT_BYTES = 1_460;

export interface ShaperState {
  /** When the last byte so far leaves, milliseconds. */
  readonly busyUntilMs: number;
  /** When the last byte so far arrives. */
  readonly arrivedMs: number;
  /** Bytes so far. */
  readonly bytes: number;
}

export const IDLE: ShaperState = { busyUntilMs: 0, arrivedMs: 0, bytes: 0 };

/** One direction of one connection. */
export interface ShaperLink extends LinkDirection {
  /** Pause after a loss, milliseconds. */
  readonly stallMs: number;
  readonly seed: number;
  /** Keeps directions and connections of one seed apart. */
  readonly stream: number;
}

/** The two directions of connection `connection` over a link. */
export function shaperLinks(
  profile: LinkProfile,
  seed: number,
  connection: number,
): { readonly up: ShaperLink; readonly down: ShaperLink } {
  const stallMs = Math.max(LEAST_STALL_MS, profile.up.delayMs + profile.down.delayMs);
  const make = (direction: LinkDirection, which: number): ShaperLink => {
    return { ...direction, stallMs, seed, stream: 2 * connection + which };
  };
  return { up: make(profile.up, 0), down: make(profile.down, 1) };
}

/** Draws of a segment: whether it is lost, and its jitter. */
const LOSS = 0;
const JITTER = 1;

function uniform(link: ShaperLink, segment: number, draw: number): number {
  return random32(link.seed, link.stream, 2 * segment + draw) / 2 ** 32;
}

/**
 * Hands `bytes` to the link at `nowMs`.
 *
 * @returns the state after it, whose `arrivedMs` is when the last of these bytes has arrived
 */
export function ship(link: ShaperLink, state: ShaperState, nowMs: number, bytes: number): ShaperState {
  const { bitsPerSecond, delayMs, jitterMs, loss, stallMs } = link;
  const onWireMs = bitsPerSecond === 0 ? 0 : (bytes * 8_000) / bitsPerSecond;
  const busyUntilMs = Math.max(nowMs, state.busyUntilMs) + onWireMs;
  const end = state.bytes + bytes;
  // Segments that begin within these bytes.
  const first = Math.ceil(state.bytes / SEGMENT_BYTES);
  const last = Math.ceil(end / SEGMENT_BYTES);
  let stalledMs = 0;
  if (loss > 0)
    for (let segment = first; segment < last; segment++)
      if (uniform(link, segment, LOSS) < loss) stalledMs += stallMs;
  const jitter = jitterMs === 0 ? 0 : jitterMs * (2 * uniform(link, last, JITTER) - 1);
  const arrivedMs = Math.max(state.arrivedMs, busyUntilMs + Math.max(0, delayMs + jitter) + stalledMs);
  return { busyUntilMs, arrivedMs, bytes: end };
}

/** Bytes of a piece into which a stream is cut, so that it trickles as on the link: what leaves in 4 ms, within bounds. */
export function pieceBytes({ bitsPerSecond }: LinkDirection): number {
  if (bitsPerSecond === 0) return 65_536;
  return Math.min(65_536, Math.max(SEGMENT_BYTES, Math.floor((bitsPerSecond * 0.004) / 8)));
}
