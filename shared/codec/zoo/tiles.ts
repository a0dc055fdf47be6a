/**
 * Asymmetric levels in tiles: runs of a token's channels, each with its own lowest level and step, both f16.
 * `group` sends these as they are, `tah` rotates some tiles first.
 *
 *     step = (max − min) / (2^b − 1);  q = round((x − min) / step);  x̂ = min + q · step
 */

import { readScaled, requireNotNegative, scaledBytes, writeScaled } from "./sections.ts";

/** Tiles of a token: `size` channels each, the last with what is left. */
export function tilesPerToken(channels: number, size: number): number {
  return Math.ceil(channels / size);
}

/** Bytes of the scales of `tiles` tiles. */
export function tileScalesBytes(tiles: number): number {
  return scaledBytes(2 * tiles);
}

/** Where tile `tile` of all tokens' tiles begins and ends among the elements. */
export function tileRange(tile: number, channels: number, size: number): { from: number; to: number } {
  const perToken = tilesPerToken(channels, size);
  const token = Math.floor(tile / perToken);
  const first = (tile - token * perToken) * size;
  return { from: token * channels + first, to: token * channels + Math.min(channels, first + size) };
}

/**
 * Levels of every tile, one symbol an element; `bitsOf` gives a tile's width. Lowest levels are rounded down and steps
 * up, so that the levels cover the tile. Writes the scales section to scales[at ..].
 */
export function quantizeTiles(
  values: Float64Array,
  tiles: number,
  channels: number,
  size: number,
  bitsOf: (tile: number) => number,
  scales: Uint8Array,
  at: number,
): Uint8Array {
  const ranges = new Float64Array(2 * tiles);
  for (let tile = 0; tile < tiles; tile++) {
    const { from, to } = tileRange(tile, channels, size);
    let min = values[from]!;
    let max = min;
    for (let i = from + 1; i < to; i++) {
      min = Math.min(min, values[i]!);
      max = Math.max(max, values[i]!);
    }
    ranges[2 * tile] = min;
    ranges[2 * tile + 1] = (max - min) / (2 ** bitsOf(tile) - 1);
  }
  writeScaled(ranges, (i) => (i & 1 ? "up" : "down"), scales, at);
  const rounded = readTileScales(scales, at, tiles);
  const levels = new Uint8Array(values.length);
  for (let tile = 0; tile < tiles; tile++) {
    const { from, to } = tileRange(tile, channels, size);
    const [min, step] = [rounded[2 * tile]!, rounded[2 * tile + 1]!];
    const top = 2 ** bitsOf(tile) - 1;
    for (let i = from; i < to; i++) {
      const level = step === 0 ? 0 : Math.round((values[i]! - min) / step);
      levels[i] = Math.max(0, Math.min(top, level));
    }
  }
  return levels;
}

/** Lowest level and step of each tile, in turn. Throws NB_CODEC_BODY_INVALID; the caller has checked the length. */
export function readTileScales(scales: Uint8Array, at: number, tiles: number): Float64Array {
  const values = readScaled(scales, at, 2 * tiles);
  requireNotNegative(values.filter((_, i) => i & 1));
  return values;
}
