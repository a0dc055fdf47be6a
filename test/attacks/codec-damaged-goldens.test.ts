/** The worked examples of docs/codecs.md, cut at every byte and with every single bit flipped. */
import { describe, expect, it } from "vitest";
import type { EncodedSections } from "../../shared/codec/codec.ts";
import { createDecoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";

interface Golden {
  readonly spec: string;
  readonly tokens: number;
  readonly channels: number;
  readonly table?: string;
  readonly scales: string;
  readonly payload: string;
}

const GOLDENS: readonly Golden[] = [
  { spec: "f32", tokens: 1, channels: 2, scales: "", payload: "0000803f000000c0" },
  { spec: "f16", tokens: 1, channels: 2, scales: "f3", payload: "007000f5" },
  { spec: "fixed:2", tokens: 4, channels: 2, scales: "f3000000f000700000", payload: "e400" },
  { spec: "amaq", tokens: 4, channels: 2, table: "11", scales: "f400000000006c006c", payload: "e4c70a" },
];

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));

function outcome(golden: Golden, sections: EncodedSections): "refused" | "decoded" {
  const out = new Float32Array(golden.tokens * golden.channels);
  try {
    createDecoder(parseCodecSpec(golden.spec), golden).decode(sections, golden.tokens, out);
  } catch (error) {
    if (error instanceof NarrowbandError && error.code === "NB_CODEC_BODY_INVALID") return "refused";
    throw error;
  }
  if (!out.every(Number.isFinite)) throw new Error("decoded to NaN or infinity");
  return "decoded";
}

describe.each(GOLDENS)("the golden body of $spec", (golden) => {
  const whole: EncodedSections = {
    bitTable: golden.table === undefined ? undefined : bytesOf(golden.table),
    bitTableVersion: golden.table === undefined ? 0 : 1,
    scales: bytesOf(golden.scales),
    payload: bytesOf(golden.payload),
  };

  it("decodes", () => {
    expect(outcome(golden, whole)).toBe("decoded");
  });

  it("is refused when any section is cut at any byte", () => {
    for (const section of ["bitTable", "scales", "payload"] as const) {
      const bytes = whole[section] ?? new Uint8Array(0);
      for (let length = 0; length < bytes.length; length++) {
        expect(outcome(golden, { ...whole, [section]: bytes.subarray(0, length) })).toBe("refused");
      }
    }
  });

  it("is refused, or decodes to a finite tensor, with any bit flipped", () => {
    let flips = 0;
    for (const section of ["bitTable", "scales", "payload"] as const) {
      const bytes = whole[section] ?? new Uint8Array(0);
      for (let bit = 0; bit < bytes.length * 8; bit++, flips++) {
        const flipped = Uint8Array.from(bytes);
        flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
        expect(["refused", "decoded"]).toContain(outcome(golden, { ...whole, [section]: flipped }));
      }
    }
    expect(flips).toBeGreaterThanOrEqual(40);
  });
});
