/** The Hadamard rotation is orthogonal, undoes itself, and is computed in one fixed way. */

import { describe, expect, it } from "vitest";
import { createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { Rotation } from "../../shared/codec/rotation.ts";
import { gaussianTensor } from "./helpers.ts";

function energy(tensor: Float32Array): number {
  return tensor.reduce((sum, value) => sum + value * value, 0);
}

describe("the rotation", () => {
  it.each([
    [64, 16],
    [64, 64],
    [100, 64],
    [3, 256],
    [1, 16],
  ])("of %i channels in blocks of %i keeps energy and inner products, and is undone", (channels, block) => {
    const rotation = new Rotation(channels, block);
    const x = gaussianTensor(1, 20, channels);
    const y = gaussianTensor(2, 20, channels);
    const [rx, ry] = [x.slice(), y.slice()];
    rotation.forward(rx);
    rotation.forward(ry);
    expect(energy(rx) / energy(x)).toBeCloseTo(1, 5);
    const inner = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    expect(Math.abs(inner(rx, ry) - inner(x, y))).toBeLessThan(1e-4 * energy(x));
    rotation.inverse(rx);
    for (let i = 0; i < x.length; i++) expect(Math.abs(rx[i]! - x[i]!)).toBeLessThan(1e-5);
  });

  it("spreads one channel evenly over its block, and over no other", () => {
    const rotation = new Rotation(32, 16);
    const x = new Float32Array(32);
    x[5] = 4;
    rotation.forward(x);
    expect([...x.subarray(0, 16)].map(Math.abs)).toEqual(new Array(16).fill(1));
    expect([...x.subarray(16)].map(Math.abs)).toEqual(new Array(16).fill(0));
  });

  it("has the values that its definition gives, with the signs of mix32", () => {
    // Signs of channels 0 to 7, from bit 31 of mix32(c · 0x9e3779b9); then Sylvester's matrix by hand on blocks of 4.
    const rotation = new Rotation(4, 4);
    const sign = [1, 2, 4, 8].map((_, c) => {
      const unit = new Float32Array(4);
      unit[c] = 2;
      rotation.forward(unit);
      // Row 0 of H is all ones: the first coefficient is the sign.
      return unit[0]!;
    });
    expect(sign.every((s) => Math.abs(s) === 1)).toBe(true);
    const x = [3, 5, 7, 11].map((value, c) => value * sign[c]!);
    const y = Float32Array.from(x);
    rotation.forward(y);
    // (3, 5, 7, 11): sums 26, 26 − 2·16 = −6, 8 − 18 = −10, 3 − 5 − 7 + 11 = 2; halved.
    expect([...y]).toEqual([13, -3, -5, 1]);
  });

  it("shares the error of a channel that stands out with its block", () => {
    const x = gaussianTensor(3, 256, 64, (c) => (c === 9 ? 50 : 1));
    const options = { channels: 64, role: "activation", seed: 1, streamId: 1 } as const;
    const at = { step: 0, microBatch: 0 };
    const error = (spec: string) => {
      const { reconstruction } = createEncoder(parseCodecSpec(spec), options).encode(x, 256, at);
      let sum = 0;
      for (let i = 9; i < x.length; i += 64) sum += (reconstruction[i]! - x[i]!) ** 2;
      return sum;
    };
    expect(error("fixed:3,rotate=64")).toBeLessThan(error("fixed:3") / 3);
  });
});
