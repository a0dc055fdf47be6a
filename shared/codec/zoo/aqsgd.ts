/**
 * The codec `aqsgd`: AQ-SGD. Both ends keep the activations m of every row of text as the receiver last had them, and
 * only the quantized change is sent. The first visit of a row sends f16, as the authors' scripts leave the first epoch
 * uncompressed. Gradients go through the direct quantizer, as there. aqsgd-body.ts has the formulas and the bytes.
 *
 * The caches are bounded by settings and never evict: with rows in epochs, what is evicted first is needed first.
 * A step may be abandoned after its messages were read, so the receiver keeps the last two versions of a slot, and the
 * sender's cache moves only when a step commits. In another run both begin with empty caches.
 */

import { z } from "zod";
import { fail } from "../../errors.ts";
import { requireShape } from "../checks.ts";
import type {
  CodecState,
  EncodedSections,
  EncodedTensor,
  RowLayout,
  StreamPosition,
  TensorDecoder,
  TensorEncoder,
} from "../codec.ts";
import { type CodecDefinition, integerArgument, type StreamOptions } from "../definition.ts";
import { width } from "../quantizer-spec.ts";
import { requireNoTable } from "../raw.ts";
import { integerOf, requireCodec } from "../state.ts";
import {
  DELTA,
  DIRECT,
  FIRST,
  MAX_ROWS,
  nextVersion,
  type RowLimits,
  type RowPlan,
  readRows,
  readRowTable,
  writeRows,
} from "./aqsgd-body.ts";
import { NOTHING, requireFiniteTensor, requireNothing } from "./format.ts";
import { entropySetting } from "./symbols.ts";

const schema = z.strictObject({
  codec: z.literal("aqsgd"),
  bits: width.describe("bits per element of a change, or of a direct row"),
  cacheRows: z
    .int()
    .min(0)
    .max(65536)
    .default(1024)
    .describe("rows that both ends keep; further ones are sent directly"),
  rowTokens: z.int().min(1).max(65536).default(512).describe("most tokens of a row that is kept"),
  ...entropySetting,
});

type AqsgdSpec = z.output<typeof schema>;

/** A row as an end has it. Values are never written to once they are in, so that saved states may share them. */
interface Kept {
  readonly slot: number;
  readonly version: number;
  /** f16 [tokens · channels]. */
  readonly values: Uint16Array;
}

function limitsOf(spec: AqsgdSpec): RowLimits {
  return { slots: spec.cacheRows, rowTokens: spec.rowTokens };
}

export class AqsgdEncoder implements TensorEncoder {
  readonly channels: number;
  readonly observes = "nothing";
  readonly meanBits: number;
  private readonly spec: AqsgdSpec;
  private readonly gradient: boolean;
  /** By identity of the row. */
  private kept = new Map<number, Kept>();
  /** What `kept` becomes when the open step, `stagedStep`, commits. */
  private staged = new Map<number, Kept>();
  private stagedStep = -1;
  /** Receivers so far; a state that was saved before the present one came knows another's cache. */
  private session = 0;

  constructor(spec: AqsgdSpec, { channels, role }: StreamOptions) {
    this.spec = spec;
    this.channels = channels;
    this.meanBits = spec.bits;
    this.gradient = role === "gradient";
  }

  widths(): Uint8Array {
    return new Uint8Array(this.channels).fill(this.spec.bits);
  }

  encode(x: Float32Array, tokens: number, at: StreamPosition): EncodedTensor {
    const { channels } = this;
    const { bits, entropy } = this.spec;
    requireShape(x, tokens, channels);
    requireFiniteTensor(x);
    const reconstruction = new Float32Array(x.length);
    if (tokens === 0) return { bitTable: undefined, bitTableVersion: 0, ...NOTHING, reconstruction };
    if (at.step !== this.stagedStep) this.staged = new Map();
    this.stagedStep = at.step;
    const { lengths, ids } = this.rowsOf(at.rows, tokens);
    const rows = this.plan(lengths, ids);
    const body = writeRows(x, rows, channels, bits, entropy);
    for (const { row, slot, version, values } of readRows(
      body,
      rows,
      tokens,
      channels,
      bits,
      entropy,
      reconstruction,
    )) {
      this.staged.set(ids[row]!, { slot, version, values });
    }
    return { bitTable: undefined, bitTableVersion: 0, ...body, reconstruction };
  }

