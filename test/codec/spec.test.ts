/** Codec settings are read from strings and objects, and a mistake is named. */

import { describe, expect, it } from "vitest";
import {
  CODEC_WIRE_IDS,
  codecLabel,
  codecOfWireId,
  createDecoder,
  createEncoder,
  parseCodecSpec,
} from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";

function problemOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof NarrowbandError && error.code === "NB_CONFIG_INVALID") return error.message;
    throw error;
  }
  return "";
}

describe("a codec's settings", () => {
  it("are read from compact strings", () => {
    expect(parseCodecSpec("f32")).toEqual({ codec: "f32" });
    expect(parseCodecSpec("f16")).toEqual({ codec: "f16" });
    expect(parseCodecSpec("fixed:4")).toEqual({ codec: "fixed", bits: 4 });
    expect(parseCodecSpec("amaq")).toEqual({
      codec: "amaq",
      startBits: 8,
      targetBits: 3,
      minBits: 2,
      maxBits: 8,
      annealSteps: 200,
      anneal: "linear",
      gateLearningRate: 0.02,
      hysteresis: 0.5,
      dwell: 8,
    });
    expect(parseCodecSpec("amaq:6-3.5")).toMatchObject({ startBits: 6, targetBits: 3.5, annealSteps: 200 });
    expect(parseCodecSpec("amaq:8-3@50")).toMatchObject({ startBits: 8, targetBits: 3, annealSteps: 50 });
  });

  it("survive being parsed again, and have a label that parses to the same", () => {
    for (const text of ["f32", "f16", "fixed:2", "amaq:8-3@200", "amaq:6.5-2.5@7"]) {
      const spec = parseCodecSpec(text);
      expect(parseCodecSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
      expect(codecLabel(spec)).toBe(text);
    }
  });

  it("are refused with the field, what was given and what is accepted", () => {
    const cases: [unknown, RegExp][] = [
      ["fixed:9", /"fixed:9".*codec\.bits.*8/],
      ["fixed:1", /codec\.bits.*2/],
      ["int8", /"int8".*fixed:BITS/],
      ["amaq:8", /"amaq:8".*START-TARGET/],
      ["amaq:9-3", /codec\.startBits/],
      ["", /accepted are f32/],
      [{ codec: "fixed" }, /codec\.bits/],
      [{ codec: "fixed", bits: 4.5 }, /codec\.bits/],
      [{ codec: "fixed", bits: 4, bit: 3 }, /bit/],
      [{ codec: "amaq", minBits: 4, targetBits: 3 }, /codec\.targetBits.*minBits/],
      [{ codec: "amaq", maxBits: 6 }, /codec\.startBits/],
      [{ codec: "amaq", anneal: "exponential" }, /codec\.anneal.*linear.*cosine/],
      [{ codec: "amaq", gateLearningRate: 0 }, /codec\.gateLearningRate/],
      [{ codec: "zip" }, /codec/],
      [{}, /codec/],
      [null, /codec/],
      [7, /codec/],
    ];
    for (const [input, pattern] of cases) expect(problemOf(() => parseCodecSpec(input))).toMatch(pattern);
  });
});

describe("the registry", () => {
  it("has stable wire numbers", () => {
    expect(CODEC_WIRE_IDS).toEqual({ f32: 1, f16: 2, fixed: 3, amaq: 4 });
    for (const name of ["f32", "f16", "fixed", "amaq"] as const) {
      expect(codecOfWireId(CODEC_WIRE_IDS[name])).toBe(name);
    }
    expect(codecOfWireId(0)).toBeUndefined();
    expect(codecOfWireId(99)).toBeUndefined();
  });

  it("makes codecs that say their widths", () => {
    const widths = Object.fromEntries(
      ["f32", "f16", "fixed:5", "amaq:8-3", "amaq:2.5-2.5"].map((text) => {
        const encoder = createEncoder(parseCodecSpec(text), {
          channels: 4,
          role: "activation",
          seed: 0,
          streamId: 0,
        });
        return [text, { mean: encoder.meanBits, widths: [...encoder.widths()] }];
      }),
    );
    expect(widths).toEqual({
      f32: { mean: 32, widths: [32, 32, 32, 32] },
      f16: { mean: 16, widths: [16, 16, 16, 16] },
      "fixed:5": { mean: 5, widths: [5, 5, 5, 5] },
      "amaq:8-3": { mean: 8, widths: [8, 8, 8, 8] },
      "amaq:2.5-2.5": { mean: 2.5, widths: [2, 2, 3, 3] },
    });
  });

  it("refuses channels, seeds and stream numbers that are out of bounds", () => {
    const spec = parseCodecSpec("fixed:3");
    const good = { channels: 4, role: "activation", seed: 0, streamId: 0 } as const;
    expect(problemOf(() => createEncoder(spec, { ...good, channels: 0 }))).toMatch(/channels is 0/);
    expect(problemOf(() => createEncoder(spec, { ...good, channels: 1e9 }))).toMatch(/channels/);
    expect(problemOf(() => createEncoder(spec, { ...good, seed: -1 }))).toMatch(/seed is -1/);
    expect(problemOf(() => createEncoder(spec, { ...good, streamId: 2 ** 32 }))).toMatch(/streamId/);
    expect(problemOf(() => createDecoder(spec, { channels: 2.5 }))).toMatch(/channels is 2.5/);
  });
});
