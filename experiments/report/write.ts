/** Checks a run's numbers and writes them as a page and as JSON (Node only). */
import { join } from "node:path";
import { fail } from "../../shared/errors.ts";
import { makeDirectory, writeText } from "../../shared/output-node.ts";
import { reportHtml } from "./html.ts";
import { type RunReport, runReportSchema } from "./run-report.ts";

/** A report of unknown origin, checked; NB_DATA_INVALID when it is not one. */
export function parseReport(json: unknown): RunReport {
  const parsed = runReportSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return fail("NB_DATA_INVALID", `report: ${issue.path.join(".") || "the document"}: ${issue.message}`);
}

export interface WrittenReport {
  readonly html: string;
  readonly json: string;
}

/**
 * Writes report.html and report.json into a directory, which is made when missing. Returns their paths.
 *
 * @throws NB_INTERNAL when the report breaks its own schema.
 */
export async function writeReport(directory: string, report: RunReport): Promise<WrittenReport> {
  const parsed = runReportSchema.safeParse(report);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    fail("NB_INTERNAL", `a report breaks its schema at ${issue.path.join(".")}: ${issue.message}`);
  }
  makeDirectory(directory);
  const paths = { html: join(directory, "report.html"), json: join(directory, "report.json") };
  // Without white space: most of it are long lists of numbers.
  await writeText(paths.json, `${JSON.stringify(report)}\n`);
  await writeText(paths.html, await reportHtml(report));
  return paths;
}
