/**
 * The codec `tah`: TAH-Quant. Activations: tiles of 64 channels of a token, levels between each tile's smallest and
 * largest value. The fifth of the tokens whose magnitudes have the least entropy get 3 bits, the others 4. A tile whose
 * largest magnitude is at least twice its second largest is rotated: that value is swapped to the front, and the tile
 * multiplied by the Hadamard matrix / 8, which spreads it out. Gradients: fixed point of 6 bits in tiles of 32.
 *
 * Scales: a byte, 1 for activations and 2 for gradients. Gradients go on with e and the scales (fixpoint.ts).
 * Activations go on with one bit per token (1: 3 bits wide), padded to a byte; one bit per tile (1: rotated), padded to
 * a byte; 6 bits for each rotated tile in turn, the place of the swapped value, padded to a byte; e, lowest level and
 * step of each tile (tiles.ts). Payload: levels of the 3-bit tokens, then those of the 4-bit
 * ones (symbols.ts).
 *
 * Where 64 does not divide the channels, a token's last tile is shorter and never rotated.
 */

import { z } from "zod";
import { fail } from "../../errors.ts";
import { packedBytes } from "../bitpack.ts";
import { type CodecDefinition, noArgument } from "../definition.ts";
import { requireBytes } from "../quantizer.ts";
import { fixpointFormat } from "./fixpoint.ts";
import { type Body, type BodyFormat, FormatDecoder, FormatEncoder } from "./format.ts";
import { concat, packSymbols, settle, unpackSymbols } from "./sections.ts";
import { entropySetting, readSymbols, type SymbolStage, writeSymbols } from "./symbols.ts";
import { quantizeTiles, readTileScales, tileRange, tileScalesBytes, tilesPerToken } from "./tiles.ts";

const TILE = 64;
const PLACE_BITS = 6;
const GRADIENT_TILE = 32;
const GRADIENT_BITS = 6;
const PIVOT_RATIO = 2;
const ACTIVATION = 1;
const GRADIENT = 2;

const schema = z.strictObject({
  codec: z.literal("tah"),
  lowBits: z.int().min(2).max(8).default(3).describe("width of the tokens of least entropy"),
  highBits: z.int().min(2).max(8).default(4).describe("width of the others"),
  lowShare: z.number().min(0).max(1).default(0.2).describe("share of tokens with the low width"),
  ...entropySetting,
});

type TahSpec = z.output<typeof schema>;

/** Multiplies 64 values from values[from] on by the Hadamard matrix / 8, which is its own inverse. */
function hadamard(values: Float64Array, from: number): void {
  for (let half = 1; half < TILE; half *= 2) {
    for (let start = from; start < from + TILE; start += 2 * half) {
      for (let i = start; i < start + half; i++) {
        const [a, b] = [values[i]!, values[i + half]!];
        values[i] = a + b;
        values[i + half] = a - b;
      }
    }
  }
  for (let i = from; i < from + TILE; i++) values[i] = values[i]! / 8;
}

function swap(values: Float64Array, a: number, b: number): void {
  [values[a], values[b]] = [values[b]!, values[a]!];
}

/** Entropy of the magnitudes of a token's channels, as shares of their sum. */
function entropyOf(token: Float32Array): number {
  let sum = 0;
  for (const value of token) sum += Math.abs(value);
  let entropy = 0;
  for (const value of token) {
    const share = Math.abs(value) / sum;
    if (share > 0) entropy -= share * Math.log(share);
  }
  return entropy;
}

/** 1 for each of the tokens that get the low width. */
function chooseLow(x: Float32Array, tokens: number, channels: number, share: number): Uint8Array {
  const entropies = Float64Array.from({ length: tokens }, (_, t) =>
    entropyOf(x.subarray(t * channels, (t + 1) * channels)),
  );
  const order = [...entropies.keys()].sort((a, b) => entropies[a]! - entropies[b]! || a - b);
  const low = new Uint8Array(tokens);
  for (const t of order.slice(0, Math.floor(tokens * share))) low[t] = 1;
  return low;
}

