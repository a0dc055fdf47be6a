/**
 * Each cell in a process of its own (Node only): all cores are used, memory is measured cell by cell, and what one leaves behind cannot
 * reach another.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ERRORS, type ErrorCode, NarrowbandError } from "../../shared/errors.ts";
import type { Cell } from "./experiment.ts";
import type { CellRunner } from "./grid.ts";
import type { BareRow } from "./rows.ts";

/** What the parent sends. */
export interface WorkerTask {
  readonly cell: Cell;
  /** The script that is narrowband. */
  readonly program: string;
}

/** What a worker tells. */
export type WorkerMessage =
  | { readonly type: "row"; readonly row: BareRow }
  | { readonly type: "done" }
  | { readonly type: "error"; readonly code: string; readonly message: string };

/** Milliseconds that a worker has to end after it was asked to. */
const STOP_GRACE_MS = 15_000;

/** Runs cells in processes. `program`: the script that is narrowband, for cells over processes. */
export function processRunner(program: string): CellRunner {
  // Beside this file, and compiled as it is.
  const script = fileURLToPath(import.meta.url).replace(/worker-pool(\.[jt]s)$/, "cell-worker$1");
  return (cell, { signal, onRow }) =>
    new Promise((resolve, reject) => {
      const child = fork(script, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
      let said = "";
      let outcome: { readonly error?: Error } | undefined;
      child.stderr?.on("data", (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-2_000);
      });
      let timer: NodeJS.Timeout | undefined;
      const stop = () => {
        child.kill("SIGTERM");
        timer = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
      };
      signal.addEventListener("abort", stop);
      child.on("message", (message: WorkerMessage) => {
        if (message.type === "row") onRow(message.row);
        else if (message.type === "done") outcome = {};
        else {
          const code = Object.hasOwn(ERRORS, message.code) ? (message.code as ErrorCode) : "NB_INTERNAL";
          outcome = { error: new NarrowbandError(code, message.message) };
        }
      });
      child.once("error", (error) => {
        outcome ??= { error };
      });
      child.once("close", (code, killed) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
        if (signal.aborted) reject(signal.reason);
        else if (outcome === undefined)
          reject(
            new NarrowbandError(
              "NB_INTERNAL",
              `the cell's process ended with ${killed ?? `exit code ${code}`}: ${said.trim()}`,
            ),
          );
        else if (outcome.error !== undefined) reject(outcome.error);
        else resolve();
      });
      child.send({ cell, program } satisfies WorkerTask);
    });
}
