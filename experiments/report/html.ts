/**
 * The report as one HTML page that needs nothing else: no network, no other file, no script. Readable in light and dark, on a
 * phone and on paper. Every text of the run is escaped.
 */

import { formatBytes, formatCount, formatDuration, formatPercent } from "../../shared/command/format.ts";
import { CATEGORIES, type Category, sumBytes } from "../../shared/ledger/ledger.ts";
import {
  bitsChart,
  bytesPerTokenChart,
  heldOutChart,
  lossChart,
  PHASE_STYLES,
  SPLIT_STYLE,
  type Style,
  UNSPLIT_STYLE,
} from "./charts.ts";
import { heatMap, widthColour } from "./heat-map.ts";
import { escapeHtml, htmlPage } from "./page.ts";
import { type ClientReport, PHASE_LABELS, PHASE_NAMES, type RunReport } from "./run-report.ts";
import { SHAPE_PATHS, type Shape } from "./shapes.ts";
import { lossGap, realTokens, signedPercent, summarySentences } from "./summary.ts";

const CATEGORY_LABELS: Readonly<Record<Category, string>> = {
  payload: "elements (payload)",
  scales: "scales",
  bitTables: "bit tables",
  labels: "labels",
  headers: "headers of tensors",
  websocketFraming: "WebSocket framing",
  adapters: "adapters",
  control: "control messages",
  handshake: "HTTP handshake",
  unattributed: "not attributed",
};

export function table(
  head: readonly string[],
  rows: readonly string[],
  numeric: ReadonlySet<number>,
): string {
  const cells = head.map(
    (text, i) => `<th${numeric.has(i) ? ' class="n"' : ""} scope="col">${escapeHtml(text)}</th>`,
  );
  return `<div class="scroll"><table><thead><tr>${cells.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

export function row(cells: readonly string[], numeric: ReadonlySet<number>, kind = ""): string {
  const out = cells.map(
    (text, i) => `<td${numeric.has(i) ? ' class="n"' : ' class="wrap"'}>${escapeHtml(text)}</td>`,
  );
  return `<tr${kind === "" ? "" : ` class="${kind}"`}>${out.join("")}</tr>`;
}

/** A line of a legend, with its points' shape if they have one. */
export function lineKey({ colour, dash, shape }: Style & { readonly shape?: Shape }, label: string): string {
  const dashes = dash.length === 0 ? "" : ` stroke-dasharray="${dash.join(" ")}"`;
  const point =
    shape === undefined
      ? ""
      : `<path d="${SHAPE_PATHS[shape]}" transform="translate(7 0)" fill="${colour}" stroke="var(--page)"/>`;
  return `<li><svg width="28" height="14" aria-hidden="true"><line x1="0" y1="7" x2="28" y2="7" stroke="${colour}" stroke-width="2.5"${dashes}/>${point}</svg>${escapeHtml(label)}</li>`;
}

function pointKey(shape: string, label: string): string {
  return `<li><svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">${shape}</svg>${escapeHtml(label)}</li>`;
}

/** An SVG of the charts, with what it shows as its name for readers that do not see it. */
export function figure(svg: string, name: string): string {
  return svg.replace("<svg ", `<svg role="img" aria-label="${escapeHtml(name)}" `);
}

function tiles(report: RunReport): string {
  const { bytes, bitsPerElement, clients } = report;
  const tile = (value: string, label: string) =>
    `<div class="tile"><div class="value">${escapeHtml(value)}</div><div class="label">${escapeHtml(label)}</div></div>`;
  const gaps = clients.map(lossGap).filter((gap) => gap !== undefined);
  const worst = Math.max(...gaps);
  return `<div class="tiles">${[
    ...clients.map(({ name, heldOut }) =>
      tile(`${heldOut.base.toFixed(2)} → ${heldOut.tuned.toFixed(2)}`, `held-out loss of ${name}`),
    ),
    tile(`${(bytes.f16 / bytes.total).toFixed(2)} ×`, "fewer bytes than f16, over the whole run"),
    tile(
      `${bitsPerElement.first.toFixed(1)} → ${bitsPerElement.last.toFixed(1)}`,
      `bits per element; mean ${bitsPerElement.mean.toFixed(2)}`,
    ),
    ...(gaps.length === 0 ? [] : [tile(signedPercent(worst), "loss against the same run unsplit in f32")]),
  ].join("")}</div>`;
}