/** The place of a tile's largest magnitude, where it stands out; −1 where not. */
function pivotOf(values: Float64Array, from: number): number {
  let [first, second, place] = [0, 0, 0];
  for (let i = 0; i < TILE; i++) {
    const magnitude = Math.abs(values[from + i]!);
    if (magnitude > first) [second, first, place] = [first, magnitude, i];
    else if (magnitude > second) second = magnitude;
  }
  return first > 0 && first >= PIVOT_RATIO * second ? place : -1;
}

/** Which tokens are narrow and which tiles are rotated, about what value. */
interface Layout {
  readonly low: Uint8Array;
  readonly rotated: Uint8Array;
  readonly places: Uint8Array;
}

function writeLayout({ low, rotated, places }: Layout): Uint8Array {
  const parts = [
    Uint8Array.of(ACTIVATION),
    packSymbols(low, 1),
    packSymbols(rotated, 1),
    packSymbols(places, PLACE_BITS),
  ];
  return concat(parts);
}

/** Reads the layout and says where it ends. Lengths are checked as they become known. */
function readLayout(scales: Uint8Array, tokens: number, channels: number): { layout: Layout; end: number } {
  const tiles = tokens * tilesPerToken(channels, TILE);
  let at = 1;
  const take = (count: number, width: number) => {
    const bytes = packedBytes(count, width);
    if (at + bytes > scales.length) requireBytes("scales", scales, at + bytes, tokens, channels);
    const symbols = unpackSymbols(scales, at, count, width);
    at += bytes;
    return symbols;
  };
  const low = take(tokens, 1);
  const rotated = take(tiles, 1);
  let pivots = 0;
  for (let tile = 0; tile < tiles; tile++) {
    if (rotated[tile] === 0) continue;
    pivots++;
    const { from, to } = tileRange(tile, channels, TILE);
    if (to - from < TILE) fail("NB_CODEC_BODY_INVALID", `tile ${tile} is too short to be rotated`);
  }
  return { layout: { low, rotated, places: take(pivots, PLACE_BITS) }, end: at };
}

function activations(spec: TahSpec, channels: number): BodyFormat {
  const perToken = tilesPerToken(channels, TILE);
  const widthOf = (low: number) => (low === 1 ? spec.lowBits : spec.highBits);
  /** Moves symbols between row order and payload order: narrow tokens first. */
  const split = (low: Uint8Array, visit: (token: number, place: number) => void): number => {
    let place = 0;
    for (const kind of [1, 0]) {
      for (let t = 0; t < low.length; t++) if (low[t] === kind) visit(t, place++);
    }
    return low.reduce((sum, value) => sum + value, 0);
  };
  return {
    codec: "tah",
    channels,
    bits: spec.lowShare * spec.lowBits + (1 - spec.lowShare) * spec.highBits,
    write(x, tokens) {
      const tiles = tokens * perToken;
      const values = Float64Array.from(x);
      const low = chooseLow(x, tokens, channels, spec.lowShare);
      const rotated = new Uint8Array(tiles);
      const places: number[] = [];
      for (let tile = 0; tile < tiles; tile++) {
        const { from, to } = tileRange(tile, channels, TILE);
        const place = to - from === TILE ? pivotOf(values, from) : -1;
        if (place < 0) continue;
        rotated[tile] = 1;
        places.push(place);
        swap(values, from, from + place);
        hadamard(values, from);
      }
      const layout = writeLayout({ low, rotated, places: Uint8Array.from(places) });
      const scales = concat([layout, new Uint8Array(tileScalesBytes(tiles))]);
      const bitsOf = (tile: number) => widthOf(low[Math.floor(tile / perToken)]!);
      const levels = quantizeTiles(values, tiles, channels, TILE, bitsOf, scales, layout.length);
      const ordered = new Uint8Array(levels.length);
      const narrow = split(low, (t, place) => {
        ordered.set(levels.subarray(t * channels, (t + 1) * channels), place * channels);
      });
      const parts = [
        { symbols: ordered.subarray(0, narrow * channels), width: spec.lowBits },
        { symbols: ordered.subarray(narrow * channels), width: spec.highBits },
      ];
      const { bytes, packedBytes } = writeSymbols(parts, channels, spec.entropy);
      return { scales, payload: bytes, packedBytes };
    },
    read({ scales, payload }, tokens, out) {
      const tiles = tokens * perToken;
      const { layout, end } = readLayout(scales, tokens, channels);
      requireBytes("scales", scales, end + tileScalesBytes(tiles), tokens, channels);
      const ranges = readTileScales(scales, end, tiles);
      const narrow = layout.low.reduce((sum, value) => sum + value, 0) * channels;
      const parts = [
        { count: narrow, width: spec.lowBits },
        { count: out.length - narrow, width: spec.highBits },
      ];
      const [narrowLevels, wideLevels] = readSymbols(payload, parts, channels, tokens, spec.entropy);
      const levels = new Uint8Array(out.length);
      split(layout.low, (t, place) => {
        const from = place * channels;
        const run =
          from < narrow
            ? narrowLevels!.subarray(from, from + channels)
            : wideLevels!.subarray(from - narrow, from - narrow + channels);
        levels.set(run, t * channels);
      });
      const values = new Float64Array(out.length);
      let pivot = 0;
      for (let tile = 0; tile < tiles; tile++) {
        const { from, to } = tileRange(tile, channels, TILE);
        const [min, step] = [ranges[2 * tile]!, ranges[2 * tile + 1]!];
        for (let i = from; i < to; i++) values[i] = min + levels[i]! * step;
        if (layout.rotated[tile] === 0) continue;
        hadamard(values, from);
        swap(values, from, from + layout.places[pivot++]!);
      }
      for (let i = 0; i < out.length; i++) out[i] = settle(values[i]!);
    },
  };
}

