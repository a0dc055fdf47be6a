/** The zoo's codecs do what their sources say, on tensors small enough to reckon by hand. */
import { describe, expect, it } from "vitest";
import { createEncoder, parseCodecSpec, type TensorRole } from "../../../shared/codec/registry.ts";
import {
  E2M1,
  E4M3,
  E5M2,
  fromMinifloat,
  type Minifloat,
  toMinifloat,
} from "../../../shared/codec/zoo/minifloat.ts";
import { gaussianTensor, hex, relativeError } from "../helpers.ts";

function send(
  text: string,
  values: readonly number[] | Float32Array,
  channels: number,
  role: TensorRole = "activation",
) {
  const x = Float32Array.from(values);
  const encoder = createEncoder(parseCodecSpec(text), { channels, role, seed: 1, streamId: 1 });
  const body = encoder.encode(x, x.length / channels, { step: 0, microBatch: 0 });
  const out = [...body.reconstruction];
  return {
    out,
    scales: hex(body.scales),
    payload: hex(body.payload),
    bytes: body.scales.length + body.payload.length,
    error: relativeError(x, body.reconstruction),
  };
}

describe("small floats", () => {
  it("have the values of the OCP specifications", () => {
    expect([...E2M1.magnitudes]).toEqual([0, 0.5, 1, 1.5, 2, 3, 4, 6]);
    expect([E4M3.max, E4M3.magnitudes[1], E4M3.magnitudes[8]]).toEqual([448, 2 ** -9, 2 ** -6]);
    expect([E5M2.max, E5M2.magnitudes[1], E5M2.magnitudes[4]]).toEqual([57344, 2 ** -16, 2 ** -14]);
    expect([0x7f, 0xff].map((code) => fromMinifloat(code, E4M3))).toEqual([NaN, NaN]);
    expect([0x7c, 0xfd].map((code) => fromMinifloat(code, E5M2))).toEqual([NaN, NaN]);
  });

  it("round to nearest, ties to even, and saturate", () => {
    for (const format of [E2M1, E4M3, E5M2] as Minifloat[]) {
      for (let code = 0; code < 2 ** format.bits; code++) {
        const value = fromMinifloat(code, format);
        if (!Number.isNaN(value)) expect(toMinifloat(value, format)).toBe(code);
      }
      expect(fromMinifloat(toMinifloat(1e30, format), format)).toBe(format.max);
      expect(fromMinifloat(toMinifloat(-1e30, format), format)).toBe(-format.max);
    }
    const near = (value: number) => fromMinifloat(toMinifloat(value, E2M1), E2M1);
    expect([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5].map(near)).toEqual([0, 1, 1, 2, 2, 4, 4]);
    expect([0.26, 2.51, -5.01].map(near)).toEqual([0.5, 3, -6]);
  });
});

describe("bf16", () => {
  it("is the upper half of an f32, rounded, ties to even, saturated", () => {
    const { out, payload, bytes } = send("bf16", [1, -2.5, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38, 1e-42], 2);
    expect(out).toEqual([1, -2.5, 1, 1 + 2 ** -6, Math.fround((2 - 2 ** -7) * 2 ** 127), 0]);
    expect(payload.slice(0, 8)).toBe("803f20c0");
    expect(bytes).toBe(12);
  });
});

describe("fp8", () => {
  it("brings the largest magnitude of tensor or channel to the format's largest", () => {
    const x = [448, 7, -224, 0.875, 13.5, 0.4375];
    expect(send("fp8:e4m3", x, 2).out).toEqual([448, 7, -224, 0.875, 14, 0.4375]);
    const small = send("fp8:e4m3,scale=channel", [448, 7 / 1024, 1, 3.5 / 1024], 2);
    expect(small.out).toEqual([448, 7 / 1024, 1, 3.5 / 1024]);
    expect(small.bytes).toBe(4 + 1 + 2 * 2);
    expect(send("fp8:e5m2", [57344, 5, 6, 7], 2).out).toEqual([57344, 5, 6, 7]);
    expect(send("fp8:e5m2", [57344, 4.5, 5.5, 0], 2).bytes).toBe(4 + 3);
  });
});

describe("fp4", () => {
  it("has a power of two for each block of 32 channels of a token", () => {
    const x = new Float32Array(40);
    x.set([6, -3, 0.5, 0.1]);
    x.set([96, 24], 32);
    const { out, scales, bytes } = send("fp4", x, 40);
    expect(out.slice(0, 4)).toEqual([6, -3, 0.5, 0]);
    expect(out.slice(32, 34)).toEqual([96, 24]);
    // Exponents floor(log2 6) − 2 = 0 and floor(log2 96) − 2 = 4, both with the bias 127.
    expect(scales).toBe("7f83");
    expect(bytes).toBe(20 + 2);
  });
});

describe("int8", () => {
  it("has a scale for each 4096 elements, and 0 and ±1 in its codebook", () => {
    const x = new Float32Array(5000);
    x.set([2, -1, 0.5]);
    x.set([-8, 4], 4096);
    for (const book of ["linear", "dynamic"]) {
      const { out, scales, bytes } = send(`int8:${book}`, x, 8);
      expect([out[0], out[3]]).toEqual([2, 0]);
      expect(bytes).toBe(5000 + 2 * 4);
      expect(scales).toBe("0000004000000041");
    }
    const linear = send("int8:linear", [127, -127, 64, -1.4], 2);
    expect(linear.out).toEqual([127, -127, 64, -1]);
    // Dynamic: the decade of 0.01 to 0.1 is shared out to 32 values, so small values keep two digits.
    const small = send("int8:dynamic", [1, 0.0123, 0.5, -0.0123], 2);
    expect(Math.abs(small.out[1]! - 0.0123)).toBeLessThan(0.09 / 32 / 2);
    expect(small.out[3]).toBe(-small.out[1]!);
  });
});

