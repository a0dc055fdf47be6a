/** The bench's numbers: what is measured of each codec on each stream of a capture, as JSON and as tables. */

import { type Capture, type CapturePhase, pairsOf } from "../../shared/capture/capture.ts";
import { codecLabel, parseCodecSpec } from "../../shared/codec/registry.ts";
import { fail } from "../../shared/errors.ts";
import type { Family } from "./arms.ts";
import { LEARNING_STEPS, type Measurement, measure, partsOf, type Stream } from "./measure.ts";

export const PHASE_TITLES: Readonly<Record<CapturePhase, string>> = {
  A1: "activations up, cut 1",
  A2: "activations down, cut 2",
  G2: "gradients up, cut 2",
  G1: "gradients down, cut 1",
};

export interface BenchRow extends Measurement {
  readonly family: string;
  readonly own: boolean;
  readonly codec: string;
  readonly phase: CapturePhase;
}

export interface BenchResult {
  readonly format: "narrowband-codec-bench";
  readonly version: 1;
  readonly capture: {
    readonly note: string;
    readonly channels: number;
    readonly steps: readonly number[];
    readonly codecs: Capture["codecs"];
    /** Tokens of each phase that were measured. */
    readonly tokens: Readonly<Partial<Record<CapturePhase, number>>>;
  };
  readonly learningSteps: number;
  readonly rows: readonly BenchRow[];
}

/** The streams of a capture that hold anything. */
export function streamsOf(capture: Capture): [CapturePhase, Stream][] {
  const { channels } = capture;
  const activations = (["A1", "A2"] as const).map((phase): [CapturePhase, Stream] => [
    phase,
    { role: "activation", channels, pairs: pairsOf(capture, phase) },
  ]);
  const gradients = (["G2", "G1"] as const).map((phase): [CapturePhase, Stream] => {
    const own = capture.tensors.filter((tensor) => tensor.phase === phase);
    const pairs = own.map((activation) => ({ activation, gradient: undefined }));
    return [phase, { role: "gradient", channels, pairs }];
  });
  const all = [...activations, ...gradients].filter(([, { pairs }]) => tokensOf(pairs) > 0);
  if (all.length === 0) fail("NB_DATA_INVALID", "capture: it holds no tensor");
  return all;
}

function tokensOf(pairs: Stream["pairs"]): number {
  return pairs.reduce((sum, { activation }) => sum + activation.tokens, 0);
}

/**
 * Measures every codec on every stream. `onRow` is told after each, with how many there will be; between them the
 * event loop gets its turn, so that progress shows and `signal` can end it.
 */
export async function runBench(
  capture: Capture,
  families: readonly Family[],
  signal: AbortSignal,
  onRow: (done: number, total: number, codec: string) => void,
): Promise<BenchResult> {
  const streams = streamsOf(capture);
  const arms = families.flatMap((family) => family.codecs.map((codec) => ({ family, codec })));
  const total = arms.length * streams.length;
  const rows: BenchRow[] = [];
  for (const { family, codec } of arms) {
    const spec = parseCodecSpec(codec);
    for (const [phase, stream] of streams) {
      signal.throwIfAborted();
      const measured = measure(spec, stream);
      rows.push({ family: family.name, own: family.own, codec: codecLabel(spec), phase, ...measured });
      onRow(rows.length, total, codec);
      await new Promise(setImmediate);
    }
  }
  const { note, channels, codecs, tensors } = capture;
  const tokens = Object.fromEntries(
    streams.map(([phase, stream]) => [phase, tokensOf(partsOf(stream).measured)]),
  );
  const steps = [...new Set(tensors.map((tensor) => tensor.step))];
  return {
    format: "narrowband-codec-bench",
    version: 1,
    capture: { note, channels, steps, codecs, tokens },
    learningSteps: LEARNING_STEPS,
    rows,
  };
}

/** A codec over both cuts: bits are their mean, errors their geometric mean, which a factor between the cuts does not move. */
export interface Summary {
  readonly codec: string;
  readonly family: string;
  readonly own: boolean;
  readonly laterVisits: boolean;
  readonly bitsPerElement: number;
  readonly steadyBits: number;
  readonly nmse: number;
  readonly worstChannelNmse: number;
  /** Of both cuts together. */
  readonly deadChannels: number;
  readonly gradientWeighted: number | undefined;
  readonly coherence: number | undefined;
  readonly errorOfSums: number | undefined;
  /** Against `fixed` at the same NMSE, mean of the cuts. */
  readonly savedBits: number | undefined;
}

