/**
 * Channel widths over steps as a small PNG, one pixel a channel and step: a few kilobytes where an SVG would take megabytes. Written by hand because
 * the format is four chunks, and zlib is in Node.
 */
import { crc32, deflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const PALETTE_COLOUR = 3;

function chunk(type: string, data: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, "latin1");
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/**
 * An indexed PNG (ISO/IEC 15948).
 *
 * @param pixels palette indices, row-major [height, width]
 * @param palette up to 256 colours, RGB
 */
export function indexedPng(
  pixels: Uint8Array,
  width: number,
  height: number,
  palette: readonly (readonly [number, number, number])[],
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, PALETTE_COLOUR, 0, 0, 0], 8);
  // Each row has a filter byte in front: 0, none.
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", Uint8Array.from(palette.flat())),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/**
 * Viridis (van der Walt and Smith, 2015; CC0) at nine places from its dark to its bright end: even in lightness, and readable with any colour vision and in
 * grey.
 */
const VIRIDIS: readonly (readonly [number, number, number])[] = [
  [68, 1, 84],
  [71, 45, 123],
  [59, 82, 139],
  [44, 114, 142],
  [33, 145, 140],
  [40, 174, 128],
  [94, 201, 98],
  [173, 220, 48],
  [253, 231, 37],
];

/** Colour of a width between the least and the largest shown. */
export function widthColour(bits: number, least: number, most: number): readonly [number, number, number] {
  const share = most === least ? 1 : (bits - least) / (most - least);
  const at = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, VIRIDIS.length - 1);
  const mix = (i: number) => Math.round(VIRIDIS[low][i] + (at - low) * (VIRIDIS[high][i] - VIRIDIS[low][i]));
  return [mix(0), mix(1), mix(2)];
}

export interface HeatMap {
  /** Steps from left to right, channels from top to bottom. */
  readonly png: Buffer;
  readonly width: number;
  readonly height: number;
}

/** Draws widths [snapshots][channels]; the channels with the most bits over the run are at the top. */
export function heatMap(bits: readonly (readonly number[])[], least: number, most: number): HeatMap {
  const width = bits.length;
  const height = bits[0].length;
  const total = Float64Array.from({ length: height }, (_, c) => bits.reduce((sum, row) => sum + row[c], 0));
  const order = [...total.keys()].sort((a, b) => total[b] - total[a] || a - b);
  const pixels = new Uint8Array(width * height);
  order.forEach((channel, y) => {
    for (let x = 0; x < width; x++) pixels[y * width + x] = bits[x][channel];
  });
  const palette = Array.from({ length: Math.max(most, ...pixels) + 1 }, (_, b) =>
    widthColour(b, least, most),
  );
  return { png: indexedPng(pixels, width, height, palette), width, height };
}
