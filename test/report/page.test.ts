/** The report's page: all in one file, safe with any names, readable in light and dark, true to its numbers. */
import { describe, expect, it } from "vitest";
import { bytesPerTokenChart, smoothed } from "../../experiments/report/charts.ts";
import { reportHtml } from "../../experiments/report/html.ts";
import type { RunReport } from "../../experiments/report/run-report.ts";
import { STYLE } from "../../experiments/report/style.ts";
import { syntheticReport } from "./synthetic.ts";

const page = await reportHtml(syntheticReport());

describe("the page", () => {
  it("needs nothing from outside, and forbids it", () => {
    const loads = [...page.matchAll(/\b(?:src|href|action|data)="([^"]*)"/g)].map(([, url]) => url);
    expect(loads.length).toBeGreaterThan(4);
    expect(loads.filter((url) => !url.startsWith("data:image/png;base64,"))).toEqual([]);
    expect(page).not.toMatch(/@import|url\(/);
    expect(page).not.toMatch(/<(?:link|iframe|object|embed)\b/);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`);
  });

  it("holds no script but its numbers, which are the report's", () => {
    const scripts = [...page.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)];
    expect(scripts).toHaveLength(1);
    expect(scripts[0][1]).toContain('type="application/json"');
    expect(JSON.parse(scripts[0][2])).toEqual(syntheticReport());
  });

  it("shows names as they are, whatever they hold", async () => {
    const hostile = `</script><img src=x onerror="alert(1)">'&`;
    const report = syntheticReport(1);
    const evil: RunReport = {
      ...report,
      title: hostile,
      clients: [{ ...report.clients[0], name: hostile, data: hostile }],
      settings: { [hostile]: hostile },
      environment: { [hostile]: hostile },
      model: { ...report.model, name: hostile },
      codecs: { A1: hostile },
    };
    const html = await reportHtml(evil);
    expect(html).not.toContain("<img src=x");
    expect(html.match(/<\/script>/g)).toHaveLength(1);
    expect(html).toContain("&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;");
    const [, json] = html.match(/id="report">([\s\S]*?)<\/script>/) ?? [];
    expect(JSON.parse(json).title).toBe(hostile);
  });

  it("has every section, and names each plot for those who do not see it", () => {
    const headings = [...page.matchAll(/<h2>([^<]*)<\/h2>/g)].map(([, text]) => text);
    expect(headings).toEqual([
      "Held-out text",
      "Loss while training",
      "Bytes on the wire",
      "Bits per element",
      "Bits of each channel",
      "Where the time went",
      "Settings and machine",
    ]);
    const plots = [...page.matchAll(/<svg [^>]*class="marks"/g)].map(([tag]) => tag);
    // Held out and bytes once, loss and bits for each client.
    expect(plots).toHaveLength(2 + 2 * 2);
    for (const tag of plots) expect(tag).toMatch(/role="img" aria-label="[^"]{20,}"/);
    for (const [tag] of page.matchAll(/<img [^>]*>/g)) expect(tag).toMatch(/alt="[^"]{20,}"/);
  });

  it("stands with one client, and without what a run may lack", async () => {
    const report = syntheticReport(1);
    const { unsplitLoss: _, ...series } = report.clients[0].series;
    const { unsplitF32: __, ...heldOut } = report.clients[0].heldOut;
    const bare: RunReport = {
      ...report,
      clients: [{ ...report.clients[0], heldOut, widths: [], series: { ...series, bits: {} } }],
      server: undefined,
      budgetBits: undefined,
    };
    const html = await reportHtml(bare);
    expect(html).toContain("not run");
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
    expect(html).not.toContain("Bits of each channel");
  });

  it("shows no number that is none", () => {
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });
});

describe("the style", () => {
  const variables = (css: string) =>
    new Map([...css.matchAll(/(--[\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, k, v]) => [k, v]));
  const dark = variables(STYLE.slice(STYLE.indexOf("prefers-color-scheme: dark")));
  const light = variables(STYLE.slice(0, STYLE.indexOf("prefers-color-scheme: dark")));

  it("defines every colour that the page uses, in light and in dark", () => {
    for (const [, name] of page.matchAll(/var\((--[\w-]+)\)/g)) {
      expect([...light.keys()]).toContain(name);
      expect([...dark.keys()]).toContain(name);
    }
  });

  /** WCAG 2.2 contrast ratio of two colours. */
  const contrast = (a: string, b: string) => {
    const luminance = (hex: string) => {
      const [r, g, bl] = [1, 3, 5].map((i) => {
        const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * bl;
    };
    const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };

  it.each([
    ["light", light],
    ["dark", dark],
  ] as const)("has text of 4.5 : 1 and lines of 3 : 1 against its cards in %s", (_, colours) => {
    for (const text of ["--ink", "--ink-2"])
      for (const ground of ["--card", "--page"])
        expect(contrast(colours.get(text)!, colours.get(ground)!), text).toBeGreaterThanOrEqual(4.5);
    for (const mark of ["--series-1", "--series-2", "--ink-3"])
      expect(contrast(colours.get(mark)!, colours.get("--card")!), mark).toBeGreaterThanOrEqual(3);
  });
});

describe("the plot of bytes per token", () => {
  it("draws measured and rival lines at heights in the proportion of their bytes", async () => {
    const report = syntheticReport();
    const svg = await bytesPerTokenChart(report);
    const lines = [...svg.matchAll(/<path [^>]*\bd="(M[^"]*)" stroke="var\((--[\w-]+)\)"[^>]*>/g)]
      .filter(([, , colour]) => colour === "--series-1" || colour === "--ink-3")
      .map(([, d]) => Number(d.split("L").at(-1)!.split(",")[1]));
    // f32, f16, int8, measured; the last point of each, from the top.
    expect(lines).toHaveLength(4);
    const [f32, f16, int8, measured] = lines.map((y) => 190 - y);
    const { bytes } = report;
    expect(f16 / measured).toBeCloseTo(bytes.f16 / bytes.total, 2);
    expect(int8 / measured).toBeCloseTo(bytes.int8 / bytes.total, 2);
    expect(f32 / f16).toBeCloseTo(2, 2);
  });
});

describe("a trend", () => {
  it("is the curve itself where that is straight", () => {
    const straight = Array.from({ length: 50 }, (_, i) => 7 - 0.3 * i);
    smoothed(straight, 5).forEach((value, i) => {
      expect(value).toBeCloseTo(straight[i], 10);
    });
  });

  it("takes noise away", () => {
    const noisy = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 1 : -1));
    for (const value of smoothed(noisy, 8)) expect(Math.abs(value)).toBeLessThan(0.35);
  });

  it("is the value itself where there are fewer than three", () => {
    expect(smoothed([4, 2], 3)).toEqual([4, 2]);
    expect(smoothed([4], 3)).toEqual([4]);
  });
});
