/** A timeline of the first steps of a simulated run: who was busy with what, and so who waited. One page, no script. */

import type { Span } from "../simulator/workers.ts";
import { groupBy } from "../statistics/groups.ts";
import { escapeHtml, htmlPage } from "./page.ts";

/** Steps and machines that are drawn at most; more would be too small to read. */
const STEPS = 3;
const ROWS = 13;

const WIDTH = 1_000;
const LABEL = 110;
const ROW = 26;

const COLOURS: Readonly<Record<string, string>> = {
  bottom: "#0072b2",
  forward: "#007a5a",
  top: "#b34700",
  backward: "#a0528a",
  commit: "#8a6d00",
  apply: "#8a6d00",
  A1: "#7fb8d8",
  A2: "#7fbcac",
  G2: "#d9a27f",
  G1: "#cfa8c4",
};

function svgOf(spans: readonly Span[]): string {
  const from = Math.min(...spans.map(({ fromMs }) => fromMs));
  const to = Math.max(...spans.map(({ toMs }) => toMs));
  const scale = (WIDTH - LABEL) / Math.max(1e-9, to - from);
  // Server first, then each client with its link.
  const rows = [...groupBy(spans, ({ who }) => who)].sort(([a], [b]) => {
    if (a === "server" || b === "server") return a === "server" ? -1 : 1;
    return a.localeCompare(b, "en", { numeric: true });
  });
  const shown = rows.slice(0, ROWS);
  const parts = shown.map(([who, own], row) => {
    const y = row * ROW;
    const bars = own.map(({ what, step, microBatch, fromMs, toMs }) => {
      const x = LABEL + (fromMs - from) * scale;
      const width = Math.max(1, (toMs - fromMs) * scale);
      const name = `${what}, step ${step + 1}, micro-batch ${microBatch + 1}: ${(toMs - fromMs).toFixed(1)} ms`;
      const link = who.includes(" ");
      return `<rect x="${x.toFixed(1)}" y="${y + (link ? 6 : 3)}" width="${width.toFixed(1)}" height="${link ? 10 : 18}" rx="2" fill="${COLOURS[what] ?? "#85857d"}"${link ? ' opacity="0.75"' : ""}><title>${escapeHtml(name)}</title></rect>`;
    });
    return `<text x="0" y="${y + 16}">${escapeHtml(who)}</text>${bars.join("")}`;
  });
  const height = shown.length * ROW;
  const ticks = Array.from({ length: 6 }, (_, i) => {
    const at = ((to - from) * i) / 5;
    const x = LABEL + at * scale;
    return `<line x1="${x}" x2="${x}" y1="0" y2="${height}" stroke="var(--grid)"/><text x="${x}" y="${height + 16}" text-anchor="${i === 5 ? "end" : "middle"}">${at.toFixed(0)} ms</text>`;
  });
  return `<svg role="img" aria-label="Timeline of the first steps" viewBox="0 0 ${WIDTH} ${height + 22}" font-size="12" fill="var(--ink-2)" style="width:100%;height:auto;max-width:none">${ticks.join("")}${parts.join("")}</svg>`;
}

/** The page; `title` says of what. */
export function timelineHtml(all: readonly Span[], title: string): string {
  const spans = all.filter(({ step, what }) => step < STEPS && what !== "build");
  const steps = new Set(spans.map(({ step }) => step)).size;
  const keys = [
    ["bottom", "bottom, forward"],
    ["forward", "trunk, forward"],
    ["top", "top, both ways"],
    ["backward", "backward, trunk or bottom"],
    ["commit", "optimizer"],
  ].map(
    ([what, label]) =>
      `<li><svg width="14" height="14" aria-hidden="true"><rect width="14" height="14" rx="2" fill="${COLOURS[what]}"/></svg>${label}</li>`,
  );
  if (spans.length === 0)
    return htmlPage({ title, body: "<p>No step was made.</p>", id: "timeline", data: spans });
  return htmlPage({
    title,
    body: `<p class="muted">The first ${steps === 1 ? "step" : `${steps} steps`} of a simulated run. Thick bars: a machine is busy; gaps: it waits. Thin bars: a message is on its way, from its sending to its arrival.</p>
<ul class="legend">${keys.join("")}</ul>
<div class="card">${svgOf(spans)}</div>`,
    id: "timeline",
    data: spans,
  });
}
