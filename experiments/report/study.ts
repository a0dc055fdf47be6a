/**
 * What an experiment's raw rows say, arm by arm: figures with their spread over seeds, and every arm against its references, paired by
 * seed and at equal cumulative bytes.
 */
import { fail } from "../../shared/errors.ts";
import { canonicalJson } from "../../shared/job/fingerprint.ts";
import type { CellRows, EndRow } from "../runner/rows.ts";
import { type Curve, firstReach, meanGap, valueAt } from "../statistics/curves.ts";
import { groupBy } from "../statistics/groups.ts";
import { type Estimate, estimate, pairedDifference } from "../statistics/intervals.ts";

/** Runs that differ only in their seed. */
export interface ArmRuns {
  readonly model: string;
  readonly task: string;
  readonly arm: string;
  readonly link: string;
  readonly baseline: boolean;
  /** The arm whose runs these are, with their bytes as they would be without its entropy stage. */
  readonly packedOf?: ArmRuns;
  readonly metric: string;
  readonly higherIsBetter: boolean;
  readonly bySeed: ReadonlyMap<number, CellRows>;
}

/** Bytes at which each seed's run was first as good as the reference's run of that seed was in the end. */
export interface BytesToTarget {
  /** Name of the reference. */
  readonly against: string;
  /** Seeds that both have, and those of them that reached it. */
  readonly pairs: number;
  readonly reached: number;
  /** Null unless all of them did: the others would have needed more. */
  readonly mean: number | null;
}

export interface ArmSummary {
  readonly name: string;
  readonly task: string;
  readonly model: string;
  readonly link: string;
  readonly baseline: boolean;
  /** The arm whose runs these are, with their bytes as they would be without the entropy stage; null for an arm's own runs. */
  readonly packedOf: string | null;
  readonly seeds: readonly number[];
  readonly metric: string;
  readonly higherIsBetter: boolean;
  readonly mean: number;
  readonly sd: number;
  readonly ci95: readonly [number, number] | null;
  /** Means over seeds of every figure of the last measurement. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Of a run's sockets, both directions. */
  readonly cumulativeBytes: number;
  /** Everything that crossed the network, over the whole run. */
  readonly bitsPerElement: number;
  /** Payload, scales and tables alone. */
  readonly codecBitsPerElement: number;
  readonly phaseBits: Readonly<Record<string, number>>;
  /** Null for what needs no training. */
  readonly bytesToTarget: BytesToTarget | null;
  /** Means over seeds, milliseconds of a run. Without the codec's where another codec did the work: see `packedOf`. */
  readonly ms: Readonly<Record<string, number>>;
  readonly peakMemory: number | null;
  readonly steps: number;
}

export interface ArmComparison {
  readonly arm: string;
  readonly against: string;
  readonly task: string;
  readonly model: string;
  readonly link: string;
  readonly metric: string;
  readonly higherIsBetter: boolean;
  readonly pairs: number;
  /** The least of all compared runs' bytes: so many has each spent here. Null when no measurement was made before the end. */
  readonly atBytes: number | null;
  /** Arm minus reference at those bytes, between measurements by straight lines. */
  readonly difference: number | null;
  readonly ci95: readonly [number, number] | null;
  /** Arm minus reference after the last step, whatever each has spent. */
  readonly finalDifference: number;
  readonly finalCi95: readonly [number, number] | null;
  /** Mean height of the arm's curve above the reference's, over the bytes that both curves have. */
  readonly meanGap: number | null;
  readonly meanGapCi95: readonly [number, number] | null;
  /** Bytes of the arm's run divided by the reference's. */
  readonly byteRatio: number;
}

export interface Study {
  readonly arms: readonly ArmSummary[];
  readonly comparisons: readonly ArmComparison[];
}

/** Means over seeds at one step, for drawing. */
export interface CurvePoint {
  readonly step: number;
  readonly bytes: number;
  readonly value: Estimate;
}

const nameOf = ({ cell: { model, task, arm, link } }: CellRows) => JSON.stringify([model, task, link, arm]);

