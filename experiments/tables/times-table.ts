/**
 * `table: times`: how long each arm would have taken to a target over other links, and on what its critical path spends that. As `narrowband experiment
 * times` works it out, with costs that were measured before and are kept in a file: the same rows and costs always make the same table.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { fail } from "../../shared/errors.ts";
import { PROFILE_NAMES } from "../link/profiles.ts";
import { totalMs } from "../simulator/critical-path.ts";
import { groupBy } from "../statistics/groups.ts";
import { CostBook } from "../times/arm-costs.ts";
import type { ArmTimes, LinkTime } from "../times/arm-times.ts";
import { studyTimes, whyNotPlayed } from "../times/study-times.ts";
import { shownParts, stepsText } from "../times/texts.ts";
import { tellingColumns } from "./arms-table.ts";
import { figureNamed, shown, threeDigits } from "./figures.ts";
import { markdownTable } from "./markdown.ts";
import { list, type Mark } from "./marks.ts";
import {
  groupKey,
  optionsOf,
  type ResultsReader,
  select,
  selectionOptions,
  type TableRow,
} from "./selection.ts";

const { against: _against, same: _same, ...chosen } = selectionOptions;

const schema = z.strictObject({
  ...chosen,
  /** The arm whose last measurement is to be reached, seed by seed. */
  targetArm: z.string(),
  /** Share by which that may be missed. */
  within: z.coerce.number().min(0).max(1).default(0),
  links: z
    .string()
    .transform(list)
    .pipe(z.array(z.enum(PROFILE_NAMES)).min(1)),
  /** File with costs, as seen from the document. */
  costs: z.string(),
});
type Options = z.output<typeof schema>;

/** Seconds to the target; in brackets the percent of them that computing, the codec and the link took. */
function cellText({ secondsToTarget, pathToTarget }: LinkTime): string {
  if (secondsToTarget === null || pathToTarget === null) return "not reached";
  const { clientCompute, serverCompute, codec, link } = shownParts(pathToTarget);
  const shares = [clientCompute + serverCompute, codec, link].map((ms) =>
    ((100 * ms) / totalMs(pathToTarget)).toFixed(0),
  );
  return `${threeDigits(secondsToTarget)} s (${shares.join(" / ")})`;
}

/** Times of the shown arms of one task, model and link of the runs. All its arms count in what computing takes: that is the median of them all. */
async function timesOf(
  rows: readonly TableRow[],
  mark: Mark,
  { targetArm, within, links }: Options,
  book: CostBook,
  read: ResultsReader,
): Promise<readonly ArmTimes[]> {
  const key = groupKey(rows[0].arm);
  const results = await Promise.all(mark.results.map(read));
  const group = results
    .flatMap((result) => result?.arms ?? [])
    .filter((arm) => !arm.baseline && groupKey(arm) === key);
  const names = group.map(({ arm }) => arm);
  if (!names.includes(targetArm))
    fail(
      "NB_DATA_INVALID",
      `${mark.place}: targetArm: ${JSON.stringify(targetArm)} was given; accepted: ${names.join(", ")}`,
    );
  for (const { arm } of rows) {
    const why = whyNotPlayed(arm);
    if (why !== undefined)
      fail("NB_DATA_INVALID", `${mark.place}: arms: ${why}, was given; accepted: those of a U-shaped split`);
  }
  const { arms } = await studyTimes(
    group,
    {
      only: rows.map(({ arm }) => arm.arm),
      target: undefined,
      targetArm,
      within,
      links,
      clients: [],
      serverSpeed: 1,
      slowness: 1,
      serverMbit: 0,
    },
    book,
    { signal: new AbortController().signal, note: () => {} },
  );
  return arms;
}

export async function timesTable(mark: Mark, read: ResultsReader): Promise<string | undefined> {
  const options = optionsOf(schema, mark);
  const selected = await select(mark, options, read);
  if (selected === undefined) return undefined;
  const rows = selected.filter(({ arm }) => !arm.baseline);
  const path = join(dirname(mark.document), options.costs);
  if (!existsSync(path))
    fail(
      "NB_DATA_INVALID",
      `${mark.place}: costs: there is no ${path}; narrowband experiment times --costs makes it`,
    );
  const book = await CostBook.open(path, false);
  const columns = tellingColumns(rows).map((name) => figureNamed(name, rows, mark.place));
  const cells: string[][] = [];
  for (const group of groupBy(rows, ({ arm }) => groupKey(arm)).values()) {
    const times = await timesOf(group, mark, options, book, read);
    for (const row of group) {
      const played = times.find(({ arm }) => arm === row.arm.arm)!;
      const telling = columns.map(({ show }) => shown(show(row)));
      cells.push([...telling, stepsText(played), ...played.times.map(cellText)]);
    }
  }
  return markdownTable(
    [...columns.map(({ head }) => head(rows)), "steps", ...options.links.map((name) => `\`${name}\``)],
    cells,
    new Set(columns.flatMap(({ text }, i) => (text === true ? [i] : []))),
  );
}
