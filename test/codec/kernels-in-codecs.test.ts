/** Codecs write the same bytes with kernels as without, into the caller's arrays, and allocate no array for a message. */

import { afterEach, describe, expect, it } from "vitest";
import { enableKernels } from "../../shared/codec/kernels/kernels.ts";
import { createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { gaussianTensor, sameBits } from "./helpers.ts";

afterEach(() => enableKernels(true));

const SPECS = ["fixed:2", "fixed:3", "fixed:5", "fixed:8", "amaq:8-3"].map(parseCodecSpec);
const SHAPES = [
  [512, 64],
  [333, 130],
  [1, 4096],
] as const;

describe("with and without kernels", () => {
  for (const spec of SPECS) {
    it(`${JSON.stringify(spec)} writes and reads the same, for activations and gradients`, () => {
      for (const [tokens, channels] of SHAPES) {
        for (const role of ["activation", "gradient"] as const) {
          const x = gaussianTensor(tokens, tokens, channels, (c) => 1.5 ** (c % 9));
          const [without, withKernels] = [false, true].map((on) => {
            enableKernels(on);
            const encoder = createEncoder(spec, { channels, role, seed: 7, streamId: 3 });
            const { bitTable, bitTableVersion, scales, payload, reconstruction } = encoder.encode(x, tokens, {
              step: 0,
              microBatch: 0,
            });
            const out = new Float32Array(x.length);
            const sections = { bitTable, bitTableVersion, scales, payload };
            createDecoder(spec, { channels }).decode(sections, tokens, out);
            return { scales: scales.slice(), payload: payload.slice(), reconstruction, out };
          });
          expect(Buffer.compare(withKernels!.scales, without!.scales)).toBe(0);
          expect(Buffer.compare(withKernels!.payload, without!.payload)).toBe(0);
          expect(sameBits(withKernels!.reconstruction, without!.reconstruction)).toBe(true);
          expect(sameBits(withKernels!.out, without!.out)).toBe(true);
          expect(sameBits(withKernels!.out, withKernels!.reconstruction)).toBe(true);
        }
      }
    });
  }
});

describe("encode() with the caller's arrays", () => {
  const [tokens, channels] = [512, 192];
  const x = gaussianTensor(2, tokens, channels);
  const at = { step: 0, microBatch: 0 };
  const make = () => {
    const encoder = createEncoder(parseCodecSpec("fixed:3"), {
      channels,
      role: "activation",
      seed: 1,
      streamId: 1,
    });
    return { encoder, decoder: createDecoder(parseCodecSpec("fixed:3"), { channels }) };
  };

  it("writes into them, and says how much of the payload it used", () => {
    const payload = new Uint8Array(x.length * 5);
    const reconstruction = new Float32Array(x.length);
    const { encoder } = make();
    const own = encoder.encode(x, tokens, at);
    const expected = { payload: own.payload.slice(), reconstruction: own.reconstruction };
    const given = encoder.encode(x, tokens, at, { payload, reconstruction });
    expect(given.reconstruction).toBe(reconstruction);
    expect(given.payload.buffer).toBe(payload.buffer);
    expect(given.payload.length).toBe((x.length * 3) / 8);
    expect(Buffer.compare(given.payload, expected.payload)).toBe(0);
    expect(sameBits(reconstruction, expected.reconstruction)).toBe(true);
  });

  it("uses its own payload where the given one is too small", () => {
    const payload = new Uint8Array(10);
    const { encoder } = make();
    const given = encoder.encode(x, tokens, at, { payload });
    expect(given.payload.buffer).not.toBe(payload.buffer);
    expect(given.payload.length).toBe((x.length * 3) / 8);
  });

  it("allocates no array: 200 messages leave the memory of arrays as it was", () => {
    const outputs = { payload: new Uint8Array(x.length), reconstruction: new Float32Array(x.length) };
    const { encoder, decoder } = make();
    const out = new Float32Array(x.length);
    const message = () => {
      const { bitTable, bitTableVersion, scales, payload } = encoder.encode(x, tokens, at, outputs);
      decoder.decode({ bitTable, bitTableVersion, scales, payload }, tokens, out);
    };
    message();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 200; i++) message();
    // Any array of a message (36 kB of payload, 393 kB of values) would show 200 times, or until the collector runs.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(36_000);
  });
});
