/** Bit tables travel until a step with them has committed, then only when widths change. */

import { describe, expect, it } from "vitest";
import {
  createDecoder,
  createEncoder,
  forNewConnection,
  parseCodecSpec,
} from "../../shared/codec/registry.ts";
import { planWidths, readTable, tableBytes, writeTable } from "../../shared/codec/widths.ts";
import { gaussianTensor, randomSource, sameBits } from "./helpers.ts";

const CHANNELS = 32;
const TOKENS = 8;
const OPTIONS = { channels: CHANNELS, role: "activation", seed: 1, streamId: 1 } as const;
const x = gaussianTensor(1, TOKENS, CHANNELS);

describe("a bit table", () => {
  it("takes 3 bits a channel and comes back", () => {
    const random = randomSource(1);
    for (const channels of [1, 2, 3, 7, 8, 9, 256, 1000]) {
      const widths = Uint8Array.from({ length: channels }, () => 1 + Math.floor(random() * 8));
      expect(writeTable(widths).length).toBe(Math.ceil((channels * 3) / 8));
      expect(tableBytes(channels)).toBe(Math.ceil((channels * 3) / 8));
      expect(readTable(writeTable(widths), channels, 1, 8)).toEqual(widths);
    }
  });

  it("orders channels by width, then index", () => {
    const plan = planWidths(Uint8Array.of(4, 2, 4, 3, 2));
    expect([...plan.slots]).toEqual([3, 0, 4, 2, 1]);
    expect(plan.groups).toEqual([
      { width: 2, start: 0, channels: 2 },
      { width: 3, start: 2, channels: 1 },
      { width: 4, start: 3, channels: 2 },
    ]);
    expect(plan.totalBits).toBe(15);
  });
});

describe("amaq", () => {
  it("sends its table with the first micro-batch until that step has committed", () => {
    const encoder = createEncoder(parseCodecSpec("amaq:3-3"), OPTIONS);
    const sent = (step: number, microBatch: number) =>
      encoder.encode(x, TOKENS, { step, microBatch }).bitTable !== undefined;
    expect(sent(0, 0)).toBe(true);
    expect(sent(0, 1)).toBe(false);
    // Step 0 is abandoned and tried again, then step 1 takes its place.
    expect(sent(0, 0)).toBe(true);
    expect(sent(1, 0)).toBe(true);
    encoder.endStep(1);
    expect(sent(2, 0)).toBe(false);
  });

  it("does not take a table for sent in a step in which it sent nothing", () => {
    const encoder = createEncoder(parseCodecSpec("amaq:3-3"), OPTIONS);
    encoder.endStep(0);
    expect(encoder.encode(x, TOKENS, { step: 1, microBatch: 0 }).bitTable).toBeDefined();
  });

  it("counts the version up by one with each change, and sends each table once", () => {
    const encoder = createEncoder(parseCodecSpec("amaq:8-3@40"), OPTIONS);
    let widths = encoder.widths();
    let version = 1;
    for (let step = 0; step < 60; step++) {
      const body = encoder.encode(x, TOKENS, { step, microBatch: 0 });
      const now = encoder.widths();
      const changed = !now.every((width, c) => width === widths[c]);
      if (changed) version++;
      expect(body.bitTableVersion).toBe(version);
      expect(body.bitTable !== undefined).toBe(changed || step === 0);
      widths = now;
      encoder.endStep(step);
    }
    expect(version).toBeGreaterThan(10);
  });

  it("is followed by a decoder through an anneal with two micro-batches a step", () => {
    const spec = parseCodecSpec("amaq:8-3@30");
    const encoder = createEncoder(spec, OPTIONS);
    const decoder = createDecoder(spec, { channels: CHANNELS });
    for (let step = 0; step < 40; step++) {
      for (let microBatch = 0; microBatch < 2; microBatch++) {
        const tensor = gaussianTensor(step * 2 + microBatch, TOKENS, CHANNELS, (c) => c + 1);
        const body = encoder.encode(tensor, TOKENS, { step, microBatch });
        const out = new Float32Array(tensor.length);
        decoder.decode(body, TOKENS, out);
        expect(sameBits(out, body.reconstruction)).toBe(true);
        const gradient = tensor.map((value, i) => body.reconstruction[i]! - value);
        encoder.observe(tensor, body.reconstruction, gradient, TOKENS);
      }
      encoder.endStep(step);
    }
    expect(encoder.meanBits).toBe(3);
  });

  it("changes tables at most once in `dwell` steps after the anneal", () => {
    const spec = parseCodecSpec({ codec: "amaq", annealSteps: 0, startBits: 3, dwell: 8 });
    const encoder = createEncoder(spec, OPTIONS);
    const random = randomSource(2);
    const changes: number[] = [];
    let version = 1;
    for (let step = 0; step < 200; step++) {
      const tensor = gaussianTensor(
        step,
        TOKENS,
        CHANNELS,
        (c) => 1 + ((c + Math.floor(step / 40)) % 8) ** 2,
      );
      const body = encoder.encode(tensor, TOKENS, { step, microBatch: 0 });
      if (body.bitTableVersion !== version) changes.push(step);
      version = body.bitTableVersion;
      const gradient = tensor.map((value, i) => (body.reconstruction[i]! - value) * random());
      encoder.observe(tensor, body.reconstruction, gradient, TOKENS);
      encoder.endStep(step);
    }
    expect(changes.length).toBeGreaterThan(3);
    for (let k = 1; k < changes.length; k++) expect(changes[k]! - changes[k - 1]!).toBeGreaterThanOrEqual(8);
  });

  it("sends its table again when its state is restored into a new process", () => {
    const spec = parseCodecSpec("amaq:3-3");
    const encoder = createEncoder(spec, OPTIONS);
    encoder.encode(x, TOKENS, { step: 0, microBatch: 0 });
    encoder.endStep(0);
    const again = createEncoder(spec, OPTIONS);
    again.restore(encoder.save());
    expect(again.encode(x, TOKENS, { step: 1, microBatch: 0 }).bitTable).toBeUndefined();
    again.restore(forNewConnection(encoder.save()));
    const body = again.encode(x, TOKENS, { step: 1, microBatch: 0 });
    const out = new Float32Array(x.length);
    createDecoder(spec, { channels: CHANNELS }).decode(body, TOKENS, out);
    expect(sameBits(out, body.reconstruction)).toBe(true);
    const raw = createEncoder(parseCodecSpec("f16"), OPTIONS).save();
    expect(forNewConnection(raw)).toEqual(raw);
  });
});
