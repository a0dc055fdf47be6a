/** Sink tokens whose places lie outside of the tensor, twice at one place, or in the wrong order. */
import { describe, expect, it } from "vitest";
import { createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { gaussianTensor } from "../codec/helpers.ts";

const CHANNELS = 4;
const TOKENS = 64;
const spec = parseCodecSpec("fixed:4,sinks=auto");

function bodyWithPlaces(places: readonly number[]) {
  const x = gaussianTensor(1, TOKENS, CHANNELS);
  for (const t of [3, 40]) x[t * CHANNELS] = 5000;
  const options = { channels: CHANNELS, role: "activation", seed: 1, streamId: 1 } as const;
  const body = createEncoder(spec, options).encode(x, TOKENS, { step: 0, microBatch: 0 });
  const scales = Uint8Array.from(body.scales);
  const view = new DataView(scales.buffer);
  expect([view.getUint16(0, true), view.getUint32(2, true), view.getUint32(6, true)]).toEqual([2, 3, 40]);
  places.forEach((place, s) => {
    view.setUint32(2 + 4 * s, place, true);
  });
  return { ...body, scales };
}

function codeOf(places: readonly number[]): string {
  const out = new Float32Array(TOKENS * CHANNELS).fill(-77);
  try {
    createDecoder(spec, { channels: CHANNELS }).decode(bodyWithPlaces(places), TOKENS, out);
    return "none";
  } catch (error) {
    if (!(error instanceof NarrowbandError)) throw error;
    expect(out.every((value) => value === -77)).toBe(true);
    return error.code;
  }
}

describe("places of sink tokens", () => {
  it("that ascend within the tensor are accepted", () => {
    expect(codeOf([3, 40])).toBe("none");
    expect(codeOf([0, TOKENS - 1])).toBe("none");
  });

  it.each([[[40, 3]], [[3, 3]], [[3, TOKENS]], [[3, 0xffffffff]], [[0x80000000, 40]]])(
    "%j are refused, and nothing is written",
    (places) => {
      expect(codeOf(places)).toBe("NB_CODEC_BODY_INVALID");
    },
  );
});
