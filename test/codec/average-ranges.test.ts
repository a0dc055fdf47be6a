/** With `clip: ema` the receiver keeps scales, which travel when they pay, so that short messages are short. */

import { describe, expect, it } from "vitest";
import { createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { TensorReceiver, TensorSender } from "../../shared/protocol/tensor-stream.ts";
import { gaussianTensor, relativeError, sameBits } from "./helpers.ts";

const CHANNELS = 64;
const STREAM = { channels: CHANNELS, role: "activation", seed: 1, streamId: 1 } as const;

function run(spec: string, tokens: number, messages: number, scaleAt: (step: number) => number = () => 1) {
  const encoder = createEncoder(parseCodecSpec(spec), STREAM);
  const decoder = createDecoder(parseCodecSpec(spec), STREAM);
  const log: { bytes: number; table: boolean; own: boolean; error: number }[] = [];
  for (let step = 0; step < messages; step++) {
    const x = gaussianTensor(step + 1, tokens, CHANNELS, (c) => scaleAt(step) * (1 + (c % 5)));
    const body = encoder.encode(x, tokens, { step, microBatch: 0 });
    const out = new Float32Array(x.length);
    decoder.decode(body, tokens, out);
    expect(sameBits(out, body.reconstruction)).toBe(true);
    const bytes = (body.bitTable?.length ?? 0) + body.scales.length + body.payload.length;
    log.push({
      bytes,
      table: body.bitTable !== undefined,
      own: body.scales.length > 0,
      error: relativeError(x, out),
    });
    encoder.endStep(step);
  }
  return log;
}

describe("ranges that the receiver keeps", () => {
  it("make messages of one token 3 bits an element, at the error of long messages", () => {
    const log = run("fixed:3,clip=ema", 1, 400);
    const settled = log.slice(200);
    const bits = settled.reduce((sum, { bytes }) => sum + bytes, 0) * 8;
    expect(bits / (200 * CHANNELS)).toBeLessThan(3.4);
    const error = settled.reduce((sum, entry) => sum + entry.error, 0) / 200;
    // Max's optimum for 8 levels is 0.0374.
    expect(error).toBeLessThan(0.05);
    const plain = run("fixed:3", 1, 2);
    expect((plain[1]!.bytes * 8) / CHANNELS).toBeGreaterThan(35);
  });

  it("are sent a few times, not with every message", () => {
    const log = run("fixed:3,clip=ema", 16, 200);
    expect(log.filter(({ table }) => table).length).toBeLessThan(20);
    expect(log.filter(({ own }) => own).length).toBeLessThan(5);
  });

  it("follow a tensor that grows, and a message that they would spoil brings its own", () => {
    const log = run("fixed:4,clip=ema", 64, 60, (step) => (step < 30 ? 1 : 10));
    expect(log[30]!.own).toBe(true);
    expect(log[30]!.error).toBeLessThan(0.02);
    expect(log[59]!.error).toBeLessThan(0.02);
    expect(log.slice(31).some(({ table }) => table)).toBe(true);
  });

  it("change in endStep alone: encoding again gives the same bytes", () => {
    const encoder = createEncoder(parseCodecSpec("fixed:3,clip=ema"), STREAM);
    for (let step = 0; step < 20; step++) {
      const x = gaussianTensor(step, 8, CHANNELS);
      const first = encoder.encode(x, 8, { step, microBatch: 0 });
      const copy = { ...first, scales: first.scales.slice(), payload: first.payload.slice() };
      expect(encoder.encode(x, 8, { step, microBatch: 0 })).toEqual(copy);
      encoder.endStep(step);
    }
  });

  it.each(["fixed:3,clip=ema", "amaq:4-3@4,clip=ema"])("are sent again on a new connection: %s", (text) => {
    const spec = parseCodecSpec(text);
    const sender = new TensorSender(createEncoder(spec, STREAM), "A1", 3);
    const receiver = new TensorReceiver(() => createDecoder(spec, STREAM));
    for (let step = 0; step < 40; step++) {
      if (step === 25) {
        sender.resetPeer();
        sender.forgetPeer();
        receiver.resetPeer();
      }
      const x = gaussianTensor(step, 8, CHANNELS);
      for (const microBatch of [0, 1]) {
        const { reconstruction } = sender.encoder.encode(x, 8, { step, microBatch });
        const sent = sender.encode(x, 8, { step, attempt: 0 }, microBatch);
        const message = sender.toSend(sent.message);
        if (step === 25) expect(message.bitTable !== undefined).toBe(microBatch === 0);
        expect(sameBits(receiver.decode(message), reconstruction)).toBe(true);
      }
      sender.encoder.endStep(step);
    }
  });

  it("are refused when the body counts on others than those at hand", () => {
    const spec = parseCodecSpec("fixed:3,clip=ema");
    const encoder = createEncoder(spec, STREAM);
    const x = gaussianTensor(1, 16, CHANNELS);
    encoder.encode(x, 16, { step: 0, microBatch: 0 });
    encoder.endStep(0);
    const body = encoder.encode(x, 16, { step: 1, microBatch: 0 });
    expect(body.scales.length).toBe(0);
    const decode = (sections: typeof body) => () =>
      createDecoder(spec, STREAM).decode(sections, 16, new Float32Array(x.length));
    expect(decode({ ...body, bitTable: undefined })).toThrow(NarrowbandError);
    expect(decode(body)).not.toThrow();
  });
});
