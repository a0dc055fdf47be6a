/** `table: arms`: a row for each arm, a column for each figure. Where several tasks, models or links are shown, each has a column of its own. */
import { z } from "zod";
import { figureNamed, shown } from "./figures.ts";
import { markdownTable } from "./markdown.ts";
import { list, type Mark } from "./marks.ts";
import {
  modelName,
  optionsOf,
  type ResultsReader,
  select,
  selectionOptions,
  type TableRow,
} from "./selection.ts";

const schema = z.strictObject({ ...selectionOptions, columns: z.string().transform(list).optional() });

const ALONE = ["bits", "MB", "mean"];
const COMPARED = [...ALONE, "difference", "final", "targetRatio"];

/** Names of the columns that say which arm a row is of: its name, what else tells it apart, and whatever is short of a seed. */
export function tellingColumns(rows: readonly TableRow[]): string[] {
  const differ = (of: (row: TableRow) => string) => new Set(rows.map(of)).size > 1;
  return [
    ...(differ(({ arm }) => modelName(arm.model)) ? ["model"] : []),
    ...(differ(({ arm }) => arm.task) ? ["task"] : []),
    ...(differ(({ arm }) => (arm.baseline ? rows[0].arm.link : arm.link)) ? ["link"] : []),
    "arm",
    ...(rows.some(({ arm, seeds }) => !arm.baseline && arm.bySeed.size < seeds) ? ["seeds"] : []),
  ];
}

export async function armsTable(mark: Mark, read: ResultsReader): Promise<string | undefined> {
  const options = optionsOf(schema, mark);
  const rows = await select(mark, options, read);
  if (rows === undefined) return undefined;
  const wanted = options.columns ?? (options.against === undefined ? ALONE : COMPARED);
  const names = [...new Set([...tellingColumns(rows), ...wanted])];
  const columns = names.map((name) => figureNamed(name, rows, mark.place));
  const mixed = new Set(rows.map(({ arm }) => arm.metric)).size > 1;
  return markdownTable(
    columns.map(({ head }) => head(rows)),
    rows.map((row) => columns.map(({ show }) => shown(show(row), mixed))),
    new Set(columns.flatMap(({ text }, i) => (text === true ? [i] : []))),
  );
}
