/** Reports are checked before they are written. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RunReport } from "../../experiments/report/run-report.ts";
import { parseReport, writeReport } from "../../experiments/report/write.ts";
import { failure, temporaryDirectory } from "../model/helpers.ts";
import { syntheticReport } from "./synthetic.ts";

describe("writeReport", () => {
  it("writes a page and the same numbers as JSON", async () => {
    const directory = join(temporaryDirectory(), "runs", "one");
    const report = syntheticReport(2, 20);
    const { html, json } = await writeReport(directory, report);
    expect(parseReport(JSON.parse(readFileSync(json, "utf8")))).toEqual(report);
    expect(readFileSync(html, "utf8")).toMatch(/^<!doctype html>/);
  });

  it("refuses a report that contradicts itself", async () => {
    const report = syntheticReport(1, 20);
    const [client] = report.clients;
    const short: RunReport = {
      ...report,
      clients: [{ ...client, series: { ...client.series, loss: client.series.loss.slice(1) } }],
    };
    expect(await failure("NB_INTERNAL", () => writeReport(temporaryDirectory(), short))).toContain(
      "one value for each step",
    );
  });
});

describe("parseReport", () => {
  it.each([
    ["another version", { version: 2 }, "version"],
    ["no clients", { clients: [] }, "clients"],
    ["an unknown field", { extra: 1 }, "extra"],
    [
      "a loss that is no number",
      { bitsPerElement: { first: Number.NaN, last: 3, mean: 4 } },
      "bitsPerElement.first",
    ],
  ])("refuses %s by name", async (_, change, field) => {
    expect(
      await failure("NB_DATA_INVALID", () => parseReport({ ...syntheticReport(1, 10), ...change })),
    ).toContain(field);
  });

  it("refuses rows of widths that differ in channels", async () => {
    const report = syntheticReport(1, 10);
    const [client] = report.clients;
    const [first] = client.widths;
    const widths = [{ ...first, bits: first.bits.map((row, i) => (i === 1 ? row.slice(1) : row)) }];
    await failure("NB_DATA_INVALID", () => parseReport({ ...report, clients: [{ ...client, widths }] }));
  });
});
