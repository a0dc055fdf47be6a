/**
 * The codec `topk`: the largest magnitudes of a tensor and where they stand, with error feedback.
 *
 * Scales: one byte e. Payload: the k values · 2^-e as f16, in order of place; one byte r; then the distance of each
 * from the one before, less one, as a Rice code (Rice and Plaut, IRE Trans. Commun. 19(6), 1971): ⌊d / 2^r⌋ ones, a
 * zero, and d mod 2^r in r bits, lowest bit first; padded with zeros to a byte. k = ⌈fraction · T · C⌉ is not sent.
 */

import { z } from "zod";
import { fail } from "../../errors.ts";
import { fromHalf, isFiniteHalf, toHalf } from "../../half.ts";
import type { CodecDefinition } from "../definition.ts";
import { requireBytes } from "../quantizer.ts";
import { exponentFor, readExponent } from "../scales.ts";
import { FeedbackEncoder } from "./feedback.ts";
import { type BodyFormat, FormatDecoder, FormatEncoder } from "./format.ts";

const MAX_RICE = 24;

const schema = z.strictObject({
  codec: z.literal("topk"),
  fraction: z.number().min(1e-5).max(1).describe("share of the elements that are sent"),
  feedback: z.boolean().default(true).describe("add what a message lost to the next one"),
});

type TopkSpec = z.output<typeof schema>;

/** Places of the k largest magnitudes, in order; of equal ones, the first. */
function largestPlaces(x: Float32Array, k: number): Uint32Array {
  const sorted = x.map(Math.abs).sort();
  const threshold = sorted[x.length - k]!;
  let above = 0;
  for (const value of x) if (Math.abs(value) > threshold) above++;
  let ties = k - above;
  const places = new Uint32Array(k);
  let n = 0;
  for (let i = 0; i < x.length; i++) {
    const magnitude = Math.abs(x[i]!);
    if (magnitude > threshold || (magnitude === threshold && ties-- > 0)) places[n++] = i;
  }
  return places;
}

/** The parameter that suits gaps of this mean: 2^r near mean · ln 2. */
function riceParameter(count: number, k: number): number {
  return Math.min(MAX_RICE, Math.max(0, Math.round(Math.log2((count / k) * Math.LN2))));
}

function writeGaps(places: Uint32Array, r: number): Uint8Array {
  const gaps = places.map((place, i) => place - (i === 0 ? 0 : places[i - 1]! + 1));
  const bits = gaps.reduce((sum, gap) => sum + (gap >>> r) + 1 + r, 0);
  const out = new Uint8Array(Math.ceil(bits / 8));
  let at = 0;
  const put = (bit: number) => {
    out[at >> 3] = out[at >> 3]! | (bit << (at & 7));
    at++;
  };
  for (const gap of gaps) {
    for (let q = gap >>> r; q > 0; q--) put(1);
    put(0);
    for (let b = 0; b < r; b++) put((gap >>> b) & 1);
  }
  return out;
}

/** Reads k places below `count`. Throws NB_CODEC_BODY_INVALID when the bytes hold fewer, other or more. */
function readGaps(bytes: Uint8Array, k: number, count: number, r: number): Uint32Array {
  const end = bytes.length * 8;
  let at = 0;
  const next = () => {
    if (at >= end) fail("NB_CODEC_BODY_INVALID", `the places of ${k} elements are cut short`);
    const bit = (bytes[at >> 3]! >> (at & 7)) & 1;
    at++;
    return bit;
  };
  const places = new Uint32Array(k);
  let place = -1;
  for (let i = 0; i < k; i++) {
    let gap = 0;
    while (next() === 1) gap += 2 ** r;
    for (let b = 0; b < r; b++) gap += next() * 2 ** b;
    place += gap + 1;
    if (place >= count) fail("NB_CODEC_BODY_INVALID", `place ${place} of a tensor of ${count} elements`);
    places[i] = place;
  }
  const whole = Math.ceil(at / 8) === bytes.length;
  while (at < end && whole)
    if (next() === 1) fail("NB_CODEC_BODY_INVALID", "padding after the last place is not zero");
  if (!whole)
    fail("NB_CODEC_BODY_INVALID", `${bytes.length} bytes of places, of which ${Math.ceil(at / 8)} are used`);
  return places;
}

function format({ fraction }: TopkSpec, channels: number): BodyFormat {
  const kept = (count: number) => Math.min(count, Math.ceil(fraction * count));
  return {
    codec: "topk",
    channels,
    bits: 16 * fraction,
    write(x) {
      const k = kept(x.length);
      const places = largestPlaces(x, k);
      const magnitude = places.reduce((most, place) => Math.max(most, Math.abs(x[place]!)), 0);
      const exponent = exponentFor(magnitude);
      const r = riceParameter(x.length, k);
      const gaps = writeGaps(places, r);
      const payload = new Uint8Array(2 * k + 1 + gaps.length);
      places.forEach((place, i) => {
        const half = saturated(toHalf(x[place]! * 2 ** -exponent));
        payload[2 * i] = half;
        payload[2 * i + 1] = half >>> 8;
      });
      payload[2 * k] = r;
      payload.set(gaps, 2 * k + 1);
      return { scales: Uint8Array.of(exponent), payload };
    },
    read({ scales, payload }, tokens, out) {
      const k = kept(out.length);
      requireBytes("scales", scales, 1, tokens, channels);
      if (payload.length < 2 * k + 1) requireBytes("payload", payload, 2 * k + 1, tokens, channels);
      const up = 2 ** readExponent(scales);
      const r = payload[2 * k]!;
      if (r > MAX_RICE) fail("NB_CODEC_BODY_INVALID", `Rice parameter ${r}; accepted are 0 to ${MAX_RICE}`);
      const halves = Uint16Array.from({ length: k }, (_, i) => payload[2 * i]! | (payload[2 * i + 1]! << 8));
      if (!halves.every(isFiniteHalf)) fail("NB_CODEC_BODY_INVALID", "an element is NaN or infinity");
      const places = readGaps(payload.subarray(2 * k + 1), k, out.length, r);
      out.fill(0);
      places.forEach((place, i) => {
        out[place] = fromHalf(halves[i]!) * up;
      });
    },
  };
}

/** The largest finite f16 in place of infinity. */
function saturated(half: number): number {
  return isFiniteHalf(half) ? half : (half & 0x8000) | 0x7bff;
}

export const topkCodec: CodecDefinition<TopkSpec> = {
  name: "topk",
  wireId: 13,
  summary: "the largest magnitudes as f16, and their places; with error feedback",
  source: "top-k sparsification; feedback by place as in Rudakov et al., arXiv:2401.07788",
  forms: "topk:FRACTION (0.00001 to 1)",
  examples: ["topk:0.1", "topk:0.3,feedback=false"],
  schema,
  parseArgument: (argument) =>
    argument !== undefined && /^\d(\.\d{1,9})?$/.test(argument) ? { fraction: Number(argument) } : undefined,
  label: (spec) => `topk:${spec.fraction}`,
  createEncoder: (spec, options) => {
    const body = format(spec, options.channels);
    return spec.feedback ? new FeedbackEncoder(body, options) : new FormatEncoder(body, options);
  },
  createDecoder: (spec, channels) => new FormatDecoder(format(spec, channels)),
};
