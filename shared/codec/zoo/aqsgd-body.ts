/**
 * The bytes of an AQ-SGD message, and what both ends do with them. Every row of text is sent in one of three ways:
 *
 *     first    its values m as f16; both ends keep m
 *     delta    Q(x − m), fixed point of b bits; both ends keep m := f16(m + Q(x − m)), which is what is received
 *     direct   Q(x), of a row that is not kept: gradients, rows without an identity, rows that found no place
 *
 * Scales: u16 rows; for each row u8 kind (0 first, 1 delta, 2 direct), u16 slot, u16 version, u32 tokens; then, if any
 * row is a delta, e and a scale per channel as f16 for all deltas (fixpoint.ts); the same for direct rows.
 * Payload: f16 values of the first rows; levels of the deltas, then those of the direct rows (symbols.ts).
 * Rows stand in the order of the tensor in each of these.
 *
 * A slot is a place in the caches that the sender assigns. A version counts a slot's contents: `first` brings the new
 * version, `delta` names the one that it builds on, and makes the next.
 */

import { fail } from "../../errors.ts";
import { fromHalf, isFiniteHalf, toHalf } from "../../half.ts";
import { requireBytes } from "../quantizer.ts";
import { fixpointLevel, fixpointValue } from "./fixpoint.ts";
import type { Body } from "./format.ts";
import { concat, readMagnitudes, scaledBytes, settle, writeScaled } from "./sections.ts";
import { readSymbols, type SymbolPart, type SymbolStage, writeSymbols } from "./symbols.ts";

export const FIRST = 0;
export const DELTA = 1;
export const DIRECT = 2;

const ROW_BYTES = 9;
export const MAX_ROWS = 0xffff;
/** Versions are counted modulo this. */
const VERSIONS = 0x10000;

export interface RowPlan {
  readonly kind: number;
  /** 0 for a direct row. */
  readonly slot: number;
  /** The version that is new (first) or built on (delta); 0 for a direct row. */
  readonly version: number;
  readonly tokens: number;
  /** What a delta builds on [tokens · channels], f16. */
  readonly base: Uint16Array | undefined;
}

/** Contents of a slot after a message. */
export interface SlotUpdate {
  readonly row: number;
  readonly slot: number;
  readonly version: number;
  /** f16 [tokens · channels]; new, and never written to again. */
  readonly values: Uint16Array;
  /** The version and values that it was built on. */
  readonly base: { readonly version: number; readonly values: Uint16Array } | undefined;
}

export function nextVersion(version: number): number {
  return (version + 1) % VERSIONS;
}

/** Where the elements of each row begin. */
function starts(rows: readonly RowPlan[], channels: number): number[] {
  let at = 0;
  return rows.map(({ tokens }) => {
    const start = at;
    at += tokens * channels;
    return start;
  });
}

function elementsOf(rows: readonly RowPlan[], kind: number, channels: number): number {
  return rows.reduce((sum, row) => sum + (row.kind === kind ? row.tokens * channels : 0), 0);
}

function toFiniteHalf(value: number): number {
  const half = toHalf(value);
  return isFiniteHalf(half) ? half : (half & 0x8000) | 0x7bff;
}

/** Writes a message by a plan whose tokens sum to x's. */
export function writeRows(
  x: Float32Array,
  rows: readonly RowPlan[],
  channels: number,
  bits: number,
  stage: SymbolStage,
): Body {
  const begin = starts(rows, channels);
  const table = new Uint8Array(2 + ROW_BYTES * rows.length);
  const view = new DataView(table.buffer);
  view.setUint16(0, rows.length, true);
  rows.forEach(({ kind, slot, version, tokens }, i) => {
    const at = 2 + ROW_BYTES * i;
    view.setUint8(at, kind);
    view.setUint16(at + 1, slot, true);
    view.setUint16(at + 3, version, true);
    view.setUint32(at + 5, tokens, true);
  });
  const scales = [table];
  const parts: SymbolPart[] = [];
  const halves = new Uint16Array(elementsOf(rows, FIRST, channels));
  let n = 0;
  rows.forEach((row, r) => {
    if (row.kind !== FIRST) return;
    for (let i = begin[r]!; i < begin[r]! + row.tokens * channels; i++) halves[n++] = toFiniteHalf(x[i]!);
  });
  const first = new Uint8Array(halves.buffer);
  for (const kind of [DELTA, DIRECT]) {
    const values = new Float64Array(elementsOf(rows, kind, channels));
    if (!rows.some((row) => row.kind === kind)) continue;
    let at = 0;
    rows.forEach(({ kind: own, tokens, base }, r) => {
      if (own !== kind) return;
      for (let i = 0; i < tokens * channels; i++) {
        values[at++] = x[begin[r]! + i]! - (base === undefined ? 0 : fromHalf(base[i]!));
      }
    });
    const largest = new Float64Array(channels);
    for (let i = 0; i < values.length; i++) {
      const c = i % channels;
      largest[c] = Math.max(largest[c]!, Math.abs(values[i]!));
    }
    const section = new Uint8Array(scaledBytes(channels));
    writeScaled(largest, () => "nearest", section, 0);
    const scale = readMagnitudes(section, 0, channels);
    const levels = Uint8Array.from(values, (value, i) =>
      fixpointLevel(value, scale[i % channels]!, bits, 0.5),
    );
    scales.push(section);
    parts.push({ symbols: levels, width: bits });
  }
  const { bytes, packedBytes } = writeSymbols(parts, channels, stage);
  return {
    scales: concat(scales),
    payload: concat([first, bytes]),
    packedBytes: first.length + packedBytes,
  };
}

