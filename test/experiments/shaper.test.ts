/** The link as a function of time and bytes: rate, delay, order, losses; exact, for no clock is asked. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LinkDirection, PROFILE_NAMES, PROFILES } from "../../experiments/link/profiles.ts";
import {
  IDLE,
  pieceBytes,
  SEGMENT_BYTES,
  type ShaperLink,
  shaperLinks,
  ship,
} from "../../experiments/link/shaper.ts";

const link = (direction: Partial<LinkDirection>, seed = 1): ShaperLink => ({
  bitsPerSecond: 8_000_000,
  delayMs: 20,
  jitterMs: 0,
  loss: 0,
  stallMs: 40,
  seed,
  stream: 0,
  ...direction,
});

describe("a link", () => {
  it("takes the time of its rate, then its delay", () => {
    // 8 Mbit/s are 1,000 bytes a millisecond.
    const sent = ship(link({}), IDLE, 100, 5_000);
    expect([sent.busyUntilMs, sent.arrivedMs]).toEqual([105, 125]);
  });

  it("queues what comes while it is busy, and idles when nothing comes", () => {
    const first = ship(link({}), IDLE, 0, 10_000);
    const second = ship(link({}), first, 4, 2_000);
    expect(second.arrivedMs).toBe(32);
    expect(ship(link({}), second, 50, 1_000).arrivedMs).toBe(71);
  });

  it("without a rate limit only delays", () => {
    expect(ship(link({ bitsPerSecond: 0 }), IDLE, 7, 1e9).arrivedMs).toBe(27);
  });

  it("carries no more than its rate over any time, and all of it when there is enough to send", () => {
    let state = IDLE;
    for (let at = 0; at < 1_000; at++) state = ship(link({}), state, at, 1_500);
    // 1.5 MB at 1,000 bytes a millisecond.
    expect(state.arrivedMs).toBeCloseTo(1_520, 6);
  });

  it("arrives in order, never early, and at the same time however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 9_000 })), {
          minLength: 1,
          maxLength: 30,
        }),
        fc.integer({ min: 1, max: 4_000 }),
        fc.integer({ min: 0, max: 1_000 }),
        (sends, cut, seed) => {
          const lossy = link({ jitterMs: 3, loss: 0.2 }, seed);
          const still = link({ loss: 0.2 }, seed);
          let now = 0;
          let [state, whole, cutUp] = [IDLE, IDLE, IDLE];
          for (const [wait, bytes] of sends) {
            now += wait;
            const next = ship(lossy, state, now, bytes);
            expect(next.arrivedMs).toBeGreaterThanOrEqual(state.arrivedMs);
            expect(next.arrivedMs).toBeGreaterThanOrEqual(now + 17);
            state = next;
            whole = ship(still, whole, now, bytes);
            for (let at = 0; at < bytes; at += cut)
              cutUp = ship(still, cutUp, now, Math.min(cut, bytes - at));
            expect(cutUp.busyUntilMs).toBeCloseTo(whole.busyUntilMs, 6);
            expect(cutUp.bytes).toBe(whole.bytes);
            // Stalls of the pieces before hold up the last one at most as much as stalls of the whole do.
            expect(cutUp.arrivedMs).toBeLessThanOrEqual(whole.arrivedMs + 1e-6);
          }
        },
      ),
      { seed: 9, numRuns: 200 },
    );
  });

  it("loses the share of segments that it is told to, and each costs a pause", () => {
    let state = IDLE;
    let stalls = 0;
    for (let i = 0; i < 20_000; i++) {
      const now = state.busyUntilMs + 1_000;
      state = ship(link({ loss: 0.03, bitsPerSecond: 0 }), state, now, SEGMENT_BYTES);
      if (state.arrivedMs > now + 20 + 1e-6) stalls++;
    }
    expect(stalls / 20_000).toBeGreaterThan(0.027);
    expect(stalls / 20_000).toBeLessThan(0.033);
  });

  it("jitters evenly around its delay", () => {
    const delays = Array.from({ length: 5_000 }, (_, i) => {
      const state = { busyUntilMs: 0, arrivedMs: 0, bytes: i * SEGMENT_BYTES };
      return ship(link({ bitsPerSecond: 0, jitterMs: 8 }), state, 0, SEGMENT_BYTES).arrivedMs;
    });
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(12);
    expect(Math.max(...delays)).toBeLessThanOrEqual(28);
    expect(delays.reduce((a, b) => a + b, 0) / delays.length).toBeCloseTo(20, 0);
  });

  it("pauses for a round trip after a loss, and differs by direction and connection", () => {
    const { up, down } = shaperLinks(PROFILES.satellite, 3, 0);
    expect([up.stallMs, down.stallMs]).toEqual([600, 600]);
    expect(up.stream).not.toBe(down.stream);
    expect(shaperLinks(PROFILES.satellite, 3, 1).up.stream).not.toBe(up.stream);
  });
});

describe("profiles", () => {
  it.each(PROFILE_NAMES.map((name) => [name]))("%s is within reason", (name) => {
    for (const direction of [PROFILES[name].up, PROFILES[name].down]) {
      expect(direction.jitterMs).toBeLessThanOrEqual(direction.delayMs);
      expect(direction.loss).toBeLessThan(0.01);
      expect(pieceBytes(direction)).toBeGreaterThanOrEqual(SEGMENT_BYTES);
    }
  });
});
