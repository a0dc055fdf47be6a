/**
 * Runs a cell as people run it: one `narrowband serve` and a `narrowband train` for each client, each a process of its own, over real
 * sockets and, when the cell has a link, each client behind a shaping proxy. Rows are made from the run logs and results that the
 * commands leave behind, so there are no measurements before the end.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kebab } from "../../shared/command/option-spec.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { fail } from "../../shared/errors.ts";
import { modelFingerprint, tokenizerFingerprint } from "../../shared/job/fingerprint.ts";
import { readRunLog, runLogPath } from "../../shared/ledger/run-log-node.ts";
import { modelFiles, openModelDirectory, readAdapterDirectory } from "../../shared/model/files-node.ts";
import { joinAdapters } from "../../shared/model/join-adapters.ts";
import type { CommandEvent } from "../demo/child.ts";
import { resultSchema } from "../demo/events.ts";
import { PROFILES, type ProfileName } from "../link/profiles.ts";
import { LinkProxy } from "../link/proxy.ts";
import type { TaskExample } from "../tasks/task.ts";
import { cellData, cellMeasures } from "./cell-data.ts";
import { clientName, jobOf, serveOptionsOf } from "./cell-job.ts";
import { Evaluator } from "./evaluator.ts";
import type { Cell } from "./experiment.ts";
import { ledgerSchema } from "./ledger-schema.ts";
import type { RunCellOptions } from "./memory-cell.ts";
import { finalRow, splitPhases, stepRowOf } from "./row-making.ts";

/** A narrowband command that runs elsewhere; see CommandProcess. */
export interface Launched {
  /** The last object on its stdout; rejects when it failed. */
  readonly result: Promise<CommandEvent>;
  stop(): Promise<void>;
}

/** Starts a narrowband command with these arguments, `--json` included. */
export type Launch = (options: {
  readonly name: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly onEvent: (event: CommandEvent) => void;
}) => Launched;

/** Flags of `narrowband serve` for a cell. */
function serveArguments(cell: Cell, out: string): string[] {
  const flags = { ...serveOptionsOf(cell), out, port: 0, engine: cell.engine, threads: 1 };
  return ["serve", "--json", ...Object.entries(flags).flatMap(([k, v]) => [`--${kebab(k)}`, String(v)])];
}

/** A client's examples as a file that `narrowband train --data` reads. */
async function writeExamples(path: string, examples: readonly TaskExample[]): Promise<void> {
  const lines = examples.map(({ example }) =>
    JSON.stringify(
      example.kind === "text"
        ? { text: example.text }
        : { prompt: example.prompt, completion: example.completion },
    ),
  );
  await writeFile(path, `${lines.join("\n")}\n`);
}

interface Finished {
  readonly server: CommandEvent;
  readonly clients: readonly CommandEvent[];
}

/** Runs server and clients to their ends. */
async function runProcesses(
  cell: Cell,
  launch: Launch,
  directory: string,
  packed: boolean,
  signal: AbortSignal | undefined,
): Promise<Finished> {
  const processes: Launched[] = [];
  const proxies: LinkProxy[] = [];
  const stopAll = () => Promise.all(processes.map((child) => child.stop()));
  const onAbort = () => void stopAll();
  signal?.addEventListener("abort", onAbort);
  try {
    let announce: (port: number) => void = () => {};
    const listening = new Promise<number>((resolve) => {
      announce = resolve;
    });
    const joins = new Map<string, () => void>();
    const server = launch({
      name: "server",
      args: serveArguments(cell, join(directory, "server")),
      logFile: join(directory, "server.log"),
      onEvent: (event) => {
        if (event.event === "listening") announce(Number(event.port));
        if (event.event === "joined") joins.get(String(event.name))?.();
      },
    });
    processes.push(server);
    const port = await Promise.race([
      listening,
      server.result.then(() => fail("NB_INTERNAL", "the server ended before it listened")),
    ]);
    const clients: Launched[] = [];
    for (let client = 0; client < cell.clients; client++) {
      const name = clientName(client);
      const joined = new Promise<void>((resolve) => joins.set(name, resolve));
      let address = port;
      if (cell.link !== "none") {
        const profile = PROFILES[cell.link as ProfileName];
        const proxy = new LinkProxy({
          target: { host: "127.0.0.1", port },
          profile,
          seed: cell.seed + client,
        });
        proxies.push(proxy);
        address = await proxy.listen("127.0.0.1", 0);
      }
      // biome-ignore format: one option a line
      const child = launch({
        name,
        args: [
          "train", `ws://127.0.0.1:${address}`, "--json",
          "--model", cell.model,
          "--data", join(directory, `${name}.jsonl`),
          "--name", name,
          "--out", join(directory, name),
          "--held-out", "0",
          "--rows", String(cell.rows),
          "--length", String(cell.length),
          packed ? "--packed" : "--no-packed",
          "--seed", String(cell.seed),
          "--checkpoint-every", "0",
          "--threads", "1", "--engine", cell.engine,
        ],
        logFile: join(directory, `${name}.log`),
        onEvent: () => {},
      });
      clients.push(child);
      processes.push(child);
      // A client's number, by which its randomness is drawn, is its place in the order of joining.
      await Promise.race([joined, child.result, server.result]);
    }
    const [serverResult, ...clientResults] = await Promise.all(processes.map((child) => child.result));
    return { server: serverResult, clients: clientResults };
  } catch (error) {
    await stopAll();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    for (const proxy of proxies) await proxy.close();
  }
}

