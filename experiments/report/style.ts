/**
 * The report's style sheet. Series colours are Okabe and Ito's (2008, "Color Universal Design"): told apart with any
 * colour vision; dashes and shapes repeat what they say.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #fbfbfa; --card: #ffffff; --ink: #1c1c1a; --ink-2: #55554f; --ink-3: #85857d;
  --grid: #e7e6e1; --axis: #c9c8c1; --line: #e2e1dc;
  --series-1: #0072b2; --series-2: #b34700; --series-3: #007a5a; --track: #efeeea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #161615; --card: #1f1f1d; --ink: #ecebe6; --ink-2: #b3b2aa; --ink-3: #8b8a82;
    --grid: #33332f; --axis: #55554f; --line: #33332f;
    --series-1: #56b4e9; --series-2: #f0a860; --series-3: #3cc9a0; --track: #2b2b28;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  -webkit-text-size-adjust: 100%;
}
main { max-width: 1080px; margin: 0 auto; padding: 40px 20px 64px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 1.2rem; margin: 44px 0 4px; }
h3 { font-size: 1rem; margin: 0 0 8px; font-weight: 600; }
p { margin: 0 0 12px; max-width: 74ch; }
.muted { color: var(--ink-2); }
.note { color: var(--ink-2); font-size: 0.9rem; }
.summary { margin: 20px 0 0; padding: 0; list-style: none; max-width: 80ch; }
.summary li { margin: 0 0 10px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; margin: 24px 0 8px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.tile .value { font-size: 1.5rem; font-weight: 650; white-space: nowrap; letter-spacing: -0.02em; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tile .label { color: var(--ink-2); font-size: 0.88rem; line-height: 1.4; overflow-wrap: anywhere; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 16px; margin-top: 14px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px; min-width: 0; }
.card > svg { display: block; width: 100%; height: auto; max-width: 560px; margin: 0 auto; }
.card .lede { color: var(--ink-2); font-size: 0.9rem; margin: 0 0 8px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 12px 0 0; padding: 0; list-style: none; font-size: 0.9rem; color: var(--ink-2); }
.legend li { display: flex; align-items: center; gap: 8px; }
.legend svg { flex: none; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
th, td { text-align: left; padding: 7px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--ink-2); }
tr:last-child > td, tr:last-child > th { border-bottom: 0; }
td.n, th.n { text-align: right; white-space: nowrap; }
td.wrap { overflow-wrap: anywhere; min-width: 7em; }
td small { display: block; color: var(--ink-2); font-size: 0.85em; }
.total td { font-weight: 600; }
.bar { display: flex; height: 14px; border-radius: 4px; overflow: hidden; background: var(--track); }
.bar > span { display: block; height: 100%; border-right: 1px solid var(--card); }
.bar > span:last-child { border-right: 0; }
.time { margin: 0 0 16px; }
.time:last-child { margin-bottom: 0; }
.time .row { display: flex; justify-content: space-between; gap: 12px; flex-wrap: wrap; font-size: 0.92rem; margin-bottom: 4px; }
.heat { display: grid; grid-template-columns: auto 1fr; gap: 2px 8px; margin: 0 0 14px; font-size: 0.8rem; color: var(--ink-2); }
.heat:last-child { margin-bottom: 0; }
.heat .title { grid-column: 1 / -1; font-size: 0.9rem; color: var(--ink); }
.heat .y { writing-mode: vertical-rl; transform: rotate(180deg); text-align: center; align-self: center; }
.heat img { width: 100%; height: 120px; display: block; image-rendering: pixelated; border-radius: 3px; }
.heat .x { grid-column: 2; display: flex; justify-content: space-between; }
.swatches { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 14px; font-size: 0.9rem; color: var(--ink-2); margin-top: 12px; }
.swatches span { display: inline-flex; align-items: center; gap: 6px; }
.swatches i { width: 16px; height: 16px; border-radius: 3px; display: inline-block; border: 1px solid var(--axis); }
footer { margin-top: 48px; color: var(--ink-3); font-size: 0.85rem; }
@media (max-width: 520px) { main { padding: 24px 14px 48px; } .card { padding: 12px; } th, td { padding: 6px 6px; } }
@media print { body { background: #fff; } .card, .tile, .time { break-inside: avoid; } }
`;
