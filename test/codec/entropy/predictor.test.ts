/** Predictors: what a sender learns, how it is written, and when it travels. */

import { describe, expect, it } from "vitest";
import type { EncodedTensor } from "../../../shared/codec/codec.ts";
import { readPredictor, writePredictor } from "../../../shared/codec/entropy/predictor.ts";
import { enableKernels } from "../../../shared/codec/kernels/kernels.ts";
import { createDecoder, createEncoder, parseCodecSpec } from "../../../shared/codec/registry.ts";
import { forNewPeer } from "../../../shared/codec/state.ts";
import { NarrowbandError } from "../../../shared/errors.ts";
import { gaussianSource, gaussianTensor, hex, sameBits } from "../helpers.ts";
import { messageOf, predictorFrom } from "./helpers.ts";

const CHANNELS = 24;
const TOKENS = 400;

/** Tokens [tokens, channels] of channels that mix four common factors with noise of their own. */
function correlated(seed: number, tokens = TOKENS): Float32Array {
  const mix = gaussianSource(77);
  const weights = Float64Array.from({ length: CHANNELS * 4 }, mix);
  const gaussian = gaussianSource(seed);
  const x = new Float32Array(tokens * CHANNELS);
  for (let t = 0; t < tokens; t++) {
    const factors = [gaussian(), gaussian(), gaussian(), gaussian()];
    for (let c = 0; c < CHANNELS; c++) {
      let value = 0.3 * gaussian();
      factors.forEach((factor, f) => {
        value += weights[c * 4 + f]! * factor;
      });
      x[t * CHANNELS + c] = value;
    }
  }
  return x;
}

function encoderOf(text: string) {
  return createEncoder(parseCodecSpec(text), {
    channels: CHANNELS,
    role: "activation",
    seed: 1,
    streamId: 0,
  });
}

function run(
  encoder: ReturnType<typeof encoderOf>,
  from: number,
  to: number,
): { bytes: number; modes: number[] } {
  const decoder = createDecoder(parseCodecSpec("fixed:4,entropy=predict"), { channels: CHANNELS });
  return runWith(encoder, decoder, from, to);
}

function runWith(
  encoder: ReturnType<typeof encoderOf>,
  decoder: ReturnType<typeof createDecoder>,
  from: number,
  to: number,
) {
  let bytes = 0;
  const modes: number[] = [];
  for (let step = from; step < to; step++) {
    const body = encoder.encode(correlated(step), TOKENS, { step, microBatch: 0 });
    const out = new Float32Array(TOKENS * CHANNELS);
    decoder.decode(body, TOKENS, out);
    if (!sameBits(out, body.reconstruction)) throw new Error("decoded something else");
    bytes += body.payload.length;
    modes.push(body.payload[0]!);
    encoder.endStep(step);
  }
  return { bytes, modes };
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof NarrowbandError) return error.code;
    throw error;
  }
  return "none";
}

describe("a predictor", () => {
  const message = messageOf(
    Array.from({ length: 9 }, (_, c) => ({ kind: c % 4 === 3 ? "bell" : "shared", width: 4 })),
    300,
    5,
  );

  it("is read as it was written", () => {
    const predictor = predictorFrom(message, 7);
    expect(predictor.weights.some((w) => w !== 0)).toBe(true);
    expect(readPredictor(writePredictor(predictor), 9)).toEqual(predictor);
  });

  it("is refused when cut, when it goes on, and for another number of channels", () => {
    const bytes = writePredictor(predictorFrom(message));
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => readPredictor(bytes.subarray(0, length), 9))).toBe("NB_CODEC_BODY_INVALID");
    }
    expect(codeOf(() => readPredictor(Uint8Array.of(...bytes, 0, 0), 9))).toBe("NB_CODEC_BODY_INVALID");
    for (const channels of [8, 10]) {
      expect(codeOf(() => readPredictor(bytes, channels))).toBe("NB_CODEC_BODY_INVALID");
    }
  });

  it("is refused, or is a predictor of finite numbers, with any bit flipped", () => {
    const bytes = writePredictor(predictorFrom(message));
    let refused = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
      const code = codeOf(() => {
        const { mean, scale } = readPredictor(flipped, 9);
        if (![...mean, ...scale].every(Number.isFinite)) throw new Error("not finite");
      });
      expect(["none", "NB_CODEC_BODY_INVALID"]).toContain(code);
      if (code !== "none") refused++;
    }
    // Version, means and scales may be others; hardly anything else.
    expect(refused).toBeGreaterThan(0.5 * 8 * bytes.length);
  });
});

