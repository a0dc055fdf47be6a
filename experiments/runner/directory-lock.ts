/** Runs are made in a directory by one process at a time: it leaves a file with its id there until it ends. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail } from "../../shared/errors.ts";
import { makeDirectory, unwritable } from "../../shared/output-node.ts";
import { isRunning } from "../../shared/processes-node.ts";

export const LOCK_FILE = "running.pid";

/** Puts the file there. False when there is one. */
function take(path: string): boolean {
  try {
    writeFileSync(path, `${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw unwritable(path, cause);
  }
}

/**
 * Makes a directory and takes it for this process, also from one that is gone.
 *
 * @returns what gives it back
 * @throws NB_CONFIG_INVALID when another process is at work in it, NB_FILE_UNREADABLE when it cannot be written
 */
export function lockDirectory(directory: string): () => void {
  makeDirectory(directory);
  const path = join(directory, LOCK_FILE);
  if (!take(path)) {
    const holder = Number(readFileSync(path, "utf8"));
    // An id of this process's own is an earlier one's: containers give the same ones again.
    if (holder === process.pid || !isRunning(holder)) rmSync(path, { force: true });
    if (!take(path))
      fail(
        "NB_CONFIG_INVALID",
        `--out: process ${holder} makes runs in ${directory}; accepted: once it has ended, or another directory. If it is another program, remove ${path}`,
      );
  }
  return () => rmSync(path, { force: true });
}
