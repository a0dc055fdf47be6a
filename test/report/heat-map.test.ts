/** The heat map's picture holds the widths. */
import { crc32, inflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { heatMap, indexedPng, widthColour } from "../../experiments/report/heat-map.ts";

const SEED = 20_260_106;

interface Png {
  readonly width: number;
  readonly height: number;
  readonly palette: number[][];
  readonly rows: number[][];
}

/** Reads an indexed 8-bit PNG without filters, checking every checksum. */
function readPng(png: Buffer): Png {
  expect(png.subarray(0, 8)).toEqual(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(png.subarray(at + 4, at + 8 + length)));
    chunks.set(png.toString("latin1", at + 4, at + 8), png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  expect([...chunks.keys()]).toEqual(["IHDR", "PLTE", "IDAT", "IEND"]);
  const header = chunks.get("IHDR")!;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  expect([...header.subarray(8)]).toEqual([8, 3, 0, 0, 0]);
  const flat = [...chunks.get("PLTE")!];
  const data = inflateSync(chunks.get("IDAT")!);
  expect(data.length).toBe(height * (width + 1));
  const rows = Array.from({ length: height }, (_, y) => {
    expect(data[y * (width + 1)]).toBe(0);
    return [...data.subarray(y * (width + 1) + 1, (y + 1) * (width + 1))];
  });
  return {
    width,
    height,
    palette: Array.from({ length: flat.length / 3 }, (_, i) => flat.slice(3 * i, 3 * i + 3)),
    rows,
  };
}

describe("a heat map", () => {
  it("has a column for each snapshot and a row for each channel, the widest channel at the top", () => {
    const { png } = heatMap(
      [
        [2, 8, 4],
        [2, 6, 4],
      ],
      2,
      8,
    );
    expect(readPng(png).rows).toEqual([
      [8, 6],
      [4, 4],
      [2, 2],
    ]);
  });

  it("keeps every width, in any order of channels", () => {
    const widths = fc
      .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
      .chain(([steps, channels]) =>
        fc.array(fc.array(fc.integer({ min: 0, max: 16 }), { minLength: channels, maxLength: channels }), {
          minLength: steps,
          maxLength: steps,
        }),
      );
    fc.assert(
      fc.property(widths, (bits) => {
        const { rows, width, height } = readPng(heatMap(bits, 2, 8).png);
        expect([width, height]).toEqual([bits.length, bits[0].length]);
        const channels = bits[0].map((_, c) => bits.map((row) => row[c]).join());
        expect(rows.map((row) => row.join()).sort()).toEqual(channels.sort());
      }),
      { seed: SEED, numRuns: 50 },
    );
  });

  it("gives each width its own colour, brighter with more bits", () => {
    const { palette } = readPng(heatMap([[2, 3, 4, 5, 6, 7, 8]], 2, 8).png);
    const brightness = palette.slice(2).map(([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b);
    expect(brightness).toHaveLength(7);
    for (let i = 1; i < brightness.length; i++) expect(brightness[i]).toBeGreaterThan(brightness[i - 1]);
    expect(widthColour(8, 2, 8)).toEqual([253, 231, 37]);
    expect(widthColour(4, 4, 4)).toEqual([253, 231, 37]);
  });
});

describe("indexedPng", () => {
  it("is the file that the specification makes", () => {
    const png = indexedPng(Uint8Array.of(0, 1, 1, 0), 2, 2, [
      [0, 0, 0],
      [255, 255, 255],
    ]);
    expect(readPng(png)).toEqual({
      width: 2,
      height: 2,
      palette: [
        [0, 0, 0],
        [255, 255, 255],
      ],
      rows: [
        [0, 1],
        [1, 0],
      ],
    });
  });
});