describe("a stream with entropy=predict", () => {
  it("sends predictors now and then, and needs far fewer bytes than without", () => {
    const predicted = run(encoderOf("fixed:4,entropy=predict"), 0, 6);
    expect(predicted.modes).toEqual([1, 1, 3, 2, 2, 2]);
    const alone = runWith(
      encoderOf("fixed:4,entropy=rans"),
      createDecoder(parseCodecSpec("fixed:4,entropy=rans"), { channels: CHANNELS }),
      0,
      6,
    );
    expect(alone.modes).toEqual([1, 1, 1, 1, 1, 1]);
    expect(predicted.bytes).toBeLessThan(0.8 * alone.bytes);
  });

  it("sends the predictor until a step has committed, and again when the receiver is new", () => {
    const encoder = encoderOf("fixed:4,entropy=predict");
    const mode = (body: EncodedTensor) => body.payload[0];
    const at = (step: number, microBatch = 0) =>
      mode(encoder.encode(correlated(step), TOKENS, { step, microBatch }));
    for (const step of [0, 1]) {
      expect(at(step)).toBe(1);
      encoder.endStep(step);
    }
    expect([at(2), at(2), at(2, 1)]).toEqual([3, 3, 2]);
    const before = encoder.save();
    encoder.endStep(2);
    expect(at(3)).toBe(2);
    encoder.forgetPeer?.();
    expect([at(3, 1), at(3, 2)]).toEqual([3, 2]);
    // A step that is abandoned does not make the receiver know more.
    encoder.restore(before);
    expect(at(3)).toBe(3);
    encoder.endStep(3);
    encoder.restore(forNewPeer(encoder.save()));
    expect(at(4)).toBe(3);
  });

  it("is refused by a receiver without the predictor, and by one with another", () => {
    const encoder = encoderOf("fixed:4,entropy=predict");
    const spec = parseCodecSpec("fixed:4,entropy=predict");
    const decoder = createDecoder(spec, { channels: CHANNELS });
    runWith(encoder, decoder, 0, 5);
    const body = encoder.encode(correlated(5), TOKENS, { step: 5, microBatch: 0 });
    const out = new Float32Array(TOKENS * CHANNELS);
    expect(body.payload[0]).toBe(2);
    const fresh = createDecoder(spec, { channels: CHANNELS });
    expect(codeOf(() => fresh.decode(body, TOKENS, out))).toBe("NB_CODEC_BODY_INVALID");
    fresh.restore(decoder.save());
    expect(codeOf(() => fresh.decode(body, TOKENS, out))).toBe("none");
    const payload = Uint8Array.from(body.payload);
    expect([...payload.subarray(1, 5)]).toEqual([1, 0, 0, 0]);
    payload[1] = 2;
    expect(codeOf(() => fresh.decode({ ...body, payload }, TOKENS, out))).toBe("NB_CODEC_BODY_INVALID");
  });

  it("sends no predictor with a message of a few tokens, but with the next", () => {
    const encoder = encoderOf("fixed:4,entropy=predict");
    const mode = (step: number, tokens: number) =>
      encoder.encode(correlated(step, tokens), tokens, { step, microBatch: 0 }).payload[0];
    for (const step of [0, 1]) {
      mode(step, TOKENS);
      encoder.endStep(step);
    }
    expect(mode(2, 3)).toBeLessThan(2);
    encoder.endStep(2);
    expect(mode(3, TOKENS)).toBe(3);
  });

  it("sends no predictor where channels have nothing to do with each other", () => {
    const encoder = encoderOf("fixed:4,entropy=predict");
    const modes = Array.from({ length: 9 }, (_, step) => {
      const x = gaussianTensor(step, TOKENS, CHANNELS);
      const mode = encoder.encode(x, TOKENS, { step, microBatch: 0 }).payload[0];
      encoder.endStep(step);
      return mode;
    });
    expect(new Set(modes)).toEqual(new Set([1]));
  });

  it("learns and writes the same with kernels as without", () => {
    try {
      const [without, withKernels] = [false, true].map((on) => {
        enableKernels(on);
        const encoder = encoderOf("fixed:4,entropy=predict");
        return [0, 1, 2, 3].map((step) => {
          const text = hex(encoder.encode(correlated(step), TOKENS, { step, microBatch: 0 }).payload);
          encoder.endStep(step);
          return text;
        });
      });
      expect(withKernels).toEqual(without);
    } finally {
      enableKernels(true);
    }
  });

  it("goes on from a saved state, bit for bit", () => {
    const encoder = encoderOf("fixed:4,entropy=predict");
    run(encoder, 0, 5);
    const copy = encoderOf("fixed:4,entropy=predict");
    copy.restore(encoder.save());
    for (let step = 5; step < 9; step++) {
      const [a, b] = [encoder, copy].map((e) => {
        const text = hex(e.encode(correlated(step), TOKENS, { step, microBatch: 0 }).payload);
        e.endStep(step);
        return text;
      });
      expect(b).toBe(a);
    }
  });
});

describe("a stream with entropy=rans", () => {
  it("has no predictor: one that is sent is refused", () => {
    const encoder = encoderOf("fixed:4,entropy=predict");
    for (const step of [0, 1]) {
      encoder.encode(correlated(step), TOKENS, { step, microBatch: 0 });
      encoder.endStep(step);
    }
    const body = encoder.encode(correlated(2), TOKENS, { step: 2, microBatch: 0 });
    const decoder = createDecoder(parseCodecSpec("fixed:4,entropy=rans"), { channels: CHANNELS });
    expect(body.payload[0]).toBe(3);
    expect(codeOf(() => decoder.decode(body, TOKENS, new Float32Array(TOKENS * CHANNELS)))).toBe(
      "NB_CODEC_BODY_INVALID",
    );
  });

  it("is packed, one byte longer than without, where coding does not pay", () => {
    const x = correlated(3, 2);
    const plain = encoderOf("fixed:4").encode(x, 2, { step: 0, microBatch: 0 });
    const coded = encoderOf("fixed:4,entropy=rans").encode(x, 2, { step: 0, microBatch: 0 });
    expect(hex(coded.payload)).toBe(`00${hex(plain.payload)}`);
  });
});