/** Summaries of activations or of gradients, in the order of the rows. */
export function summaries(rows: readonly BenchRow[], role: "activation" | "gradient"): Summary[] {
  const phases: readonly CapturePhase[] = role === "activation" ? ["A1", "A2"] : ["G2", "G1"];
  const own = rows.filter((row) => phases.includes(row.phase));
  const keys = [...new Set(own.map((row) => `${row.family}\n${row.codec}`))];
  return keys.map((key) => {
    const members = own.filter((row) => `${row.family}\n${row.codec}` === key);
    const mean = (pick: (row: BenchRow) => number | undefined) => {
      const values = members.map(pick).filter((value) => value !== undefined);
      if (values.length === 0) return undefined;
      return values.includes(0)
        ? 0
        : Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
    };
    const { codec, family, own: mine } = members[0]!;
    const saved = members.map((row) => savedBits(row, rows));
    return {
      codec,
      family,
      own: mine,
      laterVisits: members.some((row) => row.laterVisits),
      bitsPerElement: members.reduce((sum, row) => sum + row.bitsPerElement, 0) / members.length,
      steadyBits: members.reduce((sum, row) => sum + row.steadyBits, 0) / members.length,
      nmse: mean((row) => row.nmse)!,
      worstChannelNmse: Math.max(...members.map((row) => row.worstChannelNmse)),
      deadChannels: members.reduce((sum, row) => sum + row.deadChannels, 0),
      gradientWeighted: mean((row) => row.gradientWeighted),
      coherence: mean((row) => row.coherence),
      errorOfSums: mean((row) => row.errorOfSums),
      savedBits: saved.some((bits) => bits === undefined)
        ? undefined
        : saved.reduce<number>((sum, bits) => sum + bits!, 0) / saved.length,
    };
  });
}

/** The codec whose packed widths are the yardstick. */
const YARDSTICK = /^fixed:\d$/;

/**
 * Bits per element that a row saves against `fixed` at the same NMSE, by a straight line through the logarithms of
 * the NMSE of its widths on the same stream; undefined where that has no widths on both sides.
 */
export function savedBits(row: BenchRow, rows: readonly BenchRow[]): number | undefined {
  const points = rows
    .filter(({ phase, codec, nmse }) => phase === row.phase && YARDSTICK.test(codec) && nmse > 0)
    .sort((a, b) => a.bitsPerElement - b.bitsPerElement);
  if (row.nmse === 0) return undefined;
  for (let i = 1; i < points.length; i++) {
    const [low, high] = [points[i - 1]!, points[i]!];
    if (row.nmse > low.nmse || row.nmse < high.nmse) continue;
    const share = low.nmse === high.nmse ? 0 : Math.log(low.nmse / row.nmse) / Math.log(low.nmse / high.nmse);
    return low.bitsPerElement + share * (high.bitsPerElement - low.bitsPerElement) - row.bitsPerElement;
  }
  return undefined;
}

/** An error as tables show it. */
export function errorText(value: number | undefined): string {
  if (value === undefined) return "";
  if (value === 0) return "0";
  return value < 1e-3 || value >= 1e4 ? value.toExponential(2) : value.toPrecision(3);
}

/** Heading and cells of a table of summaries, for a terminal or a page. */
export function tableOf(
  rows: readonly BenchRow[],
  role: "activation" | "gradient",
): { head: string[]; cells: string[][]; own: boolean[] } {
  const last = role === "activation" ? ["gradient-weighted", "coherence"] : ["error of sums"];
  const list = summaries(rows, role);
  return {
    head: ["codec", "bits/element", "steady", "NMSE", "saves", "worst channel", "dead", ...last],
    cells: list.map((s) => [
      s.laterVisits ? `${s.codec} (later visits)` : s.codec,
      s.bitsPerElement.toFixed(3),
      s.steadyBits.toFixed(3),
      errorText(s.nmse),
      s.savedBits === undefined ? "" : s.savedBits.toFixed(2).replace(/^-0\.00$/, "0.00"),
      errorText(s.worstChannelNmse),
      String(s.deadChannels),
      ...(role === "activation"
        ? [errorText(s.gradientWeighted), s.coherence?.toFixed(2) ?? ""]
        : [errorText(s.errorOfSums)]),
    ]),
    own: list.map((s) => s.own),
  };
}
