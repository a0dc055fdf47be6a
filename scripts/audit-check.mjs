/**
 * Asks the registry for known advisories about what users install (`npm audit --omit=dev`), and says which of three it is:
 *
 *   exit 0, "no advisories"     none of high or critical severity
 *   exit 1, "advisories found"  at least one of them
 *   exit 0, "SKIPPED: …"        the registry does not answer such questions, or not now; nothing is known then
 *
 *   node scripts/audit-check.mjs [--strict]    --strict: a registry that does not answer is exit 2
 */
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Milliseconds that the registry has to answer. */
const PATIENCE_MS = 120_000;

/** Severities that fail the check; those below are reported by `npm audit` and weighed by hand. */
const FAILING = ["high", "critical"];

/**
 * What an answer of `npm audit --json` means.
 *
 * @param {string} stdout
 * @returns {{ kind: "clean" | "found" | "unanswered", message: string }}
 */
export function verdictOf(stdout) {
  let report;
  try {
    report = JSON.parse(stdout);
  } catch {
    return { kind: "unanswered", message: "npm audit printed no JSON" };
  }
  const counts = report?.metadata?.vulnerabilities;
  if (report === null || typeof report !== "object" || report.error !== undefined || counts === undefined) {
    const why = report?.error?.summary || report?.error?.code || report?.message || "no counts in the answer";
    return { kind: "unanswered", message: String(why).split("\n")[0].slice(0, 200) };
  }
  const bad = FAILING.filter((severity) => (counts[severity] ?? 0) > 0);
  if (bad.length === 0) return { kind: "clean", message: `of severity ${FAILING.join(" or ")}` };
  const names = Object.values(report.vulnerabilities ?? {})
    .filter(({ severity }) => FAILING.includes(severity))
    .map(({ name, severity, range }) => `  ${name} ${range ?? ""} (${severity})`);
  return { kind: "found", message: names.join("\n") };
}

function main() {
  const cwd = dirname(dirname(fileURLToPath(import.meta.url)));
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { stdout, error } = spawnSync(npm, ["audit", "--omit=dev", "--json"], {
    cwd,
    encoding: "utf8",
    timeout: PATIENCE_MS,
    shell: process.platform === "win32",
  });
  const verdict = error ? { kind: "unanswered", message: error.message } : verdictOf(stdout);
  if (verdict.kind === "clean") console.log(`audit: no advisories ${verdict.message}`);
  else if (verdict.kind === "found") {
    console.error(`audit: advisories found\n${verdict.message}`);
    process.exitCode = 1;
  } else {
    console.log(`audit: SKIPPED: the registry did not answer (${verdict.message})`);
    if (process.argv.includes("--strict")) process.exitCode = 2;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main();
