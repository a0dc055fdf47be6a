/**
 * Captures: tensors of a real run as a client had them, for comparing codecs on. Numbers only: no text, no token ids.
 *
 *   "NBCP" · u32 version · u32 length of the index · index (msgpack) · tensors · u64 XXH64 of all before
 *
 * The index says what the tensors are, in their order; each is [tokens, channels], row-major, little-endian f32, or f16
 * under a power of two. docs/capture.md has the fields.
 */

import { z } from "zod";
import type { RowLayout } from "../codec/codec.ts";
import { exponentFor, MAX_EXPONENT, MIN_EXPONENT } from "../codec/scales.ts";
import { fail } from "../errors.ts";
import { floatsToHalves, halvesToFloats, isFiniteHalf } from "../half.ts";
import { type Seal, seal, unseal } from "../sealed.ts";

export const CAPTURE_MAGIC = "NBCP";
/** An index may be far longer than that of a capture that fits MAX_CAPTURE_BYTES in messages of any use. */
const SEAL: Seal = { magic: CAPTURE_MAGIC, version: 1, maxIndexBytes: 2 ** 24 };
/** Captures are read whole, so that they must fit memory. */
export const MAX_CAPTURE_BYTES = 2 ** 30;

export const CAPTURE_PHASES = ["A1", "A2", "G2", "G1"] as const;
export type CapturePhase = (typeof CAPTURE_PHASES)[number];

/** One tensor of a client's step. */
export interface CapturedTensor {
  readonly phase: CapturePhase;
  readonly step: number;
  readonly microBatch: number;
  readonly tokens: number;
  /** The rows that the tokens belong to, if the run knew them. */
  readonly rows: RowLayout | undefined;
  /** [tokens, channels] */
  readonly values: Float32Array;
}

export interface Capture {
  /** What was run, for people. */
  readonly note: string;
  readonly channels: number;
  /** Codec of each phase in the run: with f32 all tensors are exact, with others A2 and G1 are what was decoded. */
  readonly codecs: Readonly<Partial<Record<CapturePhase, string>>>;
  /** In order of step, micro-batch, phase. */
  readonly tensors: readonly CapturedTensor[];
}

const index = z.int().min(0).max(0xffffffff);
const tensorSchema = z.strictObject({
  phase: z.enum(CAPTURE_PHASES),
  step: index,
  microBatch: index,
  tokens: index,
  rowLengths: z.array(index).optional(),
  rowIds: z.array(index).optional(),
  /** Of f16 values: value = half · 2^exponent. */
  exponent: z.int().min(MIN_EXPONENT).max(MAX_EXPONENT).optional(),
});
const indexSchema = z.strictObject({
  note: z.string().max(1000),
  channels: z.int().min(1).max(65536),
  codecs: z.partialRecord(z.enum(CAPTURE_PHASES), z.string().max(1000)),
  values: z.enum(["f32", "f16"]),
  tensors: z.array(tensorSchema).max(1_000_000),
});

