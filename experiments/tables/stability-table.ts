/**
 * `table: stability`: how steadily each arm trained, from the course of its training loss, and how far its worst seed fell behind. The reference's own
 * spikes say how many a hard batch makes, which all arms get in the same step.
 */
import { z } from "zod";
import { fail } from "../../shared/errors.ts";
import { type ArmRuns, finals } from "../report/study.ts";
import { traceOf } from "../runner/rows.ts";
import { hasDiverged, median, spikesOf } from "../statistics/spikes.ts";
import { figureNamed, shown } from "./figures.ts";
import { markdownTable } from "./markdown.ts";
import type { Mark } from "./marks.ts";
import { optionsOf, type ResultsReader, select, selectionOptions, type TableRow } from "./selection.ts";

const schema = z.strictObject(selectionOptions);

/** The most by which a step's training loss was above that of the reference's same step, over seeds. */
function largestExcess(arm: ArmRuns, reference: ArmRuns): number {
  const excess = [...arm.bySeed].flatMap(([seed, run]) => {
    const other = reference.bySeed.get(seed);
    if (other === undefined) return [];
    const [own, its] = [traceOf(run), traceOf(other)];
    const lossAt = new Map(its.step.map((step, i) => [step, its.loss[i]]));
    return own.step.flatMap((step, i) => {
      const loss = lossAt.get(step);
      return loss === undefined || !Number.isFinite(own.loss[i]) ? [] : [own.loss[i] - loss];
    });
  });
  return Math.max(...excess);
}

/** The worst of all seeds' differences after the last step. */
function worstDifference({ arm, reference }: TableRow): number {
  const [own, its] = [finals(arm), finals(reference!)];
  const differences = [...own].flatMap(([seed, value]) => {
    const other = its.get(seed);
    return other === undefined ? [] : [value - other];
  });
  return arm.higherIsBetter ? Math.min(...differences) : Math.max(...differences);
}

export async function stabilityTable(mark: Mark, read: ResultsReader): Promise<string | undefined> {
  const options = optionsOf(schema, mark);
  const rows = await select(mark, options, read);
  if (rows === undefined) return undefined;
  if (options.against === undefined)
    fail("NB_DATA_INVALID", `${mark.place}: against: is missing; accepted: an arm`);
  const trained = rows.filter(({ arm }) => !arm.baseline);
  const final = figureNamed("final", trained, mark.place);
  const bits = figureNamed("bits", trained, mark.place);
  const [{ reference }] = trained;
  const severalTasks = new Set(trained.map(({ arm }) => arm.task)).size > 1;
  const cells = trained.map((row) => {
    const { arm } = row;
    const traces = [...arm.bySeed.values()].map(traceOf);
    const spikes = traces.map(({ loss }) => spikesOf(loss).length);
    const steps = traces.reduce((sum, { step }) => sum + step.length, 0);
    const norms = traces.flatMap(({ gradientNorm }) => gradientNorm).filter(Number.isFinite);
    const end = final.show(row);
    const isReference = arm === row.reference || row.reference === undefined;
    return [
      ...(severalTasks ? [arm.task] : []),
      arm.arm,
      shown(bits.show(row)),
      `${spikes.reduce((a, b) => a + b, 0)} of ${steps}`,
      `${spikes.filter((count) => count > 0).length} of ${traces.length}`,
      `${traces.filter(({ loss }) => hasDiverged(loss)).length} of ${traces.length}`,
      norms.length === 0 ? "" : (Math.max(...norms) / median(norms)).toFixed(1),
      isReference ? "" : `+${Math.max(0, largestExcess(arm, row.reference!)).toFixed(3)}`,
      shown(end),
      isReference || typeof end !== "object"
        ? ""
        : shown({ ...end, value: worstDifference(row), ci95: null }),
    ];
  });
  const name = reference?.arm ?? options.against;
  const head = [
    ...(severalTasks ? ["task"] : []),
    "arm",
    "bits",
    "spikes in steps",
    "runs with spikes",
    "diverged",
    "largest / median norm",
    `largest excess of a step's loss over ${name}`,
    final.head(trained),
    "worst seed's",
  ];
  return markdownTable(head, cells, new Set(severalTasks ? [0, 1] : [0]));
}
