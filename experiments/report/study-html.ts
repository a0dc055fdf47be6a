/** An experiment's page: for each model and task what every arm reached, at what cost, and how it compares. One file, no script. */

import { formatBytes, formatCount, formatDuration } from "../../shared/command/format.ts";
import { formatDifference, formatMargin, formatMetric, metricLabel } from "../runner/rows.ts";
import { groupBy } from "../statistics/groups.ts";
import { armStyles } from "./arm-styles.ts";
import { DOTTED } from "./charts.ts";
import { figure, lineKey, row, table } from "./html.ts";
import { escapeHtml, htmlPage } from "./page.ts";
import type { ArmComparison, ArmRuns, ArmSummary, Study } from "./study.ts";
import { costChart, differenceChart, STUDY_STYLE, spentBitsChart } from "./study-charts.ts";

export interface StudyPage {
  readonly title: string;
  readonly question: string | undefined;
  readonly study: Study;
  readonly runs: readonly ArmRuns[];
  /** Hash of the program that made the rows. */
  readonly code: string;
  /** Rows that were not used, in words. */
  readonly left: readonly string[];
  /** The command that makes this page again. */
  readonly command: string;
}

function interval(ci95: readonly [number, number] | null, format: (value: number) => string): string {
  return ci95 === null ? "one seed" : `${format(ci95[0])} to ${format(ci95[1])}`;
}

function difference(metric: string, value: number | null): string {
  return value === null ? "" : formatDifference(metric, value);
}

function armTable(arms: readonly ArmSummary[]): string {
  const [{ metric }] = arms;
  const numeric = new Set([1, 2, 3, 4, 5, 6, 7]);
  const others = ["loss", "perplexity", "bitsPerByte", "accuracy", "macroF1", "exactMatch"].filter(
    (name) => name !== metric && arms.some(({ metrics }) => metrics[name] !== undefined),
  );
  const rows = arms.map((arm) =>
    row(
      [
        arm.name,
        formatMetric(metric, arm.mean),
        arm.ci95 === null ? "one seed" : formatMargin(metric, (arm.ci95[1] - arm.ci95[0]) / 2),
        String(arm.seeds.length),
        arm.baseline ? "" : formatBytes(arm.cumulativeBytes),
        arm.baseline ? "" : arm.codecBitsPerElement.toFixed(3),
        arm.baseline ? "" : arm.bitsPerElement.toFixed(3),
        bytesToTarget(arm),
        ...others.map((name) => {
          const value = arm.metrics[name];
          return value === undefined ? "" : formatMetric(name, value);
        }),
      ],
      new Set([...numeric, ...others.map((_, i) => 8 + i)]),
    ),
  );
  const against = arms.find(({ baseline }) => !baseline)?.bytesToTarget?.against;
  const head = [
    "arm",
    metricLabel(metric),
    "95 %",
    "seeds",
    "bytes",
    "codec bits",
    "all bits",
    against === undefined ? "bytes to target" : `bytes to reach ${against}`,
    ...others.map(metricLabel),
  ];
  return table(head, rows, new Set([...numeric, ...others.map((_, i) => 8 + i)]));
}

function bytesToTarget({ bytesToTarget: target }: ArmSummary): string {
  if (target === null) return "";
  const { mean, reached, pairs } = target;
  if (mean !== null) return formatBytes(Math.round(mean));
  return reached === 0 ? "not reached" : `reached by ${reached} of ${pairs} seeds`;
}

function comparisonTable(comparisons: readonly ArmComparison[]): string {
  const [{ metric }] = comparisons;
  const numeric = new Set([2, 3, 4, 5, 6, 7, 8]);
  const format = (value: number) => formatDifference(metric, value);
  const rows = comparisons.map((comparison) =>
    row(
      [
        comparison.arm,
        comparison.against,
        comparison.atBytes === null ? "" : formatBytes(comparison.atBytes),
        difference(metric, comparison.difference),
        comparison.difference === null ? "not measured on the way" : interval(comparison.ci95, format),
        format(comparison.finalDifference),
        interval(comparison.finalCi95, format),
        difference(metric, comparison.meanGap),
        comparison.byteRatio.toFixed(3),
      ],
      numeric,
    ),
  );
  return table(
    [
      "arm",
      "against",
      "at bytes",
      "difference",
      "95 % interval",
      "after all steps",
      "95 % interval",
      "mean gap",
      "bytes, ratio",
    ],
    rows,
    numeric,
  );
}

function costTable(arms: readonly ArmSummary[]): string {
  const numeric = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const linked = arms.some(({ ms }) => ms.link !== undefined);
  const rows = arms
    .filter(({ baseline }) => !baseline)
    .map(({ name, phaseBits, ms, peakMemory, steps }) =>
      row(
        [
          name,
          ...["A1", "A2", "G2", "G1"].map((phase) => phaseBits[phase]?.toFixed(3) ?? ""),
          formatCount(steps),
          formatDuration(ms.clientCompute + ms.serverCompute),
          ms.clientCodec === undefined ? "" : formatDuration(ms.clientCodec + ms.serverCodec),
          ...(linked ? [ms.link === undefined ? "" : formatDuration(ms.link)] : []),
          peakMemory === null ? "" : formatBytes(peakMemory),
        ],
        numeric,
      ),
    );
  return table(
    [
      "arm",
      "bits A1",
      "A2",
      "G2",
      "G1",
      "steps",
      "compute",
      "codec",
      ...(linked ? ["link"] : []),
      "peak memory",
    ],
    rows,
    numeric,
  );
}

