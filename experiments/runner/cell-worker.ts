/** The process that runs one cell: is sent the cell, tells its rows, and ends. It ends too when its parent does. */
import { asNarrowbandError, NarrowbandError } from "../../shared/errors.ts";
import { CommandProcess } from "../demo/child.ts";
import { runCell } from "./run-cell.ts";
import type { WorkerMessage, WorkerTask } from "./worker-pool.ts";

const abort = new AbortController();

function stop(): void {
  abort.abort(new NarrowbandError("NB_INTERRUPTED", "stopped"));
}

/** Resolves when the message is on its way: the process must not end before. */
function tell(message: WorkerMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

async function work({ cell, program }: WorkerTask): Promise<void> {
  try {
    await runCell(cell, (options) => new CommandProcess({ ...options, program }), {
      signal: abort.signal,
      onRow: (row) => void tell({ type: "row", row }),
    });
    await tell({ type: "done" });
  } catch (error) {
    const { code, message } = asNarrowbandError(error);
    await tell({ type: "error", code, message });
  }
  if (process.connected) process.disconnect();
}

// Ctrl-C reaches the whole group of processes; the parent decides.
process.on("SIGINT", () => {});
process.on("SIGTERM", stop);
process.on("disconnect", stop);
process.once("message", (task: WorkerTask) => void work(task));
