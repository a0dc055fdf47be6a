/** The page of times to target: for each link how long every arm takes, and what its critical path spends that on. One file, no script. */
import { formatBytes, formatCount, formatDuration, formatPercent } from "../../shared/command/format.ts";
import { totalMs } from "../simulator/critical-path.ts";
import { groupBy } from "../statistics/groups.ts";
import type { ArmTimes, LinkTime } from "../times/arm-times.ts";
import type { ExperimentTimesSettings } from "../times/run.ts";
import type { GroupTarget, StudyTimes } from "../times/study-times.ts";
import { duration, shownParts, stepsText, targetText } from "../times/texts.ts";
import { svg } from "./charts.ts";
import { figure, row, table } from "./html.ts";
import { escapeHtml, htmlPage } from "./page.ts";
import { STUDY_STYLE } from "./study-charts.ts";

export interface TimesPage {
  readonly title: string;
  readonly times: StudyTimes;
  /** Hash of the program that made the rows. */
  readonly code: string;
  readonly settings: ExperimentTimesSettings;
  /** The command that makes this page again. */
  readonly command: string;
}

type Part = keyof ReturnType<typeof shownParts>;

const PARTS: Readonly<Record<Part, { readonly label: string; readonly colour: string }>> = {
  clientCompute: { label: "computing, client", colour: "var(--arm-1)" },
  serverCompute: { label: "computing, server", colour: "var(--arm-3)" },
  codec: { label: "codec, both", colour: "var(--arm-5)" },
  link: { label: "link", colour: "var(--arm-2)" },
};
/** Width of the arms' names beside the bars, pixels. */
const LABELS = 150;

const PART_NAMES = Object.keys(PARTS) as Part[];

/** What a bar of a chart is. */
interface Bar {
  readonly name: string;
  readonly time: LinkTime;
}

/** Units of an axis of durations: milliseconds of one, and its name. */
function unitOf(ms: number): readonly [number, string] {
  if (ms < 120_000) return [1_000, "seconds"];
  return ms < 7_200_000 ? [60_000, "minutes"] : [3_600_000, "hours"];
}

/** Bars of seconds to the target, by part; a bar's label is its whole. */
export function timesChart(bars: readonly Bar[]): Promise<string> {
  const totals = bars.map(({ time }) => 1_000 * (time.secondsToTarget ?? 0));
  const most = Math.max(...totals);
  const [unit, unitName] = unitOf(most);
  const values = bars.flatMap(({ name, time }) => {
    if (time.pathToTarget === null) return [];
    const parts = shownParts(time.pathToTarget);
    let from = 0;
    return PART_NAMES.map((part) => {
      const start = from;
      from += parts[part] / unit;
      return { name, part, from: start, to: from };
    });
  });
  const labels = bars.map(({ name, time }, i) => ({ name, to: totals[i] / unit, text: duration(time) }));
  const y = {
    field: "name",
    type: "nominal",
    sort: bars.map(({ name }) => name),
    title: null,
    // The same room for names in every chart, so that their bars can be compared.
    axis: {
      labelLimit: 240,
      labelPadding: 6,
      minExtent: LABELS,
      maxExtent: LABELS,
      grid: false,
      ticks: false,
      domain: false,
      labelColor: "var(--ink)",
    },
  };
  const x = {
    type: "quantitative",
    title: `${unitName} to the target`,
    // Room for the labels behind the bars.
    scale: { domain: [0, (most / unit) * 1.5], nice: false },
    axis: { tickCount: 5 },
  };
  const bar = (part: Part) => ({
    data: { values: values.filter((value) => value.part === part) },
    mark: { type: "bar", fill: PARTS[part].colour, height: 15 },
    encoding: { y, x: { ...x, field: "from" }, x2: { field: "to" } },
  });
  return svg({
    values: [],
    layers: [
      ...PART_NAMES.map(bar),
      {
        data: { values: labels },
        mark: { type: "text", align: "left", dx: 5, fontSize: 12, fill: "var(--ink-2)" },
        encoding: { y, x: { ...x, field: "to" }, text: { field: "text" } },
      },
    ],
    width: 290,
    height: 24 * bars.length,
  });
}

const legend = `<ul class="legend">${PART_NAMES.map(
  (part) =>
    `<li><svg width="14" height="14" aria-hidden="true"><rect width="14" height="14" rx="2" fill="${PARTS[part].colour}"/></svg>${PARTS[part].label}</li>`,
).join("")}</ul>`;

