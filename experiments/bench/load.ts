/**
 * `npm run bench:load`: how a server bears many clients. A thousand connections over real sockets, of which some step without a pause and the others
 * wait; the server in one process, all clients in another. docs/load.md has figures and says what they mean.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { formatBytes, formatCount, formatTable } from "../../shared/command/format.ts";
import { fail } from "../../shared/errors.ts";
import { type ClientFigures, type ClientOrder, runLoadClients } from "./load-clients.ts";
import { runLoadServer, type ServerFigures, type ServerQuestion } from "./load-server.ts";

interface Settings {
  readonly json?: string;
  readonly clients: number;
  readonly active: number;
  readonly seconds: number;
  readonly grow: boolean;
  /** Set in the child processes. */
  readonly server?: number;
  readonly load?: string;
}

/** The figures of one run. */
export interface LoadReport {
  readonly clients: number;
  readonly active: number;
  readonly stepsPerSecond: number;
  /** Milliseconds from a step's start to its commit, as its client saw it. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Resident memory of the server that one more client takes: connected, and besides that while it steps. */
  readonly rssPerIdleBytes: number;
  readonly rssPerActiveBytes: number;
  readonly errors: number;
  /** Processor time of the server for each step, milliseconds: what is left of the figures on a machine that is not idle. */
  readonly cpuMsPerStep: number;
}

/** Clients that step for a while before anything is measured, so that code is compiled and buffers have grown. */
const WARM_UP_CLIENTS = 8;
const WARM_UP_MS = 3_000;

/** Milliseconds that the active clients step before their times count. */
const SETTLE_MS = 1_500;

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

class Child {
  readonly #process: ChildProcess;
  readonly #died: Promise<never>;

  constructor(args: readonly string[]) {
    this.#process = fork(fileURLToPath(import.meta.url), args, {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      execArgv: [...process.execArgv, "--expose-gc"],
    });
    this.#died = once(this.#process, "exit").then(([code]) => {
      return fail("NB_INTERNAL", `a process of the bench ended with ${code}`);
    });
    this.#died.catch(() => {});
  }

  async hear<T>(): Promise<T> {
    const [value] = (await Promise.race([once(this.#process, "message"), this.#died])) as [T];
    return value;
  }

  ask<T>(question: ServerQuestion | ClientOrder): Promise<T> {
    const answer = this.hear<T>();
    this.#process.send(question);
    return answer;
  }

  async end(): Promise<void> {
    this.#process.disconnect();
    await this.#died.catch(() => {});
  }
}

async function measure(clients: number, active: number, seconds: number): Promise<LoadReport> {
  const server = new Child(["--server", String(clients + WARM_UP_CLIENTS)]);
  const url = await server.hear<string>();
  const load = new Child(["--load", url]);
  await load.hear();
  const figures = (): Promise<ServerFigures> => server.ask<ServerFigures>("collect");

  await load.ask({ type: "active", count: WARM_UP_CLIENTS });
  await sleep(WARM_UP_MS);
  await load.ask({ type: "leave" });
  await sleep(500);
  const before = await figures();
  const idle = clients - active;
  await load.ask({ type: "idle", count: idle });
  await sleep(500);
  const waiting = await figures();
  if (waiting.connected !== idle)
    fail("NB_INTERNAL", `${waiting.connected} of ${idle} clients are connected`);

  await load.ask({ type: "active", count: active });
  await sleep(SETTLE_MS);
  await load.ask({ type: "reset" });
  const start = await server.ask<ServerFigures>("figures");
  const startedAt = performance.now();
  await sleep(seconds * 1000);
  const end = await server.ask<ServerFigures>("figures");
  const elapsed = performance.now() - startedAt;
  const { stepMs, errors } = await load.ask<ClientFigures>({ type: "figures" });
  const stepping = await figures();
  await load.end();
  await server.end();

  const sorted = stepMs.toSorted((a, b) => a - b);
  const all = [...errors, ...end.errors];
  for (const error of new Set(all)) console.error(error);
  if (end.connected !== clients) fail("NB_INTERNAL", `${end.connected} of ${clients} clients are connected`);
  return {
    clients,
    active,
    stepsPerSecond: ((end.trunkSteps - start.trunkSteps) * 1000) / elapsed,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    rssPerIdleBytes: idle === 0 ? 0 : Math.round((waiting.rssBytes - before.rssBytes) / idle),
    rssPerActiveBytes: Math.round((stepping.rssBytes - waiting.rssBytes) / active),
    errors: all.length,
    cpuMsPerStep: (end.cpuMs - start.cpuMs) / (end.trunkSteps - start.trunkSteps),
  };
}

function lines(reports: readonly LoadReport[]): string[] {
  const head = [
    "clients",
    "active",
    "steps/s",
    "p50",
    "p99",
    "RSS per idle",
    "RSS per active",
    "errors",
    "CPU per step",
  ];
  const rows = reports.map((r) => [
    formatCount(r.clients),
    formatCount(r.active),
    r.stepsPerSecond.toFixed(0),
    `${r.p50Ms.toFixed(1)} ms`,
    `${r.p99Ms.toFixed(1)} ms`,
    formatBytes(r.rssPerIdleBytes),
    formatBytes(r.rssPerActiveBytes),
    String(r.errors),
    `${r.cpuMsPerStep.toFixed(2)} ms`,
  ]);
  return formatTable(head, rows, new Set(head.keys()));
}

function count(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError("a whole number from 1 is accepted.");
  return n;
}

async function main(settings: Settings): Promise<void> {
  if (settings.server !== undefined) return runLoadServer(settings.server);
  if (settings.load !== undefined) return runLoadClients(settings.load);
  const { clients, seconds, grow, json } = settings;
  const sizes = grow ? [clients / 8, clients / 4, clients / 2, clients].map(Math.ceil) : [clients];
  const reports: LoadReport[] = [];
  for (const size of sizes) reports.push(await measure(size, Math.min(settings.active, size), seconds));
  const machine = {
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    node: process.version,
  };
  console.log(`${machine.processor}, ${machine.cores} cores, Node ${machine.node}, ${seconds} s each`);
  for (const line of lines(reports)) console.log(line);
  if (json === undefined) return;
  const last = reports.at(-1) as LoadReport;
  const value = { ...last, machine, ...(grow ? { runs: reports } : {}) };
  await writeFile(json, `${JSON.stringify(value, null, 2)}\n`);
}

const command = new Command("bench:load")
  .description("Measures a server under many clients over real sockets.")
  .option("--json <file>", "write the figures to a file as well")
  .option("--clients <n>", "clients that are connected", count, 1_000)
  .option("--active <n>", "how many of them step at once", count, 64)
  .option("--seconds <n>", "how long is measured", count, 10)
  .option("--grow", "also with an eighth, a quarter and half of the clients", false)
  .option("--server <n>", "for the bench's own use: be the server", count)
  .option("--load <url>", "for the bench's own use: be the clients")
  .parse();

await main(command.opts<Settings>());