function largestMagnitude(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Serialises a capture, with values as they are or rounded to f16. The values must be finite. */
export async function encodeCapture(capture: Capture, values: "f32" | "f16" = "f32"): Promise<Uint8Array> {
  const { note, channels, codecs, tensors } = capture;
  const exponents = tensors.map((tensor) =>
    values === "f16" ? exponentFor(largestMagnitude(tensor.values)) : undefined,
  );
  const entries = tensors.map(({ phase, step, microBatch, tokens, rows }, i) => ({
    ...{ phase, step, microBatch, tokens },
    ...(rows === undefined ? {} : { rowLengths: Array.from(rows.lengths), rowIds: Array.from(rows.ids) }),
    ...(exponents[i] === undefined ? {} : { exponent: exponents[i] }),
  }));
  const stored = tensors.map((tensor, i) =>
    values === "f16" ? halvesOf(tensor.values, exponents[i]!) : tensor.values,
  );
  return seal(SEAL, { note, channels, codecs, values, tensors: entries }, stored);
}

function halvesOf(values: Float32Array, exponent: number): Uint16Array {
  const halves = new Uint16Array(values.length);
  floatsToHalves(values, halves, 2 ** -exponent, true);
  return halves;
}

/**
 * Reads a capture. Nothing is allocated by what the index says before that was checked against the bytes that there are.
 *
 * @throws NB_DATA_INVALID when the bytes are not a capture, whole and unaltered.
 */
export async function decodeCapture(bytes: Uint8Array): Promise<Capture> {
  const bad = (why: string): never => fail("NB_DATA_INVALID", `capture: ${why}`);
  if (bytes.length > MAX_CAPTURE_BYTES) bad(`${bytes.length} bytes; at most ${MAX_CAPTURE_BYTES} are read`);
  const { index, data } = await unseal(SEAL, bytes, bad);
  const parsed = indexSchema.safeParse(index);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return bad(`its index is not understood (${issue?.path.join(".")}: ${issue?.message})`);
  }
  const { note, channels, codecs, values, tensors } = parsed.data;
  const size = values === "f16" ? 2 : 4;
  const expected = tensors.reduce((sum, { tokens }) => sum + tokens * channels * size, 0);
  if (expected !== data.length) bad(`its tensors take ${expected} bytes; there are ${data.length}`);
  let at = 0;
  const read = tensors.map((entry, i): CapturedTensor => {
    const { phase, step, microBatch, tokens, rowLengths, rowIds, exponent } = entry;
    if ((exponent === undefined) !== (values === "f32")) bad(`tensor ${i} is not stored as ${values}`);
    const length = tokens * channels * size;
    // Copied by constructor, which also aligns: slice() of Node's Buffer is a view of the same memory.
    const { buffer } = new Uint8Array(data.subarray(at, at + length));
    at += length;
    const floats = exponent === undefined ? new Float32Array(buffer) : floatsOf(buffer, exponent);
    if (!floats.every(Number.isFinite)) bad(`tensor ${i} holds NaN or infinity`);
    const rows =
      rowLengths === undefined || rowIds === undefined ? undefined : { lengths: rowLengths, ids: rowIds };
    if (rows !== undefined) {
      const sum = rows.lengths.reduce((a, b) => a + b, 0);
      if (sum !== tokens || rows.ids.length !== rows.lengths.length || rows.lengths.includes(0))
        bad(`the rows of tensor ${i} do not sum to its ${tokens} tokens`);
    }
    return { phase, step, microBatch, tokens, rows, values: floats };
  });
  return { note, channels, codecs, tensors: read };
}

function floatsOf(buffer: ArrayBuffer, exponent: number): Float32Array {
  const halves = new Uint16Array(buffer);
  const floats = new Float32Array(halves.length);
  if (!halves.every(isFiniteHalf)) return floats.fill(NaN);
  halvesToFloats(halves, floats, 2 ** exponent);
  return floats;
}

/** A captured activation and the loss gradient with respect to it, where both were captured. */
export interface CapturedPair {
  readonly activation: CapturedTensor;
  readonly gradient: CapturedTensor | undefined;
}

/** Tensors of one stream, in their order, with the gradients that belong to them: G1 to A1, G2 to A2. */
export function pairsOf(capture: Capture, phase: "A1" | "A2"): CapturedPair[] {
  const gradientPhase = phase === "A1" ? "G1" : "G2";
  const keyOf = ({ step, microBatch, tokens }: CapturedTensor) => `${step}/${microBatch}/${tokens}`;
  const gradients = new Map(
    capture.tensors
      .filter((tensor) => tensor.phase === gradientPhase)
      .map((tensor) => [keyOf(tensor), tensor]),
  );
  return capture.tensors
    .filter((tensor) => tensor.phase === phase)
    .map((activation) => ({ activation, gradient: gradients.get(keyOf(activation)) }));
}