async function heldOutSection(report: RunReport): Promise<string> {
  const numeric = new Set([1, 2, 3, 4]);
  const rows = report.clients.map((client) => {
    const { base, tuned, unsplitF32 } = client.heldOut;
    const gap = lossGap(client);
    const figures = [
      base.toFixed(4),
      tuned.toFixed(4),
      unsplitF32?.toFixed(4) ?? "not run",
      gap === undefined ? "" : signedPercent(gap),
    ].map((text) => `<td class="n">${text}</td>`);
    const who = `<td class="wrap">${escapeHtml(client.name)}<small>${escapeHtml(client.data)}</small></td>`;
    return `<tr>${who}${figures.join("")}</tr>`;
  });
  const chart = figure(
    await heldOutChart(report),
    "Held-out loss of each client before and after, and unsplit in f32",
  );
  const legend = [
    pointKey('<circle cx="7" cy="7" r="5.5" fill="var(--ink-3)"/>', "base model"),
    pointKey('<circle cx="7" cy="7" r="5.5" fill="var(--series-1)"/>', "tuned, split and quantized"),
    pointKey(
      '<path d="M7 1 13 7 7 13 1 7Z" fill="none" stroke="var(--series-2)" stroke-width="2"/>',
      "tuned, unsplit in f32",
    ),
  ];
  return `<h2>Held-out text</h2><p class="muted">Text of each client's own that no step has seen.</p>
<div class="grid"><div class="card">${chart}<ul class="legend">${legend.join("")}</ul></div>
<div class="card">${table(["client", "base", "tuned", "unsplit f32", "gap"], rows, numeric)}</div></div>`;
}

async function clientCards(
  report: RunReport,
  draw: (client: ClientReport) => Promise<string>,
  name: (client: ClientReport) => string,
): Promise<string> {
  const cards = await Promise.all(
    report.clients.map(
      async (client) =>
        `<div class="card"><h3>${escapeHtml(client.name)}</h3>${figure(await draw(client), name(client))}</div>`,
    ),
  );
  return `<div class="grid">${cards.join("")}</div>`;
}

async function lossSection(report: RunReport): Promise<string> {
  const keys = [lineKey(SPLIT_STYLE, "split and quantized: thin each batch, thick the trend")];
  if (report.clients.some(({ series }) => series.unsplitLoss !== undefined))
    keys.push(lineKey(UNSPLIT_STYLE, "the same batches, unsplit in f32: trend"));
  return `<h2>Loss while training</h2><ul class="legend">${keys.join("")}</ul>${await clientCards(
    report,
    lossChart,
    ({ name }) => `Training loss of ${name} over steps`,
  )}`;
}

async function bitsSection(report: RunReport): Promise<string> {
  const phases = PHASE_NAMES.filter((phase) =>
    report.clients.some(({ series }) => series.bits[phase] !== undefined),
  );
  if (phases.length === 0) return "";
  const keys = phases.map((phase) => lineKey(PHASE_STYLES[phase], PHASE_LABELS[phase]));
  if (report.budgetBits !== undefined)
    keys.push(lineKey({ colour: "var(--ink-3)", dash: [2, 3] }, `budget: ${report.budgetBits} bits`));
  return `<h2>Bits per element</h2><p class="muted">Mean width of the channels in each step's message. Curves that agree lie on one another.</p>
<ul class="legend">${keys.join("")}</ul>${await clientCards(
    report,
    (client) => bitsChart(client, report.budgetBits),
    ({ name }) => `Mean bits per element of ${name} over steps`,
  )}`;
}

function heatSection(report: RunReport): string {
  const all = report.clients.flatMap(({ widths }) => widths.flatMap(({ bits }) => bits.flat()));
  if (all.length === 0) return "";
  const least = all.reduce((a, b) => Math.min(a, b));
  const most = all.reduce((a, b) => Math.max(a, b));
  const cards = report.clients.map(({ name, widths }) => {
    const maps = PHASE_NAMES.flatMap((phase) => widths.filter((w) => w.phase === phase)).map(
      ({ phase, step, bits }) => {
        const { png, height } = heatMap(bits, least, most);
        const title = PHASE_LABELS[phase];
        return `<div class="heat"><div class="title">${escapeHtml(title)}</div><div class="y">${height} channels</div>
<img alt="${escapeHtml(`Bit widths of the channels over steps, ${title}`)}" src="data:image/png;base64,${png.toString("base64")}">
<div class="x"><span>step ${step[0]}</span><span>step ${step.at(-1)}</span></div></div>`;
      },
    );
    return `<div class="card"><h3>${escapeHtml(name)}</h3>${maps.join("")}</div>`;
  });
  const swatches = Array.from({ length: most - least + 1 }, (_, i) => {
    const [r, g, b] = widthColour(least + i, least, most);
    return `<span><i style="background:rgb(${r} ${g} ${b})"></i>${least + i}</span>`;
  });
  return `<h2>Bits of each channel</h2><p class="muted">Each line is a channel, the widest over the run at the top; steps run from left to right.</p>
<div class="swatches">bits ${swatches.join("")}</div><div class="grid">${cards.join("")}</div>`;
}