function titleOf([{ model, task, link }]: readonly ArmSummary[]): string {
  return `${task}, ${model}${link === "none" ? "" : `, over ${link}`}`;
}

async function section(page: StudyPage, arms: readonly ArmSummary[], id: string): Promise<string> {
  const [{ model, task, link }] = arms;
  const same = (other: { model: string; task: string; link: string }) =>
    other.model === model && other.task === task && other.link === link;
  const runs = page.runs.filter((run) => same(run) && !run.baseline);
  const baselines = arms.filter(({ baseline }) => baseline);
  const comparisons = page.study.comparisons.filter(same);
  const heading = `<h2 id="${id}">${escapeHtml(titleOf(arms))}</h2>`;
  if (runs.length === 0) return `${heading}${armTable(arms)}`;
  const styles = armStyles(runs);
  const packed = runs.filter(({ packedOf }) => packedOf !== undefined);
  const sent = runs.filter(({ packedOf }) => packedOf === undefined);
  const keys = [
    ...sent.map((arm) => {
      const twin = packed.find(({ packedOf }) => packedOf?.arm === arm.arm);
      return lineKey(styles.get(arm.arm)!, twin === undefined ? arm.arm : `${arm.arm} (packed: ${twin.arm})`);
    }),
    ...baselines.map(({ name, metric, mean }) =>
      lineKey({ colour: "var(--ink-3)", dash: DOTTED }, `${name}: ${formatMetric(metric, mean)}`),
    ),
  ];
  const metric = metricLabel(runs[0].metric);
  // Arms without their entropy stage are the same curves once more, with other bytes: beside the others, not among them.
  const sides =
    packed.length === 0
      ? [{ arms: sent, beside: [], which: "" }]
      : [
          { arms: sent, beside: packed, which: "" },
          { arms: packed, beside: sent, which: ", packed" },
        ];
  const cards: string[] = [];
  for (const { arms, beside, which } of sides)
    cards.push(
      `<div class="card"><h3>${escapeHtml(capital(metric))} against bytes${which}</h3>${figure(
        await costChart(arms, baselines, styles, undefined, beside),
        `${metric} on ${task} against cumulative bytes, by arm${which}`,
      )}</div>`,
    );
  for (const { arms, beside, which } of sides) {
    const bits = await spentBitsChart(arms, styles, beside);
    if (bits !== undefined)
      cards.push(
        `<div class="card"><h3>Bits spent a step${which || ", scales and tables included"}</h3>${figure(bits, `Bits per element of each step on ${task}, by arm${which}`)}</div>`,
      );
  }
  for (const [against, group] of groupBy(comparisons, (comparison) => comparison.against)) {
    const known = group.filter(({ difference }) => difference !== null);
    if (known.length === 0) continue;
    cards.push(
      `<div class="card"><h3>Against ${escapeHtml(against)}, at equal bytes</h3>${figure(
        await differenceChart(known),
        `Difference of each arm to ${against} on ${task} at equal bytes, with 95 % intervals`,
      )}</div>`,
    );
  }
  const better = runs[0].higherIsBetter ? "Higher is better." : "Lower is better.";
  const notes = [better, "Curves that agree lie on one another."];
  if (packed.length > 0)
    notes.push(
      "Packed are the same runs with their bytes counted without the entropy stage, drawn with dashes.",
    );
  if (baselines.some(({ name }) => name.startsWith("bag-of-words")))
    notes.push(
      "Of the references without a language model, bag-of-words is made from all training examples, bag-of-words-seen from as many as the clients see in their steps.",
    );
  return `${heading}<p class="muted">${escapeHtml(notes.join(" "))}</p><ul class="legend">${keys.join("")}</ul>
<div class="grid">${cards.join("")}</div>
<h3>What each arm reached</h3>${armTable(arms)}
${comparisons.length === 0 ? "" : `<h3>Against the references, paired by seed</h3>${comparisonTable(comparisons)}`}
<h3>What it cost</h3>${costTable(arms)}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The page. */
export async function studyHtml(page: StudyPage): Promise<string> {
  const groups = groupBy(page.study.arms, ({ model, task, link }) => JSON.stringify([model, task, link]));
  const sections: string[] = [];
  const links: string[] = [];
  for (const arms of groups.values()) {
    const id = `part-${sections.length + 1}`;
    links.push(`<li><a href="#${id}">${escapeHtml(titleOf(arms))}</a></li>`);
    sections.push(await section(page, arms, id));
  }
  const notes = page.left.map((text) => `<li>Not used: ${escapeHtml(text)}.</li>`);
  const body = `${page.question === undefined ? "" : `<p>${escapeHtml(page.question)}</p>`}
<p class="muted">Program ${escapeHtml(page.code)} · made again by <code>${escapeHtml(page.command)}</code></p>
<ul class="summary">${notes.join("")}</ul>
${links.length < 2 ? "" : `<nav><ul class="contents">${links.join("")}</ul></nav>`}
${sections.join("\n")}
<footer>Means over seeds; intervals are 95 % by Student's t, of differences within seeds where arms are compared; pp are percentage points. Bytes are everything that the
server's sockets carried. The numbers of this page are in it, as JSON, in the element with the id "study".</footer>`;
  return htmlPage({ title: page.title, style: STUDY_STYLE, body, id: "study", data: page.study });
}