function settingsOf({ cell: { cell } }: CellRows): string {
  const { seed: _seed, ...settings } = cell;
  return canonicalJson(settings);
}

const newest = (runs: readonly CellRows[]) =>
  runs.reduce((a, b) => (b.cell.started > a.cell.started ? b : a));

/** Of the runs with one `key` those with the newest one's `value`. */
function likeNewest(
  runs: readonly CellRows[],
  key: (run: CellRows) => string,
  value: (run: CellRows) => string,
): CellRows[] {
  return [...groupBy(runs, key).values()].flatMap((group) => {
    const wanted = value(newest(group));
    return group.filter((run) => value(run) === wanted);
  });
}

/**
 * Runs that may stand in one table: of cells of the experiment, of one version of the program, and of one version of each task's model,
 * data and engine. Of several versions the newest is taken.
 *
 * @param preferredCode version of the program that is taken when it has rows, whatever is newer
 * @param isCell whether the experiment has such a run. Where nobody knows, each arm's newest settings are taken
 * @returns the runs, and in words what was left out
 * @throws NB_DATA_INVALID when the runs are of several experiments and nobody knows which
 */
export function compatibleRuns(
  all: readonly CellRows[],
  preferredCode: string,
  isCell?: (run: CellRows) => boolean,
): { readonly runs: readonly CellRows[]; readonly code: string; readonly left: readonly string[] } {
  const left: string[] = [];
  const leave = (before: readonly CellRows[], after: readonly CellRows[], why: string) => {
    const out = before.filter((run) => !after.includes(run));
    const arms = [...new Set(out.map(({ cell }) => cell.arm))].join(", ");
    if (out.length > 0) left.push(`${out.length} runs ${why} (${arms})`);
    return after;
  };
  const ofGrid =
    isCell === undefined ? all : leave(all, all.filter(isCell), "that the experiment file does not have");
  if (ofGrid.length === 0) return { runs: [], code: preferredCode, left };
  const code = ofGrid.some(({ cell }) => cell.code === preferredCode)
    ? preferredCode
    : newest(ofGrid).cell.code;
  const ofCode = leave(
    ofGrid,
    ofGrid.filter(({ cell }) => cell.code === code),
    `of other versions of the program than ${code}`,
  );
  const names = new Set(ofCode.map(({ cell }) => cell.experiment));
  if (isCell === undefined && names.size > 1)
    fail(
      "NB_DATA_INVALID",
      `rows of several experiments: ${[...names].join(", ")}; accepted: with the experiment file beside them, or of one alone`,
    );
  const ofInputs = leave(
    ofCode,
    likeNewest(
      ofCode,
      ({ cell: { model, task } }) => JSON.stringify([model, task]),
      ({ cell: { inputs } }) => canonicalJson(inputs),
    ),
    "on another model, data set or engine",
  );
  const runs = leave(ofInputs, likeNewest(ofInputs, nameOf, settingsOf), "with other settings");
  return { runs, code, left };
}

/**
 * Runs by model, task, link and arm, in the order of their first appearance. An arm with a name for its runs without the entropy
 * stage is followed by these, as an arm of their own.
 *
 * @param packedAs that name of an arm; the one that its rows carry where this is left out
 */
export function armsOf(
  runs: readonly CellRows[],
  packedAs: (arm: string) => string | undefined = (name) =>
    runs.find(({ cell }) => cell.arm === name && cell.packedAs !== undefined)?.cell.packedAs,
): ArmRuns[] {
  return [...groupBy(runs, nameOf).values()].flatMap((group) => {
    const { model, task, arm, link, baseline, metric, higherIsBetter } = group[0].cell;
    const bySeed = new Map(group.map((cell) => [cell.cell.seed, cell]));
    const own = { model, task, arm, link, baseline, metric, higherIsBetter, bySeed };
    const name = packedAs(arm);
    const packed = new Map(
      group.flatMap((cell) => packedRun(cell) ?? []).map((cell) => [cell.cell.seed, cell]),
    );
    return name === undefined || packed.size === 0
      ? [own]
      : [own, { ...own, arm: name, packedOf: own, bySeed: packed }];
  });
}