async function bytesSection(report: RunReport): Promise<string> {
  const { clients, bytes } = report;
  const sum = (direction: "up" | "down", category: Category) =>
    clients.reduce((n, client) => n + client.bytes[direction][category], 0);
  const total = clients.reduce((n, client) => n + sumBytes(client.bytes.up) + sumBytes(client.bytes.down), 0);
  const numeric = new Set([1, 2, 3]);
  const rows = CATEGORIES.map((category) => ({
    category,
    up: sum("up", category),
    down: sum("down", category),
  }))
    .filter(({ up, down }) => up !== 0 || down !== 0)
    .map(({ category, up, down }) =>
      row(
        [
          CATEGORY_LABELS[category],
          formatBytes(up),
          formatBytes(down),
          formatPercent((up + down) / total, 2),
        ],
        numeric,
      ),
    );
  const upTotal = clients.reduce((n, client) => n + sumBytes(client.bytes.up), 0);
  rows.push(
    row(["all", formatBytes(upTotal), formatBytes(total - upTotal), formatPercent(1, 0)], numeric, "total"),
  );
  const rivalNumeric = new Set([1, 2, 3]);
  const tokens = realTokens(report);
  const rival = (name: string, n: number, kind = "") =>
    row(
      [name, formatBytes(n), formatCount(n / tokens), `${(n / bytes.total).toFixed(2)} ×`],
      rivalNumeric,
      kind,
    );
  const rivals = [
    rival("this run", bytes.total, "total"),
    rival("int8", bytes.int8),
    rival("f16", bytes.f16),
    rival("f32", bytes.f32),
  ];
  const chart = figure(
    await bytesPerTokenChart(report),
    "Bytes per real token so far, against f32, f16 and int8",
  );
  return `<h2>Bytes on the wire</h2>
<p class="muted">Counted at the socket, both directions. A run that anneals from many bits to few is paid for from its first step, so figures are cumulative. f32, f16 and int8 are the same tensors' bare elements, without a header or a scale.</p>
<div class="grid"><div class="card"><h3>Bytes per real token, so far</h3>${chart}
${table(["", "bytes", "per token", "against this run"], rivals, rivalNumeric)}</div>
<div class="card"><h3>What the bytes were</h3>${table(["", "up", "down", "share"], rows, numeric)}</div></div>`;
}

const TIME_PARTS = [
  ["compute", "computing", "var(--series-1)"],
  ["codec", "codec", "var(--series-2)"],
  ["link", "waiting for the other end and the network", "var(--ink-3)"],
] as const;

function timeSection({ clients, server }: RunReport): string {
  const bar = (name: string, time: ClientReport["timeMs"]) => {
    const all = time.compute + time.codec + time.link;
    const parts = TIME_PARTS.map(([key, , colour]) =>
      all === 0
        ? ""
        : `<span style="width:${((100 * time[key]) / all).toFixed(3)}%;background:${colour}"></span>`,
    );
    const figures = TIME_PARTS.map(
      ([key, label]) =>
        `${label.split(" ")[0]} ${formatDuration(time[key])}${all === 0 ? "" : ` (${formatPercent(time[key] / all)})`}`,
    );
    return `<div class="time"><div class="row"><strong>${escapeHtml(name)}</strong><span class="muted">${figures.join(" · ")}</span></div><div class="bar">${parts.join("")}</div></div>`;
  };
  const keys = TIME_PARTS.map(([, label, colour]) =>
    pointKey(`<rect x="1" y="1" width="12" height="12" rx="3" fill="${colour}"/>`, label),
  );
  const bars = clients.map(({ name, timeMs }) => bar(name, timeMs));
  if (server !== undefined) bars.push(bar("server", server.timeMs));
  return `<h2>Where the time went</h2><ul class="legend">${keys.join("")}</ul><div class="card" style="margin-top:14px">${bars.join("")}</div>`;
}

function facts(values: Readonly<Record<string, string | number | boolean>>): string {
  const numeric = new Set<number>();
  return table(
    ["", ""],
    Object.entries(values).map(([key, value]) => row([key, String(value)], numeric)),
    numeric,
  );
}

function settingsSection(report: RunReport): string {
  const { model, split, codecs } = report;
  const what = {
    model: model.name,
    parameters: formatCount(model.parameters),
    "in adapters": formatCount(model.adapterParameters),
    split: `${split.kind}: ${split.bottomBlocks} bottom, ${split.trunkBlocks} trunk, ${split.topBlocks} top blocks`,
    "channels at the cuts": model.hidden,
    ...Object.fromEntries(
      PHASE_NAMES.filter((p) => codecs[p] !== undefined).map((p) => [`codec ${p}`, codecs[p]!]),
    ),
    ...report.settings,
  };
  return `<h2>Settings and machine</h2><div class="grid"><div class="card"><h3>Settings</h3>${facts(what)}</div>
<div class="card"><h3>Machine</h3>${facts(report.environment)}</div></div>`;
}

/** The page. `report` must have passed its schema. */
export async function reportHtml(report: RunReport): Promise<string> {
  const sentences = summarySentences(report).map((sentence) => `<li>${escapeHtml(sentence)}</li>`);
  const sections = [
    await heldOutSection(report),
    await lossSection(report),
    await bytesSection(report),
    await bitsSection(report),
    heatSection(report),
    timeSection(report),
    settingsSection(report),
  ];
  const body = `<p class="muted">${escapeHtml(report.started.slice(0, 16).replace("T", " "))} UTC · narrowband</p>
${tiles(report)}
<ul class="summary">${sentences.join("")}</ul>
${sections.join("\n")}
<footer>The numbers behind this page are in it, as JSON, in the element with the id "report".</footer>`;
  return htmlPage({ title: report.title, body, id: "report", data: report });
}
