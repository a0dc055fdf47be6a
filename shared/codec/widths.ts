/**
 * The order in which the channels of a message are packed, and the bit table that announces it.
 *
 * Channels of one width form a *group*; groups stand in order of width, channels within a group in order of
 * index. A group of m channels and T tokens is one packed string of m·T elements, channel by channel, token
 * by token, and starts on a byte, so a message is padded by less than 8 bits for each width in use.
 *
 * A bit table is the widths minus one, 3 bits each, in channel order, packed in the same way.
 */

import { fail } from "../errors.ts";
import { packBits, packedBytes, paddingIsZero, unpackBits } from "./bitpack.ts";

export const MAX_WIDTH = 8;
const TABLE_BITS = 3;

export interface WidthGroup {
  /** Bits per element. */
  readonly width: number;
  /** First slot of the group. */
  readonly start: number;
  /** Channels in the group. */
  readonly channels: number;
}

/** Where each channel goes when packed. Immutable; made anew when widths change. */
export interface WidthPlan {
  /** Bits per element of each channel [channels]. */
  readonly widths: Uint8Array;
  /** slots[c] is the place of channel c among the channels in packing order [channels]. */
  readonly slots: Int32Array;
  /** In order of width; only widths in use. */
  readonly groups: readonly WidthGroup[];
  /** Sum of the widths, bits. */
  readonly totalBits: number;
  /**
   * Steps that each channel's range is divided into [channels], real numbers up to 2^width − 1, the sender's matter
   * alone; undefined where it is 2^width − 1.
   */
  readonly steps?: Float64Array | undefined;
}

/** The plan for these widths (1 to 8 each), which are copied. */
export function planWidths(widths: Uint8Array): WidthPlan {
  const channels = widths.length;
  const slots = new Int32Array(channels);
  const groups: WidthGroup[] = [];
  let slot = 0;
  let totalBits = 0;
  for (let width = 1; width <= MAX_WIDTH; width++) {
    const start = slot;
    for (let c = 0; c < channels; c++) {
      if (widths[c] === width) slots[c] = slot++;
    }
    if (slot > start) groups.push({ width, start, channels: slot - start });
    totalBits += (slot - start) * width;
  }
  if (slot !== channels) {
    fail("NB_INTERNAL", `bit widths must be integers from 1 to ${MAX_WIDTH}; got ${Array.from(widths)}`);
  }
  return { widths: Uint8Array.from(widths), slots, groups, totalBits };
}

/** Largest value that scales can hold. */
const LARGEST = 65504 * 2 ** 112;

/**
 * Widens ranges lo to hi [channels] about their middles so that 2^width − 1 steps of them are as large as the plan's
 * steps of the ranges as given. Levels at the ends are then seldom used, or never.
 */
export function widenToSteps(lo: Float64Array, hi: Float64Array, { widths, steps }: WidthPlan): void {
  if (steps === undefined) return;
  for (let c = 0; c < widths.length; c++) {
    const margin = ((hi[c]! - lo[c]!) / 2) * ((2 ** widths[c]! - 1) / steps[c]! - 1);
    lo[c] = Math.max(-LARGEST, lo[c]! - margin);
    hi[c] = Math.min(LARGEST, hi[c]! + margin);
  }
}

/** Bytes of the packed elements of `tokens` rows. */
export function payloadBytes(plan: WidthPlan, tokens: number): number {
  let bytes = 0;
  for (const group of plan.groups) bytes += packedBytes(group.channels * tokens, group.width);
  return bytes;
}

/** Bytes of a bit table. */
export function tableBytes(channels: number): number {
  return packedBytes(channels, TABLE_BITS);
}

/** The bit table of these widths; a new array. */
export function writeTable(widths: Uint8Array): Uint8Array {
  const table = new Uint8Array(tableBytes(widths.length));
  packBits(
    widths.map((width) => width - 1),
    0,
    widths.length,
    TABLE_BITS,
    table,
    0,
  );
  return table;
}

/** Reads a bit table; throws NB_CODEC_BODY_INVALID when its length, padding or a width is not right. */
export function readTable(table: Uint8Array, channels: number, minBits: number, maxBits: number): Uint8Array {
  if (table.length !== tableBytes(channels)) {
    fail(
      "NB_CODEC_BODY_INVALID",
      `bit table of ${table.length} bytes; ${channels} channels take ${tableBytes(channels)}`,
    );
  }
  if (!paddingIsZero(table, 0, channels, TABLE_BITS)) {
    fail("NB_CODEC_BODY_INVALID", "the bits after the last width of the bit table are not zero");
  }
  const widths = new Uint8Array(channels);
  unpackBits(table, 0, channels, TABLE_BITS, widths, 0);
  for (let c = 0; c < channels; c++) {
    const width = widths[c]! + 1;
    if (width < minBits || width > maxBits) {
      fail(
        "NB_CODEC_BODY_INVALID",
        `channel ${c} is ${width} bits wide; agreed are ${minBits} to ${maxBits}`,
      );
    }
    widths[c] = width;
  }
  return widths;
}