/**
 * The rows of the same run without its entropy stage, as far as a report reads them: bytes by category are still the run's
 * own. Undefined when the rows do not know.
 */
function packedRun(run: CellRows): CellRows | undefined {
  const { end } = run;
  const { packedBytes, packedCodecBits, packedPhaseBits } = end;
  const evaluations = run.evaluations.flatMap((row) =>
    row.packedBytes === undefined ? [] : [{ ...row, totalBytes: row.packedBytes }],
  );
  if (packedBytes === undefined || packedCodecBits === undefined || packedPhaseBits === undefined)
    return undefined;
  if (evaluations.length < run.evaluations.length) return undefined;
  return {
    ...run,
    evaluations,
    steps: run.steps.map((row) => ({ ...row, wireBits: row.packedWireBits })),
    end: {
      ...end,
      totalBytes: packedBytes,
      codecBitsPerElement: packedCodecBits,
      wireBitsPerElement: (8 * packedBytes) / Math.max(1, end.elements),
      phaseBits: packedPhaseBits,
    },
  };
}

function metricOf(metrics: Readonly<Record<string, number | undefined>>, name: string): number {
  return metrics[name] ?? Number.NaN;
}

/** The run's measurements of its metric against the bytes spent. */
function curveOf({ metric }: ArmRuns, { evaluations }: CellRows): Curve {
  return evaluations.map(({ totalBytes, metrics }) => [totalBytes, metricOf(metrics, metric)]);
}