describe("fixpoint", () => {
  it("is round(x / max · 2^(b−1)), the largest positive value a step short", () => {
    const { out, bytes } = send("fixpoint:3", [8, -8, 4, -1.9, 3, 0.9, 0, 8], 1);
    expect(out).toEqual([6, -8, 4, -2, 4, 0, 0, 6]);
    expect(bytes).toBe(3 + 1 + 2);
  });

  it("rounds stochastically without bias when told to", () => {
    const x = new Float32Array(20_000).fill(0.3);
    x[0] = -1;
    const { out } = send("fixpoint:2,rounding=stochastic", x, 1);
    expect(new Set(out.slice(1))).toEqual(new Set([0, 0.5]));
    expect(out.slice(1).reduce((a, b) => a + b, 0) / 19_999).toBeCloseTo(0.3, 1);
  });
});

describe("group", () => {
  it("has lowest level and step for each 64 channels of a token", () => {
    const x = Float32Array.from({ length: 130 }, (_, c) =>
      c < 64 ? c % 4 : c < 128 ? 10 * (c % 4) - 3 : 128 + 3 * (c - 128),
    );
    const { out, bytes } = send("group:2", x, 130);
    expect(out).toEqual([...x]);
    expect(bytes).toBe(Math.ceil(260 / 8) + 1 + 4 * 3);
  });
});

describe("tah", () => {
  it("gives the fifth of the tokens with the least entropy 3 bits, the others 4", () => {
    const x = gaussianTensor(5, 10, 64);
    // Two tokens of almost no entropy.
    for (const t of [3, 7]) for (let c = 0; c < 64; c++) x[t * 64 + c] = c === 9 ? 50 : 0.01 * (c % 3);
    const { payload, scales } = send("tah", x, 64);
    expect(payload.length / 2).toBe((2 * 64 * 3) / 8 + (8 * 64 * 4) / 8);
    // Kind, bits of the tokens, bits of the tiles: both tokens are narrow, and their tiles rotated.
    expect(scales.slice(0, 10)).toBe("0188008800");
    // Two places of 6 bits: 9 and 9.
    expect(scales.slice(10, 14)).toBe("4902");
  });

  it("finds a rotated tile's outlier and its small neighbours better than without rotation", () => {
    const x = gaussianTensor(6, 50, 64);
    for (let t = 0; t < 50; t++) x[t * 64 + 20] = 40;
    const rotated = send("tah,lowShare=0", x, 64);
    const plain = send("group:4", x, 64);
    expect(rotated.error).toBeLessThan(plain.error / 4);
  });

  it("sends gradients as 6-bit fixed point in tiles of 32", () => {
    const x = gaussianTensor(5, 10, 64, () => 1e-6);
    const { bytes, error } = send("tah", x, 64, "gradient");
    expect(bytes).toBe((640 * 6) / 8 + 1 + 1 + 2 * 20);
    expect(error).toBeLessThan(1.5e-3);
  });
});

describe("topk", () => {
  it("sends the largest magnitudes and their places, of equal ones the first", () => {
    const x = [0.1, -9, 0.2, 5, 1, 1, 1, 0, 0, 3];
    const { out, bytes } = send("topk:0.4,feedback=false", x, 5);
    expect(out).toEqual([0, -9, 0, 5, 1, 0, 0, 0, 0, 3]);
    expect(bytes).toBe(1 + 8 + 1 + 2);
    expect(
      send("topk:1", x, 5)
        .out.map((v, i) => Math.abs(v - x[i]!))
        .every((e) => e < 1e-3),
    ).toBe(true);
  });

  it("codes places near their entropy", () => {
    const x = gaussianTensor(2, 256, 64);
    const { bytes } = send("topk:0.05,feedback=false", x, 64);
    const [n, p] = [x.length, 0.05];
    const entropy = -n * (p * Math.log2(p) + (1 - p) * Math.log2(1 - p));
    expect(bytes * 8 - 16 * Math.ceil(n * p)).toBeLessThan(entropy * 1.05);
  });
});

describe("ternary", () => {
  it("is unbiased where it does not clip, and packs five symbols in a byte", () => {
    const x = Float32Array.from({ length: 30_000 }, (_, i) => [0.5, -0.25, 1][i % 3]!);
    const { out, bytes } = send("ternary,scale=tensor,clipSigma=0", x, 3);
    expect(new Set(out)).toEqual(new Set([0, 1, -1]));
    for (const c of [0, 1, 2]) {
      const mean = out.filter((_, i) => i % 3 === c).reduce((a, b) => a + b, 0) / 10_000;
      expect(mean).toBeCloseTo(x[c]!, 1);
    }
    expect(bytes).toBe(6_000 + 3);
  });

  it("clips at 2.5 standard deviations", () => {
    const x = gaussianTensor(3, 4_000, 1);
    x[17] = 100;
    const largest = Math.max(...send("ternary", x, 1).out);
    const sigma = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / 4_000);
    expect(largest).toBeGreaterThan(2.45 * sigma);
    expect(largest).toBeLessThan(2.55 * sigma);
  });
});

describe("binary", () => {
  it("sends signs, and the mean of each side of a channel", () => {
    const { out, bytes } = send("binary,feedback=false", [1, -4, 3, -2, -6, 0, -2, 8], 2);
    expect(out).toEqual([2, -3, 2, -3, -4, 4, -4, 4]);
    expect(bytes).toBe(1 + 1 + 8);
  });
});
