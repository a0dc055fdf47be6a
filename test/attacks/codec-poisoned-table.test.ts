/** A table of widths or scales that is refused must not replace the good one, nor may a stale one be counted on. */
import { describe, expect, it } from "vitest";
import type { EncodedSections } from "../../shared/codec/codec.ts";
import { createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { gaussianTensor, sameBits } from "../codec/helpers.ts";

const CHANNELS = 6;
const TOKENS = 16;

describe.each(["amaq:4-3@2", "amaq:4-3@2,clip=ema", "fixed:3,clip=ema"])("a receiver of %s", (text) => {
  const spec = parseCodecSpec(text);
  const options = { channels: CHANNELS, role: "activation", seed: 1, streamId: 1 } as const;
  const encoder = createEncoder(spec, options);
  const bodies: (EncodedSections & { reconstruction: Float32Array })[] = [];
  for (let step = 0; step < 3; step++) {
    const { bitTable, scales, payload, ...rest } = encoder.encode(
      gaussianTensor(step, TOKENS, CHANNELS),
      TOKENS,
      {
        step,
        microBatch: 0,
      },
    );
    bodies.push({ ...rest, bitTable: bitTable?.slice(), scales: scales.slice(), payload: payload.slice() });
    encoder.endStep(step);
  }
  const withTable = bodies.findLastIndex((body) => body.bitTable !== undefined);

  it("keeps its table when a body with every possible flip of the next one is refused", () => {
    const good = bodies[withTable]!;
    const decoder = createDecoder(spec, options);
    const out = new Float32Array(TOKENS * CHANNELS);
    for (const body of bodies.slice(0, withTable + 1)) decoder.decode(body, TOKENS, out);
    const kept = decoder.save();
    let refused = 0;
    for (let bit = 0; bit < good.bitTable!.length * 8; bit++) {
      const bitTable = Uint8Array.from(good.bitTable!);
      bitTable[bit >> 3] = bitTable[bit >> 3]! ^ (1 << (bit & 7));
      // A payload that is short by a byte fits no table.
      const body = { ...good, bitTable, bitTableVersion: 9, payload: good.payload.subarray(1) };
      expect(() => decoder.decode(body, TOKENS, out)).toThrow(NarrowbandError);
      refused++;
      expect(decoder.save()).toEqual(kept);
    }
    expect(refused).toBeGreaterThan(8);
    decoder.decode({ ...good, bitTable: undefined }, TOKENS, out);
    expect(sameBits(out, good.reconstruction)).toBe(true);
  });

  it("refuses a body that counts on a table of another version, or on one that it was never sent", () => {
    const good = bodies[withTable]!;
    const decode = (body: EncodedSections, first: boolean) => () => {
      const decoder = createDecoder(spec, options);
      if (first) decoder.decode(good, TOKENS, new Float32Array(TOKENS * CHANNELS));
      decoder.decode(body, TOKENS, new Float32Array(TOKENS * CHANNELS));
    };
    expect(decode({ ...good, bitTable: undefined }, false)).toThrow(NarrowbandError);
    for (const bitTableVersion of [0, good.bitTableVersion + 1, 0xffffffff, Number.NaN]) {
      expect(decode({ ...good, bitTable: undefined, bitTableVersion }, true)).toThrow(NarrowbandError);
    }
    expect(decode({ ...good, bitTable: undefined }, true)).not.toThrow();
  });
});