/** Rows of the trunk's steps, from the server's run log and the clients'. */
function stepRows(cell: Cell, directory: string, onRow: RunCellOptions["onRow"]): number {
  const server = readRunLog(runLogPath(join(directory, "server"))).records;
  const clients = Array.from({ length: cell.clients }, (_, client) => {
    const { records } = readRunLog(runLogPath(join(directory, clientName(client))));
    return new Map(records.map((record) => [record.step, record]));
  });
  const phases = splitPhases(cell.split);
  let before: (typeof server)[number] | undefined;
  let tokens = 0;
  for (const record of server) {
    tokens += record.tokens;
    // In sync mode the trunk's steps are the clients'; in sequential mode each is one client's, which its log does not say.
    const members = cell.mode === "sync" ? clients.map((log) => log.get(record.step)) : [];
    const bits = record.meanBits;
    const known = members.flatMap((member, client) =>
      member === undefined
        ? []
        : [
            {
              name: clientName(client),
              lossSum: member.lossSum,
              supervisedTokens: member.supervisedTokens,
              bits: { ...member.meanBits, ...bits },
            },
          ],
    );
    const { lossSum, supervisedTokens } = record;
    const all = { name: "all", lossSum, supervisedTokens, bits };
    const sum = (of: "computeMs" | "codecMs") => members.reduce((n, member) => n + (member?.[of] ?? 0), 0);
    onRow(
      stepRowOf(
        known.length > 0 ? known : [all],
        record,
        before,
        {
          step: record.step + 1,
          gradientNorm: record.gradientNorm,
          tokens,
          ms: {
            clientCompute: sum("computeMs"),
            clientCodec: sum("codecMs"),
            serverCompute: record.computeMs,
            serverCodec: record.codecMs,
          },
        },
        phases,
      ),
    );
    before = record;
  }
  return server.length;
}

/**
 * Runs a training cell over processes.
 *
 * @throws the signal's reason when it is aborted, and the error of the first process that failed.
 */
export async function runProcessCell(cell: Cell, launch: Launch, options: RunCellOptions): Promise<void> {
  const started = performance.now();
  const { signal, onRow } = options;
  const directory = await mkdtemp(join(tmpdir(), "narrowband-cell-"));
  const model = await openModelDirectory(cell.model);
  try {
    const data = cellData(cell, model.config.maxPositions);
    for (const [client, examples] of data.train.entries())
      await writeExamples(join(directory, `${clientName(client)}.jsonl`), examples);
    const { server, clients } = await runProcesses(cell, launch, directory, data.packed, signal);
    const steps = stepRows(cell, directory, onRow);
    const ledger = ledgerSchema.parse(server.ledger);
    const results = clients.map((result) => resultSchema.parse(result));
    const own = resultSchema.parse(server);
    const sum = (of: "computeMs" | "codecMs" | "linkMs") => results.reduce((n, result) => n + result[of], 0);

    const engine = await createEngine(cell.engine, { threads: 1, keepMemory: false });
    try {
      const { config } = jobOf(cell, model.config, {
        model: await modelFingerprint(model.config),
        tokenizer: await tokenizerFingerprint(modelFiles(cell.model)),
      });
      const measures = await cellMeasures(cell, data, model, signal);
      const evaluator = await Evaluator.open(config, model, engine, measures);
      try {
        const adapters = await Promise.all(
          clients.map(async (_, client) => {
            const parts = [join(directory, clientName(client)), join(directory, "server")];
            const found = await Promise.all(parts.map(readAdapterDirectory));
            return joinAdapters(model.config, found, parts).tensors;
          }),
        );
        const { metrics, clients: each } = await evaluator.evaluate(adapters, { final: true });
        const end = finalRow(ledger, {
          steps,
          ms: {
            clientCompute: sum("computeMs"),
            clientCodec: sum("codecMs"),
            serverCompute: own.computeMs,
            serverCodec: own.codecMs,
            link: sum("linkMs"),
          },
          seconds: (performance.now() - started) / 1000,
        });
        onRow({ row: "evaluation", step: steps, totalBytes: end.totalBytes, metrics, clients: [...each] });
        onRow(end);
      } finally {
        await evaluator.dispose();
      }
    } finally {
      await engine.dispose();
    }
  } finally {
    await model.close();
    await rm(directory, { recursive: true, force: true });
  }
}
