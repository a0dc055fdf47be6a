/** Which arms of which results a table shows, and what each is compared with. */
import { z } from "zod";
import { fail } from "../../shared/errors.ts";
import { type ReadRows, readRows } from "../report/read-rows.ts";
import {
  type ArmComparison,
  type ArmRuns,
  type ArmSummary,
  compareArms,
  summaryOf,
} from "../report/study.ts";
import { taskNamesOf } from "../runner/experiment.ts";
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
  /** Seeds that the experiment asks for. */
  readonly seeds: number;
}

/** What is published of an experiment. */
type Results = Pick<ReadRows, "arms" | "experiment">;

/** Gives results; read once. Undefined when there are no such results. */
export type ResultsReader = (name: string) => Promise<Results | undefined>;

/** Reads results below a directory. */
export function resultsReader(root: string, exists: (path: string) => boolean): ResultsReader {
  const known = new Map<string, Promise<Results | undefined>>();
  return (name) => {
    let results = known.get(name);
    if (results === undefined) {
      const directory = `${root}/${name}`;
      results = exists(directory) ? readRows(directory, "") : Promise.resolve(undefined);
      known.set(name, results);
    }
    return results;
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

/** The last part of a model's path: of its directory, where its file is called as any would be. */
export const modelName = (model: string) =>
  model
    .replace(/[\\/]model\.gguf$/, "")
    .replace(/^.*[\\/](?=.)/, "")
    .replace(/\.gguf$/, "");

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

/** Names that options may have: those of the rows, and of the experiment files, of which not all need have been run yet. */
function namesIn(results: readonly Results[]) {
  const arms = results.flatMap((result) => result.arms);
  const files = results.flatMap(({ experiment }) => experiment ?? []);
  const models = [...arms.map(({ model }) => model), ...files.flatMap((file) => file.models)];
  const tasks = files.flatMap(taskNamesOf);
  const planned = files.flatMap((file) =>
    file.arms.flatMap(({ name, packedAs }) => [name, packedAs ?? []].flat()),
  );
  return {
    arms: [...new Set([...arms.map(({ arm }) => arm), ...planned])],
    tasks: [...new Set([...arms.map(({ task }) => task), ...tasks])],
    models: [...new Set([...models, ...models.map(modelName)])],
    links: [...new Set([...arms.map(({ link }) => link), ...files.flatMap(({ links }) => links)])],
    settings: [...new Set(arms.flatMap((arm) => Object.keys(settingsOf(arm))))],
  };
}

/** NB_DATA_INVALID when an option names what there is not. */
function refuseUnknown(mark: Mark, options: SelectionOptions, results: readonly Results[]): void {
  const known = namesIn(results);
  const check = (key: string, given: readonly string[] | undefined, accepted: readonly string[]) => {
    const unknown = given?.find((pattern) => !accepted.some((name) => matcher([pattern])(name) >= 0));
    if (unknown !== undefined)
      fail(
        "NB_DATA_INVALID",
        `${mark.place}: ${key}: ${JSON.stringify(unknown)} was given; accepted: ${accepted.join(", ")}`,
      );
  };
  check("arms", options.arms, known.arms);
  check("except", options.except, known.arms);
  check("against", options.against === undefined ? [] : [options.against], known.arms);
  check("task", options.task, known.tasks);
  check("model", options.model, known.models);
  check("link", options.link, known.links);
  check("same", options.same, known.settings);
}

/** Seeds that an experiment asks for; without its file the most that an arm has. */
function seedsOf({ experiment, arms }: Results): number {
  if (experiment === undefined) return Math.max(...arms.map(({ bySeed }) => bySeed.size));
  return typeof experiment.seeds === "number" ? experiment.seeds : experiment.seeds.length;
}

/**
 * The rows of a table, by task, model and link as the experiment file has them, and in each in the order of `arms`.
 *
 * @returns undefined when there are no such rows yet
 * @throws NB_DATA_INVALID when an option names what there is not
 */
export async function select(
  mark: Mark,
  options: SelectionOptions,
  read: ResultsReader,
): Promise<TableRow[] | undefined> {
  const { task, model, link, arms: wanted } = options;
  const order = matcher(wanted ?? ["*"]);
  const leftOut = matcher(options.except ?? []);
  const results: Results[] = [];
  for (const name of mark.results) {
    const result = await read(name);
    if (result === undefined) return undefined;
    results.push(result);
  }
  refuseUnknown(mark, options, results);
  const found = results.flatMap((result) => {
    const seeds = seedsOf(result);
    const chosen = result.arms.filter(
      (arm) =>
        (task === undefined || task.includes(arm.task)) &&
        (model === undefined || model.includes(arm.model) || model.includes(modelName(arm.model))) &&
        (link === undefined || link.includes(arm.link) || arm.baseline) &&
        order(arm.arm) >= 0 &&
        leftOut(arm.arm) < 0 &&
        (!arm.baseline || wanted === undefined || wanted.includes(arm.arm)),
    );
    return chosen.map((arm): TableRow => {
      const group = result.arms.filter((other) => groupKey(other) === groupKey(arm) && !other.baseline);
      const reference = arm.baseline ? undefined : referenceOf(arm, group, options);
      const comparison =
        reference === undefined || reference === arm ? undefined : compareArms(arm, reference);
      return { arm, summary: summaryOf(arm), reference, comparison, seeds };
    });
  });
  // Baselines alone are rows only where they are asked for by name.
  if (found.every(({ arm }) => arm.baseline && wanted === undefined)) return undefined;
  const groups = [...new Set(found.map(({ arm }) => groupKey(arm)))];
  return found.toSorted(
    (a, b) =>
      groups.indexOf(groupKey(a.arm)) - groups.indexOf(groupKey(b.arm)) ||
      order(a.arm.arm) - order(b.arm.arm),
  );
}

/** Arms with the same key may be compared: model, task and link. */
export const groupKey = ({ model, task, link }: ArmRuns) => JSON.stringify([model, task, link]);