function gradients(channels: number, stage: SymbolStage): BodyFormat {
  const perToken = tilesPerToken(channels, GRADIENT_TILE);
  const groupOf = (element: number) => {
    const token = Math.floor(element / channels);
    return token * perToken + Math.floor((element - token * channels) / GRADIENT_TILE);
  };
  const plain = fixpointFormat("tah", channels, GRADIENT_BITS, false, stage, (t) => t * perToken, groupOf);
  return {
    ...plain,
    write(x, tokens, key) {
      const { scales, ...rest } = plain.write(x, tokens, key);
      return { scales: concat([Uint8Array.of(GRADIENT), scales]), ...rest };
    },
    read: ({ scales, payload }, tokens, out) =>
      plain.read({ scales: scales.subarray(1), payload }, tokens, out),
  };
}

/** Reads either kind, by the first byte. */
function either(spec: TahSpec, channels: number): BodyFormat {
  const activation = activations(spec, channels);
  const gradient = gradients(channels, spec.entropy);
  return {
    ...activation,
    read(body: Body, tokens, out) {
      const kind = body.scales[0];
      if (kind !== ACTIVATION && kind !== GRADIENT) {
        fail("NB_CODEC_BODY_INVALID", `the first byte of the scales is ${kind}; accepted are 1 and 2`);
      }
      (kind === ACTIVATION ? activation : gradient).read(body, tokens, out);
    },
  };
}

export const tahCodec: CodecDefinition<TahSpec> = {
  name: "tah",
  wireId: 11,
  summary: "TAH-Quant: 64-channel tiles of 3 or 4 bits by token, outlying tiles rotated; gradients 6 bits",
  source: "TAH-Quant, arXiv:2506.01352v1, and its program (heguangxin/TAH-Quant)",
  forms: "tah",
  examples: ["tah", "tah,lowBits=2,highBits=3,lowShare=0.5", "tah,lowShare=0.5,entropy=rans"],
  schema,
  parseArgument: noArgument,
  label: () => "tah",
  createEncoder: (spec, options) => {
    const { channels, role } = options;
    return new FormatEncoder(
      role === "gradient" ? gradients(channels, spec.entropy) : activations(spec, channels),
      options,
    );
  },
  createDecoder: (spec, channels) => new FormatDecoder(either(spec, channels)),
};