/** One table for all links: what a step takes, and what its critical path spends. */
function stepTable(arms: readonly ArmTimes[], several: boolean): string {
  const head = [
    "link",
    ...(several ? ["clients"] : []),
    "arm",
    "to the target",
    "95 %",
    "a step",
    "client",
    "server",
    "codec",
    "link",
    "server busy",
  ];
  const first = several ? 3 : 2;
  const numeric = new Set(head.map((_, i) => i).filter((i) => i >= first || (several && i === 1)));
  const rows = arms[0].times.flatMap((_, i) =>
    arms.map((arm, place) => {
      const time = arm.times[i];
      const parts = shownParts(time.stepPath);
      const { ci95 } = time;
      return row(
        [
          place === 0 ? time.link : "",
          ...(several ? [place === 0 ? formatCount(time.clients) : ""] : []),
          arm.arm,
          duration(time),
          ci95 === null ? "" : `± ${formatDuration(500 * (ci95[1] - ci95[0]))}`,
          formatDuration(time.stepMs),
          ...PART_NAMES.map((part) => formatPercent(parts[part] / totalMs(time.stepPath), 0)),
          formatPercent(time.serverBusy, 0),
        ],
        numeric,
      );
    }),
  );
  return table(head, rows, numeric);
}

function stepsTable(arms: readonly ArmTimes[]): string {
  const numeric = new Set([1, 2, 3]);
  const rows = arms.map((arm) => {
    const [time] = arm.times;
    const bytes = time.upBytesPerStep + time.downBytesPerStep;
    return row(
      [
        arm.arm,
        stepsText(arm),
        formatBytes(Math.round(bytes)),
        arm.steps === null ? "" : formatBytes(Math.round(bytes * arm.steps)),
      ],
      numeric,
    );
  });
  return table(["arm", "steps to the target", "bytes a step", "bytes to the target"], rows, numeric);
}

async function section(target: GroupTarget, arms: readonly ArmTimes[]): Promise<string> {
  const columns = arms[0].times;
  const several = new Set(columns.map(({ clients }) => clients)).size > 1;
  const cards: string[] = [];
  for (const [i, { link, clients }] of columns.entries()) {
    const bars = arms.map(({ arm, times }) => ({ name: arm, time: times[i] }));
    const title = several ? `${link}, ${formatCount(clients)} clients` : link;
    const chart = bars.some(({ time }) => time.secondsToTarget !== null)
      ? figure(await timesChart(bars), `Time to the target over ${title}, by arm and what it is spent on`)
      : "<p>No arm reaches the target.</p>";
    cards.push(`<div class="card"><h3>${escapeHtml(title)}</h3>${chart}</div>`);
  }
  return `<h2>${escapeHtml(`${target.task}, ${target.model}`)}</h2>
<p class="muted">Target: ${escapeHtml(targetText(target))}. ${formatCount(columns[0].clients)} clients${several ? " and more" : ""}.</p>${legend}
<div class="grid">${cards.join("")}</div>
<h3>Steps, which no link changes</h3>${stepsTable(arms)}
<h3>Time, and what a step's critical path spends</h3>${stepTable(arms, several)}`;
}

/** The page. */
export async function timesHtml({ title, times, code, settings, command }: TimesPage): Promise<string> {
  const groups = groupBy(times.arms, ({ model, task }) => JSON.stringify([model, task]));
  const sections: string[] = [];
  for (const target of times.targets) {
    const arms = groups.get(JSON.stringify([target.model, target.task]));
    if (arms !== undefined) sections.push(await section(target, arms));
  }
  const notes = times.left.map((text) => `<li>Not used: ${escapeHtml(text)}.</li>`);
  const machines = [
    settings.slowness === 1
      ? "clients as fast as this machine"
      : `clients ${settings.slowness} times as slow as this machine`,
    settings.serverSpeed === 1 ? "a server as fast" : `a server ${settings.serverSpeed} times as fast`,
    ...(settings.serverMbit === 0 ? [] : [`a line of ${settings.serverMbit} Mbit/s for the server`]),
  ].join(", ");
  const body = `<p>How long each arm would have taken over other links: its steps to the target, from the rows, played by the simulator with the rows' own
message sizes.</p>
<p class="muted">One processor core for each machine: ${escapeHtml(machines)} · program ${escapeHtml(code)} · made again by <code>${escapeHtml(command)}</code></p>
<ul class="summary">${notes.join("")}</ul>
${sections.join("\n")}
<footer>Means over the seeds that reach the target; intervals are 95 % by Student's t. A bar's parts are those of the critical path: from the step's end back to its
beginning, each moment belongs to what everything behind it waited for, so the parts add up to the time. Time on the link is from a message's sending to its
arrival. The numbers of this page are in it, as JSON, in the element with the id "times".</footer>`;
  return htmlPage({ title, style: STUDY_STYLE, body, id: "times", data: times });
}
