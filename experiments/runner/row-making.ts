/** Rows out of what a run's ledger and its machines say. */
import { type EntropySavings, type LedgerSnapshot, sumBytes } from "../../shared/ledger/ledger.ts";
import { ledgerReport } from "../../shared/ledger/report.ts";
import { PHASES, type Phase } from "../../shared/protocol/messages.ts";
import { type BareRow, type RowTimes, someBytes, subtractBytes } from "./rows.ts";

/** The transfers that a split has. */
export function splitPhases(split: "u-shape" | "vanilla"): readonly Phase[] {
  return split === "vanilla" ? ["A1", "G1"] : PHASES;
}

/** A client's part in a trunk step. */
export interface RowMember {
  readonly name: string;
  readonly lossSum: number;
  readonly supervisedTokens: number;
  readonly bits: Partial<Record<Phase, number>>;
}

export interface StepFigures {
  readonly step: number;
  readonly gradientNorm: number;
  readonly tokens: number;
  readonly ms: RowTimes;
  readonly peakMemory?: number;
}

type StepRowLike = Extract<BareRow, { row: "step" }>;

/** What a run has sent so far. */
export interface SentBytes
  extends Pick<LedgerSnapshot, "up" | "down">,
    Partial<Pick<LedgerSnapshot, "phases">> {
  /** By its codecs' entropy stages, where there are any and it is known. */
  readonly saved?: EntropySavings | undefined;
}

/** The row of a trunk step from the ledger after it and after the one before. */
export function stepRowOf(
  members: readonly RowMember[],
  now: SentBytes,
  before: SentBytes | undefined,
  figures: StepFigures,
  phases: readonly Phase[],
): StepRowLike {
  const sum = (of: (member: RowMember) => number) => members.reduce((n, member) => n + of(member), 0);
  const supervisedTokens = sum((m) => m.supervisedTokens);
  const bits: Partial<Record<Phase, number>> = {};
  for (const phase of phases) {
    const known = members.map((member) => member.bits[phase]).filter((b) => b !== undefined);
    if (known.length > 0) bits[phase] = known.reduce((a, b) => a + b, 0) / known.length;
  }
  return {
    row: "step",
    ...figures,
    loss: sum((m) => m.lossSum) / Math.max(1, supervisedTokens),
    clientLosses: Object.fromEntries(
      members.map(({ name, lossSum, supervisedTokens: n }) => [name, lossSum / Math.max(1, n)]),
    ),
    supervisedTokens,
    bits,
    ...(now.phases === undefined ? {} : { wireBits: phaseBits(now.phases, before?.phases) }),
    bytes: { up: someBytes(now.up), down: someBytes(now.down) },
    stepBytes: {
      up: someBytes(before === undefined ? now.up : subtractBytes(now.up, before.up)),
      down: someBytes(before === undefined ? now.down : subtractBytes(now.down, before.down)),
    },
    ...packedStep(now, before),
  };
}

/** A step's figures without entropy stages, where they are known. */
function packedStep({ up, down, phases, saved }: SentBytes, before: SentBytes | undefined) {
  if (saved === undefined || phases === undefined) return {};
  const earlier = before?.phases && withSaved(before.phases, before.saved);
  return {
    packedBytes: sumBytes(up) + sumBytes(down) + saved.up + saved.down,
    packedWireBits: phaseBits(withSaved(phases, saved), earlier),
  };
}

/** Codec bytes per element of each phase that had any, as bits, since `before`. */
function phaseBits(
  now: LedgerSnapshot["phases"],
  before?: LedgerSnapshot["phases"],
): Partial<Record<Phase, number>> {
  const bits: Partial<Record<Phase, number>> = {};
  const codecBytes = (phases: LedgerSnapshot["phases"] | undefined, phase: Phase): number => {
    const bytes = phases?.[phase].bytes;
    return bytes === undefined ? 0 : bytes.payload + bytes.scales + bytes.bitTables;
  };
  for (const phase of PHASES) {
    const elements = now[phase].elements - (before?.[phase].elements ?? 0);
    if (elements > 0) bits[phase] = (8 * (codecBytes(now, phase) - codecBytes(before, phase))) / elements;
  }
  return bits;
}

/** The counts of phases as they would be had nothing been saved. */
function withSaved(
  phases: LedgerSnapshot["phases"],
  saved: EntropySavings | undefined,
): LedgerSnapshot["phases"] {
  if (saved === undefined) return phases;
  const counts = PHASES.map((phase) => {
    const { bytes, ...rest } = phases[phase];
    return [phase, { ...rest, bytes: { ...bytes, payload: bytes.payload + saved.phases[phase] } }];
  });
  return Object.fromEntries(counts) as LedgerSnapshot["phases"];
}

/** Bytes of a whole run without its codecs' entropy stages. */
export function packedTotal(ledger: LedgerSnapshot, saved: EntropySavings): number {
  return ledgerReport(ledger).totalBytes + saved.up + saved.down;
}

/** The last row of a cell. `saved`: by its codecs' entropy stages, where there are any and it is known. */
export function finalRow(
  ledger: LedgerSnapshot,
  figures: {
    readonly steps: number;
    readonly ms: RowTimes;
    readonly seconds: number;
    readonly peakMemory?: number;
  },
  saved?: EntropySavings,
): Extract<BareRow, { row: "end" }> {
  const report = ledgerReport(ledger);
  return {
    row: "end",
    ...figures,
    tokens: report.tokens,
    elements: report.elements,
    bytes: { up: someBytes(ledger.up), down: someBytes(ledger.down) },
    totalBytes: report.totalBytes,
    codecBitsPerElement: report.codecBitsPerElement,
    wireBitsPerElement: report.wireBitsPerElement,
    phaseBits: phaseBits(ledger.phases),
    ...(saved === undefined ? {} : packedFigures(ledger, saved)),
    baselineBytes: report.baselines,
  };
}

function packedFigures(ledger: LedgerSnapshot, saved: EntropySavings) {
  const { codecBitsPerElement, elements } = ledgerReport(ledger);
  const more = PHASES.reduce((sum, phase) => sum + saved.phases[phase], 0);
  return {
    packedBytes: packedTotal(ledger, saved),
    packedCodecBits: codecBitsPerElement + (8 * more) / Math.max(1, elements),
    packedPhaseBits: phaseBits(withSaved(ledger.phases, saved)),
  };
}
