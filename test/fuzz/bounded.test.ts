/** A part of the fuzz run that is short enough for every run of the suite; `npm run test:fuzz` has the long one. */

import { describe, expect, it } from "vitest";
import { fuzz } from "./fuzz.ts";

const SEED = 20261122;

describe(`20,000 hostile frames (seed ${SEED})`, () => {
  const report = fuzz({ frames: 20_000, seed: SEED });

  it("each end in a tensor, a message or a documented error", () => {
    expect(report.accepted + report.refused).toBe(20_000);
  });

  it("reach every decoder, which accepts some and refuses some", () => {
    for (const [name, { accepted, refused }] of Object.entries(report.targets)) {
      expect(accepted, `accepted by ${name}`).toBeGreaterThan(0);
      expect(refused, `refused by ${name}`).toBeGreaterThan(0);
    }
  });

  it("make nobody allocate what they declare", () => {
    expect(report.maxAllocated).toBeGreaterThan(0);
    expect(report.maxAllocated).toBeLessThan(1024 * 1024);
  });
});
