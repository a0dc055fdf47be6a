/** `table: overview`: one figure of every arm on every task and model. */
import { z } from "zod";
import { isShare, metricLabel } from "../runner/rows.ts";
import { figureNamed, shown } from "./figures.ts";
import { markdownTable } from "./markdown.ts";
import type { Mark } from "./marks.ts";
import { groupKey, modelName, optionsOf, type ResultsReader, select, selectionOptions } from "./selection.ts";

const schema = z.strictObject({ ...selectionOptions, value: z.string().default("difference") });

export async function overviewTable(mark: Mark, read: ResultsReader): Promise<string | undefined> {
  const options = optionsOf(schema, mark);
  const selected = await select(mark, options, read);
  if (selected === undefined) return undefined;
  const { show } = figureNamed(options.value, selected, mark.place);
  // Those that have something to show: baselines have no differences.
  const rows = selected.filter((row) => show(row) !== undefined);
  const groups = [...new Set(rows.map(({ arm }) => groupKey(arm)))];
  const severalModels = new Set(rows.map(({ arm }) => arm.model)).size > 1;
  const head = groups.map((key) => {
    const { arm } = rows.find((row) => groupKey(row.arm) === key)!;
    const figure = rows
      .filter((row) => groupKey(row.arm) === key)
      .map(show)
      .find((value) => typeof value === "object");
    const unit = isShare(arm.metric) && figure?.unit ? `, ${figure.unit}` : "";
    return `${arm.task}${severalModels ? `, ${modelName(arm.model)}` : ""}${arm.link === "none" ? "" : `, ${arm.link}`} (${metricLabel(arm.metric)}${unit})`;
  });
  const names = [...new Set(rows.map(({ arm }) => arm.arm))];
  const cells = names.map((name) => [
    name,
    ...groups.map((key) => {
      const row = rows.find(({ arm }) => arm.arm === name && groupKey(arm) === key);
      return row === undefined ? "" : shown(show(row));
    }),
  ]);
  return markdownTable(["arm", ...head], cells, new Set([0]));
}
