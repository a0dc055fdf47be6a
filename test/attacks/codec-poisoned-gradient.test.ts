/** A peer that sends NaN or infinity back as the gradient must not get them into what an encoder has learned. */
import { describe, expect, it } from "vitest";
import { createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { gaussianTensor } from "../codec/helpers.ts";

const CHANNELS = 8;
const TOKENS = 32;

describe.each(["amaq:4-4@0", "amaq:4-4@0,clip=learned,sinks=auto,rotate=16", "fixed:3,clip=learned"])(
  "an encoder of %s",
  (text) => {
    it.each([Number.NaN, Infinity, -Infinity])("gathers nothing from a gradient with %d in it", (poison) => {
      const encoder = createEncoder(parseCodecSpec(text), {
        channels: CHANNELS,
        role: "activation",
        seed: 1,
        streamId: 1,
      });
      const x = gaussianTensor(1, TOKENS, CHANNELS);
      const { reconstruction } = encoder.encode(x, TOKENS, { step: 0, microBatch: 0 });
      const before = encoder.save();
      const gradient = gaussianTensor(2, TOKENS, CHANNELS);
      gradient[77] = poison;
      let code = "none";
      try {
        encoder.observe(x, reconstruction, gradient, TOKENS);
      } catch (error) {
        if (error instanceof NarrowbandError) code = error.code;
      }
      expect(code).toBe("NB_TENSOR_NOT_FINITE");
      expect(encoder.save()).toEqual(before);
    });
  },
);
