/** Small bodies are, byte for byte, what docs/codecs.md says; each was worked out by hand. */

import { describe, expect, it } from "vitest";
import { createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { hex } from "./helpers.ts";

const AT = { step: 0, microBatch: 0 };
const STREAM = { role: "activation", seed: 1, streamId: 1 } as const;

function check(
  spec: unknown,
  channels: number,
  x: readonly number[],
  expected: Record<string, string | undefined>,
) {
  const parsed = parseCodecSpec(spec);
  const tensor = Float32Array.from(x);
  const tokens = x.length / channels;
  const body = createEncoder(parsed, { ...STREAM, channels }).encode(tensor, tokens, AT);
  expect({
    table: body.bitTable && hex(body.bitTable),
    scales: hex(body.scales),
    payload: hex(body.payload),
  }).toEqual({ table: undefined, ...expected });
  const out = new Float32Array(tensor.length);
  createDecoder(parsed, { channels }).decode(body, tokens, out);
  expect(out).toEqual(body.reconstruction);
  return out;
}

describe("golden bodies", () => {
  it("f32: the values, little-endian", () => {
    // 1 = 0x3f800000, −2 = 0xc0000000.
    const out = check("f32", 2, [1, -2], { scales: "", payload: "0000803f" + "000000c0" });
    expect([...out]).toEqual([1, -2]);
  });

  it("f16: an exponent, then halves", () => {
    // Largest magnitude 2.5 = 1.25·2^1, so e = 1 − 14 = −13 = 0xf3.
    // 1·2^13: exponent field 13 + 15 = 28, 28 << 10 = 0x7000.
    // −2.5·2^13 = −1.25·2^14: field 29, fraction 0.25·1024 = 0x100, sign: 0x7400 + 0x100 + 0x8000 = 0xf500.
    const out = check("f16", 2, [1, -2.5], { scales: "f3", payload: "0070" + "00f5" });
    expect([...out]).toEqual([1, -2.5]);
  });

  it("fixed:2: scales, then each channel's elements", () => {
    // Tokens (0,−1) (1,−1) (2,−1) (3,−1). Largest magnitude 3, e = 1 − 14 = −13 = 0xf3.
    // Channel 0: lo 0 = 0x0000, step (3 − 0)/3 = 1, times 2^13 is 0x7000. Channel 1: lo −1·2^13 = 0xf000, step 0.
    // Elements of channel 0: 0,1,2,3 = 0b11_10_01_00 = 0xe4; of channel 1: 0,0,0,0 = 0x00.
    const spec = { codec: "fixed", bits: 2, clip: "none" };
    const out = check(spec, 2, [0, -1, 1, -1, 2, -1, 3, -1], {
      scales: "f3" + "0000" + "00f0" + "0070" + "0000",
      payload: "e4" + "00",
    });
    expect([...out]).toEqual([0, -1, 1, -1, 2, -1, 3, -1]);
  });

  it("amaq: a bit table, scales, then a group for each width", () => {
    // A mean of 2.5 bits over two equal channels: 5 bits in all, and a tie takes the bit from channel 0: widths 2, 3.
    // Table: widths − 1 are 1 and 2, 3 bits each: 1 | 2 << 3 = 0x11.
    // Tokens (0,7) (1,0) (2,3) (3,5). Largest magnitude 7 = 1.75·2^2, e = 2 − 14 = −12 = 0xf4.
    // Both steps are 1: 1·2^12 has exponent field 27: 0x6c00. Both lo are 0.
    // Group of 2 bits: 0,1,2,3 = 0xe4. Group of 3 bits: 7 | 0 << 3 | 3 << 6 | 5 << 9 = 0x0ac7, bytes c7 0a.
    const spec = { codec: "amaq", startBits: 2.5, targetBits: 2.5, annealSteps: 0, clip: "none" };
    const out = check(spec, 2, [0, 7, 1, 0, 2, 3, 3, 5], {
      table: "11",
      scales: "f4" + "0000" + "0000" + "006c" + "006c",
      payload: "e4" + "c70a",
    });
    expect([...out]).toEqual([0, 7, 1, 0, 2, 3, 3, 5]);
  });

  it("fixed:3 for gradients: zero is a level", () => {
    // One channel, tokens −1, 0, 2.5, range 3.5, 7 steps of 0.5; −lo / step = 2, so the levels are −1, −0.5, 0 ... 2.5.
    // e = 1 − 14 = −13 = 0xf3. step 0.5·2^13 = 2^12 = 0x6c00 (its significand has one bit, within 11 − 3 = 8).
    // lo −1·2^13 = 0xf000. Elements 0, 2, 7: 0 | 2 << 3 | 7 << 6 = 0x01d0, bytes d0 01.
    const spec = { codec: "fixed", bits: 3, clip: "none", grid: "zero" };
    const out = check(spec, 1, [-1, 0, 2.5], { scales: "f3" + "00f0" + "006c", payload: "d001" });
    expect([...out]).toEqual([-1, 0, 2.5]);
  });

  it("amaq: groups of two widths that do not end on a byte, decoded", () => {
    // Widths 5, 3, 5: table 4 | 2 << 3 | 4 << 6 = 0x0114. e = 0. Levels from −1 by 1/8, from 0 by 1, from 2 by 1/2.
    // Group of 3 bits, channel 1: 5 | 0 << 3 | 7 << 6 = 0x01c5. Group of 5 bits, channel 0, then channel 2:
    // 1 | 30 << 5 | 17 << 10 | 31 << 15 | 2 << 20 | 8 << 25 = 0x102fc7c1.
    const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
    const out = new Float32Array(9);
    createDecoder(parseCodecSpec("amaq"), { channels: 3 }).decode(
      {
        bitTable: bytes("1401"),
        bitTableVersion: 1,
        scales: bytes("00" + "00bc" + "0000" + "0040" + "0030" + "003c" + "0038"),
        payload: bytes("c501" + "c1c72f10"),
      },
      3,
      out,
    );
    expect([...out]).toEqual([-0.875, 5, 17.5, 2.75, 0, 3, 1.125, 7, 6]);
  });
});
