/** A saved codec continues bit for bit, also through msgpack and in the middle of a step; a wrong state is refused whole. */

import { Packr } from "msgpackr";
import { describe, expect, it } from "vitest";
import { ALLOCATOR_NAMES } from "../../shared/codec/allocators/registry.ts";
import type { CodecState, TensorDecoder, TensorEncoder } from "../../shared/codec/codec.ts";
import { createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { gaussianTensor, hex, sameBits } from "./helpers.ts";

const CHANNELS = 24;
const TOKENS = 10;
const packr = new Packr({ useRecords: false, structuredClone: true });

/** Runs half a step (one of two micro-batches) and returns what was sent, in hex. */
function halfStep(encoder: TensorEncoder, decoder: TensorDecoder, half: number): string {
  const at = { step: half >> 1, microBatch: half & 1 };
  const x = gaussianTensor(half, TOKENS, CHANNELS, (c) => 1 + (c % 5));
  const body = encoder.encode(x, TOKENS, at);
  const out = new Float32Array(x.length);
  decoder.decode(body, TOKENS, out);
  expect(sameBits(out, body.reconstruction)).toBe(true);
  encoder.observe(
    x,
    body.reconstruction,
    x.map((value, i) => (body.reconstruction[i]! - value) * (i % 3)),
    TOKENS,
  );
  const sent = [body.bitTable ?? new Uint8Array(0), body.scales, body.payload].map(hex).join("/");
  if (at.microBatch === 1) encoder.endStep(at.step);
  return `${body.bitTableVersion}/${sent}`;
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

const AMAQ = ALLOCATOR_NAMES.map((name) => `amaq:8-3@10,allocator=${name}`);
const RATE = [
  "amaq:6-3@10,allocator=gate-rate,entropy=rans",
  "amaq:6-3@10,allocator=gate-rate,entropy=predict",
];
const CASES = ["f32", "f16", "fixed:3", ...AMAQ, ...RATE].flatMap((text) =>
  (["activation", "gradient"] as const).map((role) => ({ text, role })),
);

describe.each(CASES)("$text for a stream of $role", ({ text, role }) => {
  const spec = parseCodecSpec(text);
  const options = { channels: CHANNELS, role, seed: 3, streamId: 9 };

  it.each([0, 7, 8, 25])("goes on bit for bit when saved after %i half steps", (cut) => {
    const encoder = createEncoder(spec, options);
    const decoder = createDecoder(spec, { channels: CHANNELS });
    for (let half = 0; half < cut; half++) halfStep(encoder, decoder, half);
    const stored = packr.pack({ encoder: encoder.save(), decoder: decoder.save() });
    const straight: string[] = [];
    for (let half = cut; half < 40; half++) straight.push(halfStep(encoder, decoder, half));

    const state = packr.unpack(stored) as { encoder: CodecState; decoder: CodecState };
    const encoder2 = createEncoder(spec, options);
    const decoder2 = createDecoder(spec, { channels: CHANNELS });
    encoder2.restore(state.encoder);
    decoder2.restore(state.decoder);
    const resumed: string[] = [];
    for (let half = cut; half < 40; half++) resumed.push(halfStep(encoder2, decoder2, half));
    expect(resumed).toEqual(straight);
    expect(encoder2.save()).toEqual(encoder.save());
  });

  it("saves copies: going on does not change a saved state", () => {
    const encoder = createEncoder(spec, options);
    const decoder = createDecoder(spec, { channels: CHANNELS });
    halfStep(encoder, decoder, 0);
    const saved = encoder.save();
    const copy = structuredClone(saved);
    for (let half = 1; half < 9; half++) halfStep(encoder, decoder, half);
    expect(saved).toEqual(copy);
  });

  it("refuses the state of another codec", () => {
    const other = parseCodecSpec(spec.codec === "f32" ? "f16" : "f32");
    const state = createEncoder(other, options).save();
    expect(codeOf(() => createEncoder(spec, options).restore(state))).toBe("NB_CODEC_STATE_INVALID");
    expect(codeOf(() => createDecoder(spec, { channels: CHANNELS }).restore(state))).toBe(
      "NB_CODEC_STATE_INVALID",
    );
  });
});

describe("amaq", () => {
  const spec = parseCodecSpec("amaq:8-3@10,allocator=gate-ste");
  const options = { channels: CHANNELS, role: "activation", seed: 3, streamId: 9 } as const;

  it("counts a micro-batch that is encoded twice once", () => {
    const gradientOptions = { ...options, role: "gradient" } as const;
    const once = createEncoder(spec, gradientOptions);
    const twice = createEncoder(spec, gradientOptions);
    for (let step = 0; step < 12; step++) {
      // An attempt at an earlier step that had more micro-batches and was abandoned.
      twice.encode(gaussianTensor(step, TOKENS, CHANNELS), TOKENS, { step: step - 1, microBatch: 7 });
      for (let microBatch = 0; microBatch < 3; microBatch++) {
        const x = gaussianTensor(step * 3 + microBatch, TOKENS, CHANNELS, (c) => c + 1);
        once.encode(x, TOKENS, { step, microBatch });
        twice.encode(x, TOKENS, { step, microBatch });
      }
      // A replay, in another order.
      for (const microBatch of [2, 0, 1]) {
        const x = gaussianTensor(step * 3 + microBatch, TOKENS, CHANNELS, (c) => c + 1);
        twice.encode(x, TOKENS, { step, microBatch });
      }
      once.endStep(step);
      twice.endStep(step);
    }
    expect(twice.save()).toEqual(once.save());
  });

  it("refuses a state that does not fit, and stays as it was", () => {
    const encoder = createEncoder(spec, options);
    const good = encoder.save();
    const before = encoder.save();
    const bad: CodecState[] = [
      { ...good, arrays: { ...good.arrays, q: new Float64Array(CHANNELS - 1) } },
      { ...good, arrays: { ...good.arrays, v: new Float64Array(CHANNELS).fill(NaN) } },
      { ...good, arrays: { ...good.arrays, widths: new Uint8Array(CHANNELS).fill(9) } },
      { ...good, arrays: { ...good.arrays, observed: new Float32Array(CHANNELS + 1) } },
      { ...good, arrays: { ...good.arrays, "distortion.x": new Float64Array(CHANNELS + 1) } },
      { ...good, numbers: { ...good.numbers, gateSteps: -1 } },
      { ...good, numbers: {} },
      { ...good, bitTableVersion: 0 },
      { ...good, arrays: {} },
    ];
    for (const state of bad) {
      expect(codeOf(() => encoder.restore(state))).toBe("NB_CODEC_STATE_INVALID");
      expect(encoder.save()).toEqual(before);
    }
    expect(codeOf(() => createEncoder(spec, { ...options, channels: CHANNELS + 1 }).restore(good))).toBe(
      "NB_CODEC_STATE_INVALID",
    );
  });
});
