/** AQ-SGD: rows that come again are sent as changes; both ends keep the same rows, within bounds, through replays. */
import { describe, expect, it } from "vitest";
import type { EncodedSections, TensorDecoder, TensorEncoder } from "../../../shared/codec/codec.ts";
import { createDecoder, createEncoder, forNewPeer, parseCodecSpec } from "../../../shared/codec/registry.ts";
import { NarrowbandError } from "../../../shared/errors.ts";
import { gaussianTensor, relativeError, sameBits } from "../helpers.ts";

const CHANNELS = 6;
const [FIRST, DELTA, DIRECT] = [0, 1, 2];

function ends(text = "aqsgd:4", role: "activation" | "gradient" = "activation") {
  const spec = parseCodecSpec(text);
  return {
    encoder: createEncoder(spec, { channels: CHANNELS, role, seed: 1, streamId: 1 }),
    decoder: createDecoder(spec, { channels: CHANNELS }),
  };
}

/** A tensor of rows that changes little from step to step. */
function tensorAt(step: number, ids: readonly number[], lengths: readonly number[]): Float32Array {
  const parts = ids.map((id, r) => {
    const base = gaussianTensor(id, lengths[r]!, CHANNELS, () => 10);
    const drift = gaussianTensor(1000 + id + step, lengths[r]!, CHANNELS, () => 0.1);
    return base.map((value, i) => value + step * drift[i]!);
  });
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

interface Sent {
  readonly kinds: number[];
  readonly error: number;
  readonly sections: EncodedSections;
}

function send(
  { encoder, decoder }: { encoder: TensorEncoder; decoder?: TensorDecoder },
  step: number,
  ids: readonly number[],
  lengths: readonly number[] = ids.map(() => 5),
  microBatch = 0,
): Sent {
  const x = tensorAt(step, ids, lengths);
  const tokens = x.length / CHANNELS;
  const sections = encoder.encode(x, tokens, { step, microBatch, rows: { ids, lengths } });
  if (decoder !== undefined) {
    const out = new Float32Array(x.length);
    decoder.decode(sections, tokens, out);
    expect(sameBits(out, sections.reconstruction)).toBe(true);
  }
  const kinds = ids.map((_, r) => sections.scales[2 + 9 * r]!);
  return { kinds, sections, error: relativeError(x, sections.reconstruction) };
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

describe("aqsgd", () => {
  it("sends a row as f16 at first and then as a change, whose error is that of the change", () => {
    const pair = ends("aqsgd:4");
    const first = send(pair, 0, [3, 4]);
    pair.encoder.endStep(0);
    const second = send(pair, 1, [4, 3]);
    pair.encoder.endStep(1);
    const third = send(pair, 2, [3, 9]);
    expect([first.kinds, second.kinds, third.kinds]).toEqual([
      [FIRST, FIRST],
      [DELTA, DELTA],
      [DELTA, FIRST],
    ]);
    expect(first.error).toBeLessThan(1e-6);
    const direct = send({ encoder: ends("aqsgd:4,cacheRows=0").encoder }, 1, [4, 3]);
    expect(direct.kinds).toEqual([DIRECT, DIRECT]);
    expect(second.error).toBeLessThan(direct.error / 100);
    expect(pair.decoder.rows).toEqual({ lengths: [5, 5], ids: [0, 2] });
  });

  it("counts nothing of a step that was not committed, and its receiver bears that", () => {
    const pair = ends();
    send(pair, 0, [1, 2]);
    // Abandoned; done again by another step with other rows.
    expect(send(pair, 1, [2, 5]).kinds).toEqual([FIRST, FIRST]);
    pair.encoder.endStep(1);
    const before = pair.encoder.save();
    expect(send(pair, 2, [2, 5]).kinds).toEqual([DELTA, DELTA]);
    pair.encoder.restore(before);
    expect(send(pair, 3, [5, 2]).kinds).toEqual([DELTA, DELTA]);
    pair.encoder.endStep(3);
    expect(send(pair, 4, [5, 2, 1]).kinds).toEqual([DELTA, DELTA, FIRST]);
  });

  it("has the same row in several micro-batches of a step", () => {
    const pair = ends();
    for (let step = 0; step < 4; step++) {
      for (const microBatch of [0, 1, 2]) send(pair, step, [7, microBatch, 7], [5, 5, 5], microBatch);
      for (const microBatch of [2, 0]) send(pair, step, [7, microBatch, 7], [5, 5, 5], microBatch);
      pair.encoder.endStep(step);
    }
  });

  it("keeps no more rows, and no longer ones, than its settings say; further ones go directly", () => {
    const pair = ends("aqsgd:4,cacheRows=2,rowTokens=6");
    expect(send(pair, 0, [1, 2, 3], [5, 7, 6]).kinds).toEqual([FIRST, DIRECT, FIRST]);
    pair.encoder.endStep(0);
    expect(send(pair, 1, [8, 1, 3], [5, 5, 6]).kinds).toEqual([DIRECT, DELTA, DELTA]);
    pair.encoder.endStep(1);
    const { arrays } = pair.decoder.save();
    expect(arrays.newest!.length / 3).toBe(2);
    expect(pair.decoder.rows!.ids).toEqual([-1, 0, 1]);
  });

  it("sends a row anew whose length is another", () => {
    const pair = ends();
    send(pair, 0, [1], [5]);
    pair.encoder.endStep(0);
    expect(send(pair, 1, [1], [6]).kinds).toEqual([FIRST]);
    pair.encoder.endStep(1);
    expect(send(pair, 2, [1], [6]).kinds).toEqual([DELTA]);
    expect(pair.encoder.save().arrays.kept!.length / 3).toBe(1);
  });

  it("quantizes gradients, and rows without identity, directly", () => {
    const gradient = ends("aqsgd:4", "gradient");
    expect(send(gradient, 0, [1, 2]).kinds[0]).toBe(DIRECT);
    expect(Object.keys(gradient.encoder.save().arrays)).toEqual(["kept", "staged"]);
    expect(send(ends(), 0, [-1, 2]).kinds).toEqual([DIRECT, FIRST]);
    const x = gaussianTensor(1, 4, CHANNELS);
    const body = ends().encoder.encode(x, 4, { step: 0, microBatch: 0 });
    expect(body.scales[2]).toBe(DIRECT);
  });

  it("begins anew with a new receiver, whatever states are restored afterwards", () => {
    const { encoder, decoder } = ends();
    send({ encoder, decoder }, 0, [1, 2]);
    encoder.endStep(0);
    const open = encoder.save();
    send({ encoder, decoder }, 1, [1, 2]);
    encoder.forgetPeer!();
    encoder.restore(open);
    const fresh = ends().decoder;
    expect(send({ encoder, decoder: fresh }, 1, [1, 2]).kinds).toEqual([FIRST, FIRST]);
    encoder.endStep(1);
    expect(send({ encoder, decoder: fresh }, 2, [1, 2]).kinds).toEqual([DELTA, DELTA]);
    // And from a checkpoint, which holds none of the rows.
    const stored = forNewPeer(encoder.save());
    expect(stored.arrays).toEqual({});
    const resumed = ends();
    resumed.encoder.restore(stored);
    expect(send(resumed, 3, [1, 2]).kinds).toEqual([FIRST, FIRST]);
  });

  it("refuses a change of what the receiver has not got, and slots and rows beyond the settings", () => {
    const { encoder, decoder } = ends("aqsgd:4,cacheRows=4,rowTokens=6");
    send({ encoder, decoder }, 0, [1, 2]);
    encoder.endStep(0);
    const { sections } = send({ encoder }, 1, [1, 2]);
    const out = new Float32Array(10 * CHANNELS);
    const refused = (target: TensorDecoder, change: (scales: Uint8Array) => void) => {
      const scales = Uint8Array.from(sections.scales);
      change(scales);
      return codeOf(() => target.decode({ ...sections, scales }, 10, out)) === "NB_CODEC_BODY_INVALID";
    };
    expect(refused(ends("aqsgd:4").decoder, () => {})).toBe(true);
    expect(refused(decoder, (scales) => scales.set([3], 3))).toBe(true);
    expect(refused(decoder, (scales) => scales.set([9], 5))).toBe(true);
    expect(refused(decoder, (scales) => scales.set([0xff, 0xff, 0xff, 0xff], 7))).toBe(true);
    expect(refused(decoder, (scales) => scales.set([0xff, 0xff], 0))).toBe(true);
    expect(refused(decoder, (scales) => scales.set([3], 2))).toBe(true);
    expect(refused(decoder, () => {})).toBe(false);
  });

  it("refuses a state that does not fit", () => {
    const { encoder } = ends("aqsgd:4,cacheRows=4");
    send({ encoder }, 0, [1, 2]);
    const good = encoder.save();
    const other = ends("aqsgd:4,cacheRows=1").encoder;
    expect(codeOf(() => other.restore(good))).toBe("NB_CODEC_STATE_INVALID");
    const short = { ...good, arrays: { ...good.arrays, "staged.0": new Uint8Array(7) } };
    expect(codeOf(() => encoder.restore(short))).toBe("NB_CODEC_STATE_INVALID");
    expect(encoder.save()).toEqual(good);
  });
});