  /** The rows of a message; one without identity when they are not known or do not matter. */
  private rowsOf(rows: RowLayout | undefined, tokens: number): { lengths: number[]; ids: number[] } {
    if (rows === undefined || this.gradient || rows.lengths.length > MAX_ROWS) {
      return { lengths: [tokens], ids: [-1] };
    }
    const lengths = Array.from(rows.lengths);
    const ids = Array.from(rows.ids);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    if (total !== tokens || ids.length !== lengths.length || lengths.some((length) => !(length >= 1))) {
      fail("NB_INTERNAL", `${ids.length} rows of ${total} tokens were given for a tensor of ${tokens}`);
    }
    return { lengths, ids };
  }

  private plan(lengths: readonly number[], ids: readonly number[]): RowPlan[] {
    const { spec, channels, kept, staged } = this;
    let free = kept.size;
    for (const id of staged.keys()) if (!kept.has(id)) free++;
    const fresh = new Map<number, number>();
    return lengths.map((tokens, r) => {
      const id = ids[r]!;
      const old = kept.get(id);
      if (old !== undefined && old.values.length === tokens * channels) {
        return { kind: DELTA, slot: old.slot, version: old.version, tokens, base: old.values };
      }
      const slot = old?.slot ?? staged.get(id)?.slot ?? fresh.get(id) ?? free;
      if (id < 0 || tokens > spec.rowTokens || slot >= spec.cacheRows) {
        return { kind: DIRECT, slot: 0, version: 0, tokens, base: undefined };
      }
      if (slot === free) {
        free++;
        fresh.set(id, slot);
      }
      const version = old === undefined ? 0 : nextVersion(old.version);
      return { kind: FIRST, slot, version, tokens, base: undefined };
    });
  }

  observe(): void {}

  endStep(step: number): void {
    if (step === this.stagedStep) for (const [id, row] of this.staged) this.kept.set(id, row);
    this.staged = new Map();
    this.stagedStep = -1;
  }

  forgetPeer(): void {
    this.kept = new Map();
    this.staged = new Map();
    this.session++;
  }

  save(): CodecState {
    const arrays = { ...saveRows("kept", this.kept), ...saveRows("staged", this.staged) };
    const numbers = { session: this.session, stagedStep: this.stagedStep };
    return { codec: "aqsgd", bitTableVersion: 0, arrays, numbers };
  }

  restore(state: CodecState): void {
    requireCodec(state, "aqsgd");
    const session = integerOf(state, "session", -1);
    const stagedStep = integerOf(state, "stagedStep", -1);
    const known = session >= this.session;
    const kept = known ? restoreRows(state, "kept", this.channels, this.spec) : new Map();
    const staged = known ? restoreRows(state, "staged", this.channels, this.spec) : new Map();
    this.kept = kept;
    this.staged = staged;
    this.stagedStep = stagedStep;
    if (known) this.session = session;
  }
}

export class AqsgdDecoder implements TensorDecoder {
  readonly channels: number;
  rows: RowLayout | undefined;
  private readonly spec: AqsgdSpec;
  /** By slot, the newest version and the one before it. */
  private newest = new Map<number, Kept>();
  private previous = new Map<number, Kept>();

  constructor(spec: AqsgdSpec, channels: number) {
    this.spec = spec;
    this.channels = channels;
  }

