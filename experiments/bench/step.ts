/**
 * `npm run bench:step`: how fast a training step is, against the machine's own limit, against the same step split in
 * three, and, where Python is given, against PyTorch. All figures of a model come from one run, in rounds in which all
 * measurements take their turns, so that ratios hold on a machine that is not quite idle. Absolute figures need an
 * idle one; PyTorch, whose threads wait by spinning, needs it in any case.
 */
import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Command, InvalidArgumentError } from "commander";
import { formatBytes, formatCount, formatPercent, formatTable } from "../../shared/command/format.ts";
import { packageRoot } from "../../shared/command/package-root.ts";
import { fail } from "../../shared/errors.ts";
import { BENCH_MODELS, type BenchModel } from "./step-models.ts";
import { type Ready, type Round, runWorker } from "./step-worker.ts";

interface Settings {
  readonly json?: string;
  readonly threads: number;
  readonly runs: number;
  readonly rounds: number;
  readonly only?: string;
  readonly spin: boolean;
  readonly torch?: string;
  /** Set in the child process: the model to measure. */
  readonly worker?: string;
}

/** What is reported of one model. Milliseconds are medians. */
interface ModelReport {
  readonly name: string;
  readonly about: string;
  readonly tokensPerSecond: number;
  readonly gflops: number;
  readonly fractionOfPeak: number;
  readonly splitOverhead: number;
  readonly peakRssBytes: number;
  /** PyTorch's time over ours: above 1, ours is faster. */
  readonly torchRatio?: number;
  readonly stepMs: number;
  readonly optimizerMs: number;
  readonly jointMs: number;
  readonly splitMs: number;
  readonly torchMs?: number;
  readonly peakGflops: number;
  /** The product that was fastest. */
  readonly peakOf: string;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The next message of a worker; an error when it dies instead. */
async function message<T>(child: ChildProcess): Promise<T> {
  const died = once(child, "exit").then(([code]) =>
    fail("NB_INTERNAL", `the measuring process ended with ${code}`),
  );
  const [value] = (await Promise.race([once(child, "message"), died])) as [T];
  return value;
}

/** Steps in PyTorch at the same number of threads: milliseconds of the median step. */
async function torchStep(python: string, model: BenchModel, settings: Settings): Promise<number> {
  const script = join(packageRoot(), "test", "oracle", "torch_step.py");
  const { rows, length } = model.bucket;
  const flags = {
    shape: model.torchShape,
    batch: rows,
    length,
    threads: settings.threads,
    runs: settings.runs,
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { stdout } = await promisify(execFile)(python, [script, ...args, "--json"], { maxBuffer: 1 << 20 });
  return JSON.parse(stdout.trim().split("\n").at(-1) as string).medianMs;
}

async function measure(model: BenchModel, settings: Settings): Promise<ModelReport> {
  const { threads, runs, rounds, spin, torch } = settings;
  const args = ["--worker", model.name, "--threads", String(threads), ...(spin ? [] : ["--no-spin"])];
  const child = fork(fileURLToPath(import.meta.url), args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const { flops, tokens, peakRssBytes } = await message<Ready>(child);
  const all: Round[] = [];
  const torchMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    child.send(runs);
    all.push(await message<Round>(child));
    if (torch !== undefined) torchMs.push(await torchStep(torch, model, settings));
  }
  child.disconnect();
  await once(child, "exit");

  const stepMs = median(all.flatMap((r) => r.step));
  const joint = all.flatMap((r) => r.joint);
  const split = all.flatMap((r) => r.split);
  const products = Object.keys(all[0].gemm).map((name) => ({
    name,
    gflops: median(all.flatMap((r) => r.gemm[name])),
  }));
  const peak = products.reduce((best, p) => (p.gflops > best.gflops ? p : best));
  const gflops = flops / stepMs / 1e6;
  return {
    name: model.name,
    about: model.about,
    tokensPerSecond: (tokens / stepMs) * 1000,
    gflops,
    fractionOfPeak: gflops / peak.gflops,
    splitOverhead: median(split.map((ms, i) => ms / joint[i])),
    peakRssBytes,
    ...(torchMs.length > 0 ? { torchRatio: median(torchMs) / stepMs, torchMs: median(torchMs) } : {}),
    stepMs,
    optimizerMs: median(all.flatMap((r) => r.optimizer)),
    jointMs: median(joint),
    splitMs: median(split),
    peakGflops: peak.gflops,
    peakOf: peak.name,
  };
}

function lines(reports: readonly ModelReport[]): string[] {
  const head = ["", "tokens/s", "GFLOP/s", "of peak", "split", "peak RSS", "torch", "step", "optimizer"];
  const rows = reports.map((r) => [
    r.name,
    formatCount(r.tokensPerSecond),
    r.gflops.toFixed(0),
    formatPercent(r.fractionOfPeak, 0),
    `${r.splitOverhead.toFixed(3)} ×`,
    formatBytes(r.peakRssBytes),
    r.torchRatio === undefined ? "–" : `${r.torchRatio.toFixed(2)} ×`,
    `${r.stepMs.toFixed(0)} ms`,
    `${r.optimizerMs.toFixed(0)} ms`,
  ]);
  const notes = reports.map(
    (r) => `${r.name}: ${r.about}; peak ${r.peakGflops.toFixed(0)} GFLOP/s (${r.peakOf})`,
  );
  return [...formatTable(head, rows, new Set([1, 2, 3, 4, 5, 6, 7, 8])), "", ...notes];
}

function count(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError("a whole number from 1 is accepted.");
  return n;
}

async function main(settings: Settings): Promise<void> {
  if (settings.worker !== undefined) {
    await runWorker({ model: settings.worker, threads: settings.threads, spin: settings.spin });
    return;
  }
  const chosen = BENCH_MODELS.filter(({ name }) => settings.only === undefined || name === settings.only);
  const models: ModelReport[] = [];
  for (const model of chosen) models.push(await measure(model, settings));
  const { threads, runs, rounds } = settings;
  const machine = { processor: cpus()[0]?.model ?? "unknown", threads, node: process.version };
  console.log(`${machine.processor}, ${threads} threads, Node ${machine.node}, ${rounds} × ${runs} runs`);
  for (const line of lines(models)) console.log(line);
  if (settings.json !== undefined) {
    await writeFile(settings.json, `${JSON.stringify({ models, machine, runs: rounds * runs }, null, 2)}\n`);
  }
}

const command = new Command("bench:step")
  .description("Times training steps on the ONNX Runtime engine.")
  .option("--json <file>", "write the figures to a file as well")
  .option("--threads <n>", "threads of one run", count, availableParallelism())
  .option("--runs <n>", "runs in a round", count, 5)
  .option("--rounds <n>", "rounds; PyTorch is timed after each", count, 3)
  .option("--only <model>", `one model: ${BENCH_MODELS.map(({ name }) => name).join(", ")}`)
  .option("--no-spin", "put idle threads to sleep, as a process must that shares its cores")
  .option(
    "--torch <python>",
    "a Python with torch, transformers and peft, to time the same steps in (NARROWBAND_TORCH_PYTHON)",
    process.env.NARROWBAND_TORCH_PYTHON,
  )
  .option("--worker <model>", "for the bench's own use: measure in this process")
  .parse();

await main(command.opts<Settings>());
