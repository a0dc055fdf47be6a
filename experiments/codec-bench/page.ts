/** The bench's page: plots and tables in one HTML file that needs nothing else. */

import { formatCount } from "../../shared/command/format.ts";
import { figure, table as htmlTable, row } from "../report/html.ts";
import { escapeHtml, htmlPage } from "../report/page.ts";
import { SHAPE_PATHS } from "../report/shapes.ts";
import { type FamilyStyle, familyStyles, type Plot, rateDistortionChart } from "./charts.ts";
import { type BenchResult, type BenchRow, PHASE_TITLES, tableOf } from "./result.ts";

/** Colours of the families, told apart with any colour vision (Okabe and Ito, 2008), for light and dark. */
const FAMILY_STYLE = `
:root { --f-1: #b34700; --f-2: #0072b2; --f-3: #007a5a; --f-4: #a6327a; --f-5: #6b6b64; --f-6: #8a6d00; --f-7: #4b3fa8; }
@media (prefers-color-scheme: dark) {
  :root { --f-1: #f0a860; --f-2: #56b4e9; --f-3: #3cc9a0; --f-4: #e58bc4; --f-5: #a9a89f; --f-6: #e0c341; --f-7: #a79cf5; }
}
`;

function legend(styles: ReadonlyMap<string, FamilyStyle>): string {
  const items = [...styles].map(([name, { colour, shape, own }]) => {
    const fill = own ? colour : "var(--card)";
    const mark = `<path d="${SHAPE_PATHS[shape]}" fill="${fill}" stroke="${colour}" stroke-width="1.4"/>`;
    const text = own ? `<strong>${escapeHtml(name)}</strong>` : escapeHtml(name);
    return `<li><svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">${mark}</svg>${text}</li>`;
  });
  return `<ul class="legend">${items.join("")}</ul>`;
}

const NMSE = { error: (row: BenchRow) => row.nmse, title: "NMSE" };
const WORST = { error: (row: BenchRow) => row.worstChannelNmse, title: "NMSE of the worst channel" };
const WEIGHTED = { error: (row: BenchRow) => row.gradientWeighted, title: "gradient-weighted error" };
const SUMS = { error: (row: BenchRow) => row.errorOfSums, title: "error of sums over tokens" };

async function plots(rows: readonly BenchRow[], styles: ReadonlyMap<string, FamilyStyle>): Promise<string> {
  const cards: string[] = [];
  for (const phase of ["A1", "A2", "G2", "G1"] as const) {
    const own = rows.filter((row) => row.phase === phase);
    const kinds = phase.startsWith("A") ? [NMSE, WORST, WEIGHTED] : [NMSE, SUMS];
    for (const kind of kinds) {
      const plot: Plot = { rows: own, ...kind };
      if (!own.some((row) => (kind.error(row) ?? 0) > 0)) continue;
      const name = `${phase}, ${PHASE_TITLES[phase]}: ${kind.title}`;
      const drawn = figure(await rateDistortionChart(plot, styles), name);
      cards.push(`<div class="card"><h3>${escapeHtml(name)}</h3>${drawn}</div>`);
    }
  }
  return `<div class="grid">${cards.join("\n")}</div>`;
}

function table(rows: readonly BenchRow[], role: "activation" | "gradient"): string {
  const { head, cells, own } = tableOf(rows, role);
  if (cells.length === 0) return "";
  const numeric = new Set(head.keys());
  numeric.delete(0);
  const body = cells.map((texts, r) => row(texts, numeric, own[r] ? "total" : ""));
  return `<div class="card">${htmlTable(head, body, numeric)}</div>`;
}

/** The page of a result. */
export async function benchHtml(result: BenchResult): Promise<string> {
  const { capture, rows, learningSteps } = result;
  const styles = familyStyles(rows);
  const tokens = Object.entries(capture.tokens).map(([phase, count]) => `${phase} ${formatCount(count)}`);
  const body = `<p class="muted">${escapeHtml(capture.note)} · ${formatCount(capture.channels)} channels · steps ${escapeHtml(capture.steps.join(", "))} · measured tokens: ${escapeHtml(tokens.join(", "))}</p>
<p>Every codec encodes the same tensors, and a decoder reads its bytes; bits count all of the body: elements, scales, places, bit tables. Lower and further left is better. Filled marks and thick lines are this project's own codecs. Rates above 9 bits and errors below 10⁻⁵ are in the tables only.</p>
${legend(styles)}
<h2>Rate and distortion</h2>
${await plots(rows, styles)}
<h2>Activations</h2>
<p class="muted">Both cuts: mean bits, geometric mean of errors, the worst channel of either, dead channels (NMSE of 1 or more: their mean alone would have said as much) of both together. NMSE is Σe² / Σ(x − channel mean)². <em>Steady</em> are the bits to a receiver that has bit tables and predictors already; all else charges them to the measured messages, which are few. <em>Saves</em> are the bits per element that <code>fixed</code> would need more at the same NMSE. Gradient-weighted is Σg²e² / Σg²(x − channel mean)², g the loss gradient. Coherence is Σ<sub>tokens</sub>(Σ<sub>channels</sub> g·e)² / Σg²e²: 1 when a token's errors meet the loss independently of one another. Codecs that learn had ${learningSteps} steps on the first half of the capture; all are measured on the other.</p>
${table(rows, "activation")}
<h2>Gradients</h2>
<p class="muted">The error of sums is that of Σ<sub>tokens</sub> in each channel: what is added up to weight gradients. Rounding at random is worse by NMSE and better here.</p>
${table(rows, "gradient")}
<footer>The numbers behind this page are in it, as JSON, in the element with the id "bench".</footer>`;
  return htmlPage({
    title: "Codecs on captured tensors",
    style: FAMILY_STYLE,
    body,
    id: "bench",
    data: result,
  });
}
