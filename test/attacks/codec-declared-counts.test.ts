/** Counts in a body that would make a receiver allocate or loop for gigabytes, in a frame of a few bytes. */
import { describe, expect, it } from "vitest";
import { createDecoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { allocated, watchAllocations } from "../fuzz/allocations.ts";

const CHANNELS = 4;
const TOKENS = 32;

/** The code that decoding ends with, and the bytes that it allocated. */
function attack(spec: string, scales: Uint8Array, payload: Uint8Array) {
  const decoder = createDecoder(parseCodecSpec(spec), { channels: CHANNELS });
  const out = new Float32Array(TOKENS * CHANNELS);
  const unwatch = watchAllocations();
  allocated.bytes = 0;
  try {
    decoder.decode({ bitTable: undefined, bitTableVersion: 0, scales, payload }, TOKENS, out);
    return { code: "none", bytes: allocated.bytes };
  } catch (error) {
    if (!(error instanceof NarrowbandError)) throw error;
    return { code: error.code, bytes: allocated.bytes };
  } finally {
    unwatch();
  }
}

describe("counts that a body declares", () => {
  it.each([1, 3, 255, 65535])(
    "%i sink tokens that are not there are refused, and nothing is allocated for them",
    (count) => {
      const scales = new Uint8Array(2 + 4 + 1 + 4 * CHANNELS);
      new DataView(scales.buffer).setUint16(0, count, true);
      const { code, bytes } = attack("fixed:3,sinks=auto", scales, new Uint8Array(100));
      expect(code).toBe("NB_CODEC_BODY_INVALID");
      expect(bytes).toBeLessThan(4096);
    },
  );

  it.each(["topk:0.1", "fixed:3,entropy=rans", "fixed:3,entropy=predict", "tah", "aqsgd:4", "group:4"])(
    "lengths of all ones in a body of %s are refused without allocating them",
    (spec) => {
      for (const length of [1, 4, 17, 64]) {
        const ones = new Uint8Array(length).fill(0xff);
        for (const scales of [ones, new Uint8Array(1 + 4 * CHANNELS)]) {
          const { code, bytes } = attack(spec, scales, ones);
          expect(["NB_CODEC_BODY_INVALID", "none"]).toContain(code);
          expect(bytes).toBeLessThan(256 * 1024);
        }
      }
    },
  );
});