export interface RowLimits {
  /** Slots that there are. */
  readonly slots: number;
  /** Most tokens of a row that is kept. */
  readonly rowTokens: number;
}

/** Reads and checks the table of rows. `baseOf` finds what a delta builds on. Throws NB_CODEC_BODY_INVALID. */
export function readRowTable(
  scales: Uint8Array,
  tokens: number,
  channels: number,
  limits: RowLimits,
  baseOf: (slot: number, version: number) => Uint16Array | undefined,
): RowPlan[] {
  const view = new DataView(scales.buffer, scales.byteOffset, scales.byteLength);
  const count = scales.length < 2 ? 0 : view.getUint16(0, true);
  if (scales.length < 2 + ROW_BYTES * count) {
    fail("NB_CODEC_BODY_INVALID", `a table of ${count} rows in ${scales.length} bytes`);
  }
  const rows: RowPlan[] = [];
  let total = 0;
  for (let r = 0; r < count; r++) {
    const at = 2 + ROW_BYTES * r;
    const kind = view.getUint8(at);
    const slot = view.getUint16(at + 1, true);
    const version = view.getUint16(at + 3, true);
    const length = view.getUint32(at + 5, true);
    total += length;
    if (kind > DIRECT || length === 0 || total > tokens) {
      fail("NB_CODEC_BODY_INVALID", `row ${r} is of kind ${kind} with ${length} tokens of ${tokens}`);
    }
    if (kind === DIRECT ? slot + version > 0 : slot >= limits.slots || length > limits.rowTokens) {
      fail("NB_CODEC_BODY_INVALID", `row ${r} of ${length} tokens cannot be kept in slot ${slot}`);
    }
    const base = kind === DELTA ? baseOf(slot, version) : undefined;
    if (kind === DELTA && base?.length !== length * channels) {
      fail(
        "NB_CODEC_BODY_INVALID",
        `row ${r} builds on version ${version} of slot ${slot}, which is not at hand`,
      );
    }
    rows.push({ kind, slot, version, tokens: length, base });
  }
  if (total !== tokens) fail("NB_CODEC_BODY_INVALID", `rows of ${total} tokens in a tensor of ${tokens}`);
  return rows;
}

/**
 * Reads a message into out [tokens, channels] and returns what the slots then hold. Throws NB_CODEC_BODY_INVALID
 * before anything is written.
 */
export function readRows(
  { scales, payload }: Body,
  rows: readonly RowPlan[],
  tokens: number,
  channels: number,
  bits: number,
  stage: SymbolStage,
  out: Float32Array,
): SlotUpdate[] {
  const counts = [FIRST, DELTA, DIRECT].map((kind) => elementsOf(rows, kind, channels));
  const present = [DELTA, DIRECT].filter((kind) => counts[kind]! > 0);
  const tableBytes = 2 + ROW_BYTES * rows.length;
  const expected = tableBytes + present.length * scaledBytes(channels);
  requireBytes("scales", scales, expected, tokens, channels);
  const firstBytes = 2 * counts[FIRST]!;
  if (payload.length < firstBytes) requireBytes("payload", payload, firstBytes, tokens, channels);
  const halves = new Uint16Array(new Uint8Array(payload.subarray(0, firstBytes)).buffer);
  if (!halves.every(isFiniteHalf)) fail("NB_CODEC_BODY_INVALID", "an element is NaN or infinity");
  const parts = present.map((kind) => ({ count: counts[kind]!, width: bits }));
  const levels = readSymbols(payload.subarray(firstBytes), parts, channels, tokens, stage);
  const quantized = present.map((kind, k) => {
    const scale = readMagnitudes(scales, tableBytes + k * scaledBytes(channels), channels);
    return { kind, scale, levels: levels[k]!, used: 0 };
  });

  const begin = starts(rows, channels);
  const updates: SlotUpdate[] = [];
  let used = 0;
  rows.forEach(({ kind, slot, version, tokens: length, base }, row) => {
    const count = length * channels;
    const from = begin[row]!;
    if (kind === FIRST) {
      const values = halves.slice(used, used + count);
      used += count;
      for (let i = 0; i < count; i++) out[from + i] = fromHalf(values[i]!);
      updates.push({ row, slot, version, values, base: undefined });
      return;
    }
    const source = quantized.find((part) => part.kind === kind)!;
    const { scale, levels } = source;
    const start = source.used;
    source.used += count;
    if (base === undefined) {
      for (let i = 0; i < count; i++) {
        out[from + i] = settle(fixpointValue(levels[start + i]!, scale[i % channels]!, bits));
      }
      return;
    }
    const values = new Uint16Array(count);
    for (let i = 0; i < count; i++) {
      const step = fixpointValue(levels[start + i]!, scale[i % channels]!, bits);
      values[i] = toFiniteHalf(fromHalf(base[i]!) + step);
      out[from + i] = fromHalf(values[i]!);
    }
    updates.push({ row, slot, version: nextVersion(version), values, base: { version, values: base } });
  });
  return updates;
}