  decode(sections: EncodedSections, tokens: number, out: Float32Array): void {
    const { channels, spec } = this;
    requireShape(out, tokens, channels);
    requireNoTable(sections, "aqsgd");
    if (tokens === 0) {
      requireNothing(sections);
      this.rows = undefined;
      return;
    }
    const rows = readRowTable(
      sections.scales,
      tokens,
      channels,
      limitsOf(spec),
      (slot, version) =>
        [this.newest.get(slot), this.previous.get(slot)].find((kept) => kept?.version === version)?.values,
    );
    for (const { slot, version, values, base } of readRows(
      sections,
      rows,
      tokens,
      channels,
      spec.bits,
      spec.entropy,
      out,
    )) {
      const before = this.newest.get(slot);
      if (base !== undefined) this.previous.set(slot, { slot, ...base });
      else if (before !== undefined && before.version !== version) this.previous.set(slot, before);
      this.newest.set(slot, { slot, version, values });
    }
    const ids = rows.map(({ kind, slot }) => (kind === DIRECT ? -1 : slot));
    this.rows = { lengths: rows.map((row) => row.tokens), ids };
  }

  save(): CodecState {
    const arrays = { ...saveRows("newest", this.newest), ...saveRows("previous", this.previous) };
    return { codec: "aqsgd", bitTableVersion: 0, arrays, numbers: {} };
  }

  restore(state: CodecState): void {
    requireCodec(state, "aqsgd");
    const newest = restoreRows(state, "newest", this.channels, this.spec);
    const previous = restoreRows(state, "previous", this.channels, this.spec);
    this.newest = newest;
    this.previous = previous;
  }
}

/** Arrays of a saved state: a table of (key, slot, version) under `name`, and each row's values beside it. */
function saveRows(name: string, rows: ReadonlyMap<number, Kept>): Record<string, Float64Array | Uint8Array> {
  const table = new Float64Array(3 * rows.size);
  const arrays: Record<string, Float64Array | Uint8Array> = { [name]: table };
  let n = 0;
  for (const [key, { slot, version, values }] of rows) {
    table.set([key, slot, version], 3 * n);
    arrays[`${name}.${n}`] = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    n++;
  }
  return arrays;
}

function restoreRows(
  state: CodecState,
  name: string,
  channels: number,
  { cacheRows, rowTokens }: AqsgdSpec,
): Map<number, Kept> {
  const table = state.arrays[name];
  const wrong = (): never =>
    fail("NB_CODEC_STATE_INVALID", `the saved state's rows ${name} are not of this codec and size`);
  if (!(table instanceof Float64Array) || table.length % 3 !== 0) return wrong();
  const rows = new Map<number, Kept>();
  for (let n = 0; 3 * n < table.length; n++) {
    const [key, slot, version] = table.subarray(3 * n, 3 * n + 3) as unknown as [number, number, number];
    const bytes = state.arrays[`${name}.${n}`];
    const rowBytes = 2 * channels;
    if (
      !(bytes instanceof Uint8Array) ||
      bytes.length === 0 ||
      bytes.length % rowBytes !== 0 ||
      bytes.length > rowTokens * rowBytes ||
      ![key, slot, version].every((number) => Number.isInteger(number) && number >= 0) ||
      slot >= cacheRows
    ) {
      return wrong();
    }
    rows.set(key, { slot, version, values: new Uint16Array(Uint8Array.from(bytes).buffer) });
  }
  return rows;
}

export const aqsgdCodec: CodecDefinition<AqsgdSpec> = {
  name: "aqsgd",
  wireId: 10,
  summary: "changes of each row of text since its last visit, in fixed point; both ends keep the rows",
  source: "AQ-SGD, Wang et al., arXiv:2206.01299, and its program (DS3Lab/AC-SGD)",
  forms: "aqsgd:BITS (2 to 8)",
  examples: ["aqsgd:4", "aqsgd:2,cacheRows=3,rowTokens=4", "aqsgd:3,cacheRows=3,entropy=rans"],
  schema,
  remembersRows: true,
  parseArgument: integerArgument("bits"),
  label: (spec) => `aqsgd:${spec.bits}`,
  createEncoder: (spec, options) => new AqsgdEncoder(spec, options),
  createDecoder: (spec, channels) => new AqsgdDecoder(spec, channels),
};
