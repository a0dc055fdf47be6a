/**
 * `table: grid`: one figure of arms that differ in two things, one down and one across: settings, or what their codecs have other than
 * those of `against`: `transfer`, `codec`, `bits`.
 */
import { z } from "zod";
import { fail } from "../../shared/errors.ts";
import type { ArmRuns } from "../report/study.ts";
import { cutOf, figureNamed, shown } from "./figures.ts";
import { markdownTable } from "./markdown.ts";
import { list, type Mark } from "./marks.ts";
import {
  codecsOf,
  groupKey,
  modelName,
  optionsOf,
  type ResultsReader,
  select,
  selectionOptions,
  settingsOf,
  type TableRow,
} from "./selection.ts";

const schema = z.strictObject({
  ...selectionOptions,
  /** Of what each row and each column is one place; of several things their combinations. */
  rows: z.string().transform(list),
  columns: z.string().transform(list),
  value: z.string().default("mean"),
});

/** Transfers whose codec is another than the reference's; all of them where there is none. */
function ownTransfers(arm: ArmRuns, reference: ArmRuns | undefined): string[] {
  const others = reference === undefined || reference === arm ? {} : codecsOf(reference);
  return Object.entries(codecsOf(arm)).flatMap(([phase, codec]) => (others[phase] === codec ? [] : [phase]));
}

/** The one codec of the arm's own transfers, or all of them. */
function ownCodec(arm: ArmRuns, reference: ArmRuns | undefined): string {
  return [...new Set(ownTransfers(arm, reference).map((phase) => codecsOf(arm)[phase]))].join(" / ");
}

/** Where an arm stands along one side of the grid. */
const placeOf = (names: readonly string[], row: TableRow, mark: Mark) =>
  names.map((name) => placeIn(name, row, mark)).join(", ");

function placeIn(name: string, { arm, reference }: TableRow, mark: Mark): string {
  switch (name) {
    case "arm":
      return arm.arm;
    case "task":
      return arm.task;
    case "model":
      return modelName(arm.model);
    case "link":
      return arm.link;
    case "cut":
      return cutOf(settingsOf(arm));
    case "transfer": {
      const own = ownTransfers(arm, reference);
      return own.length === Object.keys(codecsOf(arm)).length ? "all" : own.join(" + ");
    }
    case "codec":
      return `\`${ownCodec(arm, reference)}\``;
    case "bits": {
      const codec = ownCodec(arm, reference);
      return /:(\d+(?:\.\d+)?)(?![-\d])/.exec(codec)?.[1] ?? codec;
    }
  }
  const setting = settingsOf(arm)[name];
  return setting === undefined || typeof setting === "object"
    ? fail(
        "NB_DATA_INVALID",
        `${mark.place}: ${JSON.stringify(name)} is nothing that arms differ in; accepted: arm, task, model, link, cut, transfer, codec, bits, and any setting`,
      )
    : String(setting);
}

/** Places in the order of their numbers where all are numbers, else as they come. */
function inOrder(places: readonly string[]): string[] {
  const once = [...new Set(places)];
  return once.every((place) => place !== "" && Number.isFinite(Number(place)))
    ? once.sort((a, b) => Number(a) - Number(b))
    : once;
}

export async function gridTable(mark: Mark, read: ResultsReader): Promise<string | undefined> {
  const options = optionsOf(schema, mark);
  const selected = await select(mark, options, read);
  if (selected === undefined) return undefined;
  const trained = selected.filter(({ arm }) => !arm.baseline);
  const sidesOf = [...options.rows, ...options.columns];
  const byTransfer = sidesOf.some((name) => ["transfer", "codec", "bits"].includes(name));
  // Where arms are told by what they have other than the reference, that has no place.
  const rows = byTransfer ? trained.filter(({ arm, reference }) => arm !== reference) : trained;
  const sides = rows.map((row) => ({
    row,
    down: placeOf(options.rows, row, mark),
    across: placeOf(options.columns, row, mark),
  }));
  const metrics = new Set(rows.map(({ arm }) => groupKey(arm)));
  if (metrics.size > 1 && !sidesOf.some((name) => ["task", "model", "link"].includes(name)))
    fail(
      "NB_DATA_INVALID",
      `${mark.place}: arms of several tasks, models or links are left; accepted: those of one`,
    );
  const { show, head } = figureNamed(options.value, rows, mark.place);
  const across = inOrder(sides.map((side) => side.across));
  const cells = inOrder(sides.map((side) => side.down)).map((down) => [
    down,
    ...across.map((place) => {
      const here = sides.filter((side) => side.down === down && side.across === place);
      if (here.length > 1)
        fail(
          "NB_DATA_INVALID",
          `${mark.place}: ${here.map(({ row }) => JSON.stringify(row.arm.arm)).join(" and ")} have one place; accepted: arms, except or rows that tell them apart`,
        );
      return here.length === 0 ? "" : shown(show(here[0].row));
    }),
  ]);
  const corner = `${head(rows)}: ${options.rows.join(", ")} ↓ ${options.columns.join(", ")} →`;
  return markdownTable([corner, ...across], cells, new Set([0]));
}
