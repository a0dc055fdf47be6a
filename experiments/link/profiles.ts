/**
 * Links that clients really have, by name. Rates are of the access link; delay is one way, so a round trip costs both.
 *
 * The figures are round numbers near published medians, good for comparing one with another: broadband by technology after the
 * FCC's "Measuring Broadband America" reports, mobile after OpenSignal's country reports, satellite for a geostationary orbit
 * (35,786 km up and down is 239 ms one way by light alone).
 */

/** One direction of a link. */
export interface LinkDirection {
  /** Bits per second; 0 for no limit. */
  readonly bitsPerSecond: number;
  /** Milliseconds from the last bit's leaving to its arrival. */
  readonly delayMs: number;
  /** Half the width of the uniform distribution around the delay, milliseconds. */
  readonly jitterMs: number;
  /**
   * Share of segments of 1,460 bytes that are lost. TCP sends them again; what the application sees is a pause, here of one
   * round trip, but at least {@link LEAST_STALL_MS}.
   */
  readonly loss: number;
}

export interface LinkProfile {
  readonly up: LinkDirection;
  readonly down: LinkDirection;
  /** Mean seconds between two resets of a connection; 0 for none. */
  readonly resetEverySeconds: number;
}

/** Linux's least retransmission time-out (RTO_MIN); losses found sooner, by later segments, cost about a round trip. */
export const LEAST_STALL_MS = 20;

const MEGABIT = 1e6;

function link(
  upMbps: number,
  downMbps: number,
  delayMs: number,
  jitterMs: number,
  loss: number,
): LinkProfile {
  return {
    up: { bitsPerSecond: upMbps * MEGABIT, delayMs, jitterMs, loss },
    down: { bitsPerSecond: downMbps * MEGABIT, delayMs, jitterMs, loss },
    resetEverySeconds: 0,
  };
}

export const PROFILE_NAMES = [
  "none",
  "lan",
  "fibre",
  "cable",
  "4g",
  "dsl",
  "satellite",
  "100m-50ms",
] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

export const PROFILES: Readonly<Record<ProfileName, LinkProfile>> = {
  none: link(0, 0, 0, 0, 0),
  lan: link(1_000, 1_000, 0.25, 0, 0),
  fibre: link(500, 500, 4, 0.5, 0),
  cable: link(20, 300, 9, 2, 0.0001),
  "4g": link(12, 40, 25, 8, 0.001),
  dsl: link(4, 25, 17, 3, 0.0002),
  satellite: link(3, 25, 300, 15, 0.001),
  /** A plain wide link, for what pipelining hides: 100 Mbit/s both ways, 50 ms there and back. */
  "100m-50ms": link(100, 100, 25, 0, 0),
};