/** The last measurement of each seed's run. */
export function finals(arm: ArmRuns): Map<number, number> {
  return new Map(
    [...arm.bySeed].map(([seed, { evaluations }]) => [
      seed,
      metricOf(evaluations.at(-1)?.metrics ?? {}, arm.metric),
    ]),
  );
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** Means of records of numbers, key by key. */
function meanRecord(
  records: readonly Readonly<Record<string, number | undefined>>[],
): Record<string, number> {
  const keys = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return Object.fromEntries(
    keys.flatMap((key) => {
      const values = records.map((record) => record[key]).filter((value) => value !== undefined);
      return values.length === 0 ? [] : [[key, mean(values)] as const];
    }),
  );
}

/** Times that a run would have had with another codec, too. */
function withoutCodecTimes({ clientCodec: _c, serverCodec: _s, ...rest }: EndRow["ms"]) {
  return rest;
}

function bytesToTarget(arm: ArmRuns, reference: ArmRuns): BytesToTarget {
  const targets = finals(reference);
  const bytes = [...arm.bySeed].flatMap(([seed, run]) => {
    const target = targets.get(seed);
    return target === undefined ? [] : [firstReach(curveOf(arm, run), target, arm.higherIsBetter)];
  });
  const reached = bytes.filter((at) => at !== undefined);
  const all = reached.length === bytes.length && bytes.length > 0;
  return {
    against: reference.arm,
    pairs: bytes.length,
    reached: reached.length,
    mean: all ? mean(reached) : null,
  };
}

/** Figures of an arm. `reference`: whose result bytes are counted to. */
export function summaryOf(arm: ArmRuns, reference?: ArmRuns): ArmSummary {
  const cells = [...arm.bySeed.values()];
  const value = estimate([...finals(arm).values()]);
  const peaks = cells.flatMap(({ end }) => end.peakMemory ?? []);
  return {
    name: arm.arm,
    task: arm.task,
    model: arm.model,
    link: arm.link,
    baseline: arm.baseline,
    packedOf: arm.packedOf?.arm ?? null,
    seeds: [...arm.bySeed.keys()].sort((a, b) => a - b),
    metric: arm.metric,
    higherIsBetter: arm.higherIsBetter,
    mean: value.mean,
    sd: value.sd,
    ci95: value.ci95 ?? null,
    metrics: meanRecord(cells.map(({ evaluations }) => evaluations.at(-1)?.metrics ?? {})),
    cumulativeBytes: mean(cells.map(({ end }) => end.totalBytes)),
    bitsPerElement: mean(cells.map(({ end }) => end.wireBitsPerElement)),
    codecBitsPerElement: mean(cells.map(({ end }) => end.codecBitsPerElement)),
    phaseBits: meanRecord(cells.map(({ end }) => end.phaseBits)),
    bytesToTarget: reference === undefined || arm.baseline ? null : bytesToTarget(arm, reference),
    ms: meanRecord(cells.map(({ end: { ms } }) => (arm.packedOf === undefined ? ms : withoutCodecTimes(ms)))),
    peakMemory: peaks.length === 0 ? null : Math.max(...peaks),
    steps: mean(cells.map(({ end }) => end.steps)),
  };
}

/** One arm against another; undefined when they share no seed. */
export function compareArms(arm: ArmRuns, against: ArmRuns): ArmComparison | undefined {
  const seeds = [...arm.bySeed.keys()].filter((seed) => against.bySeed.has(seed));
  const final = pairedDifference(finals(arm), finals(against));
  if (final === undefined) return undefined;
  const pairs = seeds.map((seed) => [arm.bySeed.get(seed)!, against.bySeed.get(seed)!] as const);
  const least = Math.min(...pairs.flat().map(({ evaluations }) => evaluations.at(-1)?.totalBytes ?? 0));
  const at = (runs: ArmRuns) =>
    new Map(
      seeds.flatMap((seed) => {
        const value = valueAt(curveOf(runs, runs.bySeed.get(seed)!), least);
        return value === undefined ? [] : [[seed, value] as const];
      }),
    );
  const equal = pairedDifference(at(arm), at(against));
  const gaps = pairs.flatMap(([a, b]) => meanGap(curveOf(arm, a), curveOf(against, b)) ?? []);
  const gap = gaps.length === 0 ? undefined : estimate(gaps);
  return {
    arm: arm.arm,
    against: against.arm,
    task: arm.task,
    model: arm.model,
    link: arm.link,
    metric: arm.metric,
    higherIsBetter: arm.higherIsBetter,
    pairs: final.n,
    atBytes: equal === undefined ? null : least,
    difference: equal?.mean ?? null,
    ci95: equal?.ci95 ?? null,
    finalDifference: final.mean,
    finalCi95: final.ci95 ?? null,
    meanGap: gap?.mean ?? null,
    meanGapCi95: gap?.ci95 ?? null,
    byteRatio: mean(pairs.map(([a, b]) => a.end.totalBytes / Math.max(1, b.end.totalBytes))),
  };
}

/**
 * All arms and comparisons.
 *
 * @param against names of the reference arms, of which the first is the one that bytes are counted to; the first trained arm where none is named
 */
export function studyOf(arms: readonly ArmRuns[], against: readonly string[] | undefined): Study {
  const summaries: ArmSummary[] = [];
  const comparisons: ArmComparison[] = [];
  const groups = groupBy(arms, ({ model, task, link }) => JSON.stringify([model, task, link]));
  for (const group of groups.values()) {
    const trained = group.filter(({ baseline }) => !baseline);
    const named = against?.flatMap((name) => trained.find(({ arm }) => arm === name) ?? []) ?? [];
    const references = named.length > 0 ? named : trained.slice(0, 1);
    for (const arm of group) summaries.push(summaryOf(arm, references[0]));
    for (const arm of trained)
      for (const reference of references) {
        if (arm === reference) continue;
        const comparison = compareArms(arm, reference);
        if (comparison !== undefined) comparisons.push(comparison);
      }
  }
  return { arms: summaries, comparisons };
}

/** An arm's mean measurements over steps; steps that not all seeds have are left out. */
export function meanCurve(arm: ArmRuns): CurvePoint[] {
  const cells = [...arm.bySeed.values()];
  const points = groupBy(
    cells.flatMap(({ evaluations }) => evaluations),
    ({ step }) => step,
  );
  return [...points]
    .filter(([, rows]) => rows.length === cells.length)
    .map(([step, rows]) => ({
      step,
      bytes: mean(rows.map(({ totalBytes }) => totalBytes)),
      value: estimate(rows.map(({ metrics }) => metricOf(metrics, arm.metric))),
    }))
    .sort((a, b) => a.step - b.step);
}
