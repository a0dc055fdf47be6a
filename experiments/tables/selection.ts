/** Which arms of which results a table shows, and what each is compared with. */
import { z } from "zod";
import { fail } from "../../shared/errors.ts";
import { readRows } from "../report/read-rows.ts";
import {
  type ArmComparison,
  type ArmRuns,
  type ArmSummary,
  compareArms,
  summaryOf,
} from "../report/study.ts";
import { list, type Mark } from "./marks.ts";

const words = z.string().transform(list);

/** Options of every table and plot. Names of arms may hold * for any text. */
export const selectionOptions = {
  task: words.optional(),
  /** As the rows have it, or its last part. */
  model: words.optional(),
  link: words.optional(),
  /** In this order; all but baselines' when `arms` is given. */
  arms: words.optional(),
  /** Left out. */
  except: words.optional(),
  /** The arm that others are compared with. */
  against: z.string().optional(),
  /** Settings: an arm is compared with the one that has the codecs of `against` and its own values of these. */
  same: words.optional(),
};
const selectionSchema = z.object(selectionOptions);
export type SelectionOptions = z.output<typeof selectionSchema>;

/** An arm on a task, and its reference. */
export interface TableRow {
  readonly arm: ArmRuns;
  readonly summary: ArmSummary;
  readonly reference: ArmRuns | undefined;
  /** Undefined without a reference, for the reference itself, and when they share no seed. */
  readonly comparison: ArmComparison | undefined;
  /** Most seeds that an arm of these results has. */
  readonly mostSeeds: number;
}

/** Gives the arms of results; read once. Undefined when there are no such results. */
export type ResultsReader = (name: string) => Promise<readonly ArmRuns[] | undefined>;

/** Reads results below a directory. */
export function resultsReader(root: string, exists: (path: string) => boolean): ResultsReader {
  const known = new Map<string, Promise<readonly ArmRuns[] | undefined>>();
  return (name) => {
    let arms = known.get(name);
    if (arms === undefined) {
      const directory = `${root}/${name}`;
      arms = exists(directory)
        ? readRows(directory, "").then((rows) => rows.arms)
        : Promise.resolve(undefined);
      known.set(name, arms);
    }
    return arms;
  };
}

/** A mark's options, checked. NB_DATA_INVALID names the mark, what is wrong, and what is accepted. */
export function optionsOf<S extends z.ZodObject>(schema: S, mark: Mark): z.output<S> {
  const parsed = schema.safeParse(mark.options);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  return fail(
    "NB_DATA_INVALID",
    `${mark.place}: ${path.join(".") || "options"}: ${message}; accepted: ${Object.keys(schema.shape).join(", ")}`,
  );
}

function matcher(patterns: readonly string[]): (name: string) => number {
  const expressions = patterns.map((pattern) => {
    const literal = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${literal.join(".*")}$`);
  });
  return (name) => expressions.findIndex((expression) => expression.test(name));
}

export function settingsOf(arm: ArmRuns): Readonly<Record<string, unknown>> {
  const [run] = arm.bySeed.values();
  return run.cell.cell;
}

export function codecsOf(arm: ArmRuns): Readonly<Record<string, string>> {
  return (settingsOf(arm).codecs ?? {}) as Record<string, string>;
}

export const modelName = (model: string) => model.replace(/^.*[\\/](?=.)/, "");

/** The arm that another is compared with, among those of the same task, model and link. */
function referenceOf(arm: ArmRuns, group: readonly ArmRuns[], { against, same }: SelectionOptions) {
  const named = group.find((other) => other.arm === against);
  if (named === undefined || same === undefined) return named;
  const codecs = JSON.stringify(codecsOf(named));
  return group.find(
    (other) =>
      JSON.stringify(codecsOf(other)) === codecs &&
      (other.packedOf === undefined) === (named.packedOf === undefined) &&
      same.every((key) => settingsOf(other)[key] === settingsOf(arm)[key]),
  );
}

/**
 * The rows of a table.
 *
 * @returns undefined when results are not there
 * @throws NB_DATA_INVALID when an option names what the rows do not have
 */
export async function select(
  mark: Mark,
  options: SelectionOptions,
  read: ResultsReader,
): Promise<TableRow[] | undefined> {
  const { task, model, link, arms: wanted, except = [], against, same = [] } = options;
  const order = matcher(wanted ?? ["*"]);
  const leftOut = matcher(except);
  const found: { rank: number; row: TableRow }[] = [];
  const everything: ArmRuns[] = [];
  for (const name of mark.results) {
    const arms = await read(name);
    if (arms === undefined) return undefined;
    everything.push(...arms);
    const chosen = arms.filter(
      (arm) =>
        (task === undefined || task.includes(arm.task)) &&
        (model === undefined || model.includes(arm.model) || model.includes(modelName(arm.model))) &&
        (link === undefined || link.includes(arm.link)),
    );
    const mostSeeds = Math.max(
      ...chosen.filter(({ baseline }) => !baseline).map(({ bySeed }) => bySeed.size),
      0,
    );
    for (const arm of chosen) {
      const rank = order(arm.arm);
      if (rank < 0 || leftOut(arm.arm) >= 0 || (arm.baseline && wanted?.includes(arm.arm) === false))
        continue;
      const group = arms.filter(
        (other) =>
          other.model === arm.model && other.task === arm.task && other.link === arm.link && !other.baseline,
      );
      const reference = arm.baseline ? undefined : referenceOf(arm, group, options);
      const row = {
        arm,
        summary: summaryOf(arm, Number.NaN),
        reference,
        comparison: reference === undefined || reference === arm ? undefined : compareArms(arm, reference),
        mostSeeds,
      };
      found.push({ rank, row });
    }
  }
  const names = [...new Set(everything.map(({ arm }) => arm))];
  const unknown = [...(wanted ?? []), ...except, ...(against === undefined ? [] : [against])].find(
    (pattern) => !names.some((arm) => matcher([pattern])(arm) >= 0),
  );
  if (unknown !== undefined)
    fail(
      "NB_DATA_INVALID",
      `${mark.place}: ${JSON.stringify(unknown)} is no arm; accepted: ${names.join(", ")}`,
    );
  const noSetting = same.find((key) => !everything.some((arm) => key in settingsOf(arm)));
  if (noSetting !== undefined)
    fail("NB_DATA_INVALID", `${mark.place}: same: ${JSON.stringify(noSetting)} is no setting of these runs`);
  if (found.length === 0) {
    const tasks = [...new Set(everything.map((arm) => arm.task))];
    const models = [...new Set(everything.map((arm) => modelName(arm.model)))];
    fail(
      "NB_DATA_INVALID",
      `${mark.place}: no rows are left; there are tasks ${tasks.join(", ")} and models ${models.join(", ")}`,
    );
  }
  const groups = [...new Set(found.map(({ row }) => groupKey(row.arm)))];
  return found
    .toSorted(
      (a, b) => groups.indexOf(groupKey(a.row.arm)) - groups.indexOf(groupKey(b.row.arm)) || a.rank - b.rank,
    )
    .map(({ row }) => row);
}

/** Arms with the same key may be compared: model, task and link. */
export const groupKey = ({ model, task, link }: ArmRuns) => JSON.stringify([model, task, link]);
