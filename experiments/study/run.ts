/**
 * npm run study [-- --only NAME ...] [--out DIR] [--list] [--no-keep]
 *
 * Makes the whole study anew: every experiment file beside this one is run into DIR/NAME (runs/study by default), its rows are kept in
 * experiments/results/NAME, and docs/study.md and README.md are filled from them. Killed and started again it goes on with what is missing. --list says
 * what is missing and how long it will take, and --no-keep leaves experiments/results and the documents as they are.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatDuration } from "../../shared/command/format.ts";
import { asNarrowbandError } from "../../shared/errors.ts";
import { planOf } from "../runner/grid.ts";
import type { CellRows } from "../runner/rows.ts";
import { readExperiment } from "../runner/run-experiment.ts";
import { RowStore } from "../runner/store.ts";
import { secondsOf } from "./estimate.ts";

const FILES = join("experiments", "study");
const RESULTS = join("experiments", "results");
/** Of a process that a signal ended, as shells count: narrowband stops so when it is interrupted. */
const INTERRUPTED = 130;

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    out: { type: "string", default: join("runs", "study") },
    list: { type: "boolean", default: false },
    "no-keep": { type: "boolean", default: false },
  },
});

/** Runs a narrowband command in the foreground; its exit code. */
function narrowband(...args: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join("dist", "cli.js"), ...args], { stdio: "inherit" });
    // Ctrl-C reaches the child too, which keeps what is finished; this waits for it.
    process.once("SIGINT", () => {});
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? INTERRUPTED));
  });
}

function allRows(directory: string): CellRows[] {
  const store = new RowStore(directory);
  return store.hashes().flatMap(({ config, code }) => store.find(config, code) ?? []);
}

interface Part {
  readonly name: string;
  readonly file: string;
  readonly out: string;
  readonly runs: number;
  readonly missing: number;
  /** Of what is missing, on all cores; undefined when nothing is known of it. */
  readonly seconds: number | undefined;
}

async function partOf(name: string): Promise<Part> {
  const file = join(FILES, `${name}.yaml`);
  const out = join(values.out, name);
  const experiment = await readExperiment(file);
  const plan = planOf(experiment);
  const store = new RowStore(out);
  const missing = plan.cells.filter(({ config }) => !store.has(config, plan.code));
  // Its own rows tell this machine's speed, published ones another's.
  const own = allRows(out);
  const finished = own.some(({ cell }) => !cell.baseline) ? own : allRows(join(RESULTS, name));
  const seconds = secondsOf(
    missing.map(({ cell }) => cell),
    finished,
  );
  const workers = experiment.transport === "process" ? 1 : availableParallelism();
  return {
    name,
    file,
    out,
    runs: plan.cells.length,
    missing: missing.length,
    seconds: seconds === undefined ? undefined : seconds / workers,
  };
}

function timeLeft(parts: readonly Part[]): string {
  const known = parts.reduce((sum, { seconds = 0 }) => sum + seconds, 0);
  const unknown = parts.filter(({ seconds }) => seconds === undefined).map(({ name }) => name);
  const text = `about ${formatDuration(1000 * known)} left`;
  if (unknown.length === 0) return text;
  const rest = `of ${unknown.join(", ")} nothing has been run yet to judge by`;
  return known === 0 ? rest : `${text}; ${rest}`;
}

const all = readdirSync(FILES)
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => file.replace(/\.yaml$/, ""))
  .toSorted();
const stranger = values.only.find((name) => !all.includes(name));
if (stranger !== undefined) {
  console.error(`--only: ${JSON.stringify(stranger)} is no experiment; accepted: ${all.join(", ")}`);
  process.exit(2);
}
const names = values.only.length === 0 ? all : all.filter((name) => values.only.includes(name));
const failed: string[] = [];
const left: string[] = [];
for (const name of names) {
  try {
    const part = await partOf(name);
    const time = part.seconds === undefined ? "not known yet" : formatDuration(1000 * part.seconds);
    console.log(`${name}: ${part.missing} of ${part.runs} runs to make, ${time}`);
    left.push(name);
  } catch (cause) {
    // A model or text that is not there: the others can be run all the same.
    const { code, message } = asNarrowbandError(cause);
    console.error(
      `${name}: cannot be run: ${code}: ${message}\n  ${join(FILES, `${name}.yaml`)} says at its head what it needs.`,
    );
    failed.push(name);
  }
}
if (!values.list) {
  while (left.length > 0) {
    const parts = await Promise.all(left.map(partOf));
    const [{ name, file, out }] = parts;
    console.log(`\n${name}; ${timeLeft(parts)}`);
    const code = await narrowband("experiment", "run", file, "--out", out);
    if (code === INTERRUPTED) process.exit(code);
    if (code !== 0) failed.push(name);
    else if (
      !values["no-keep"] &&
      (await narrowband("experiment", "keep", out, "--out", join(RESULTS, name))) !== 0
    )
      failed.push(name);
    left.shift();
  }
  if (!values["no-keep"] && existsSync(RESULTS) && (await narrowband("experiment", "tables")) !== 0)
    failed.push("tables");
}
if (failed.length > 0) {
  console.error(`not done: ${failed.join(", ")}`);
  process.exit(1);
}
