/** Codec settings are read from strings and objects, and a mistake is named. */

import { describe, expect, it } from "vitest";
import {
  CODEC_WIRE_IDS,
  CODECS,
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
    expect(parseCodecSpec("amaq")).toMatchObject({
      codec: "amaq",
      startBits: 8,
      targetBits: 3,
      minBits: 2,
      maxBits: 8,
      annealSteps: 200,
      anneal: "linear",
      gateLearningRate: 0.02,
      hysteresis: 0.1,
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

  it("take further settings after a comma, and are labelled with those that are not the defaults", () => {
    expect(parseCodecSpec("fixed:4,clip=none,rounding=stochastic")).toEqual({
      codec: "fixed",
      bits: 4,
      clip: "none",
      rounding: "stochastic",
    });
    expect(parseCodecSpec("amaq:8-3@50,hysteresis=0.25")).toMatchObject({
      annealSteps: 50,
      hysteresis: 0.25,
    });
    expect(parseCodecSpec("topk:0.1, feedback=false")).toEqual({
      codec: "topk",
      fraction: 0.1,
      feedback: false,
    });
    expect(codecLabel(parseCodecSpec({ codec: "fixed", bits: 4, clip: "none" }))).toBe("fixed:4,clip=none");
    expect(codecLabel(parseCodecSpec("amaq,dwell=8"))).toBe("amaq:8-3@200");
    for (const text of CODECS.flatMap((codec) => codec.examples)) {
      const spec = parseCodecSpec(text);
      expect(parseCodecSpec(codecLabel(spec)), text).toEqual(spec);
    }
  });

  it("list the codecs that there are when one is not known", () => {
    for (const input of ["zip", "zip:4,fast=true", { codec: "zip" }]) {
      const problem = problemOf(() => parseCodecSpec(input));
      for (const { forms } of CODECS) expect(problem).toContain(forms);
    }
  });

  it("are refused with the field, what was given and what is accepted", () => {
    const cases: [unknown, RegExp][] = [
      ["fixed:9", /"fixed:9".*codec\.bits.*8/],
      ["fixed:1", /codec\.bits.*2/],
      ["int7", /"int7".*fixed:BITS/],
      ["amaq:8", /"amaq:8".*START-TARGET/],
      ["amaq:9-3", /codec\.startBits/],
      ["", /accepted are f32/],
      ["fixed:4,bits=3", /bits=3.*already/],
      ["fixed:4,clip", /"clip".*key=value/],
      ["fixed:4,clip=some", /codec\.clip.*optimal/],
      ["fixed:4,width=3", /width/],
      ["topk:2", /codec\.fraction/],
      ["topk:x", /topk:FRACTION/],
      ["fp8:e3m4", /codec\.format.*e4m3/],
      ["bf16:8", /"bf16:8".*form bf16/],
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
    const names = "f32 f16 fixed amaq bf16 fp8 fp4 int8 fixpoint aqsgd tah group topk ternary binary".split(
      " ",
    );
    expect(CODEC_WIRE_IDS).toEqual(Object.fromEntries(names.map((name, i) => [name, i + 1])));
    for (const { name, wireId } of CODECS) expect(codecOfWireId(wireId)).toBe(name);
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
