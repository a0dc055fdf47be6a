/**
 * Checkpoints on disk (Node): written to a temporary file, synced and renamed, so that a crash leaves the one before; the
 * last two are kept, and reading takes the newest that is whole.
 */
import { open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { NarrowbandError } from "../errors.ts";
import { makeDirectory } from "../output-node.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";

const KEPT = 2;
const PATTERN = /^step-(\d{9})\.nbck$/;
const TEMPORARY = /^step-\d{9}\.nbck\.tmp$/;

function fileName(step: number): string {
  return `step-${String(step).padStart(9, "0")}.nbck`;
}

/** Checkpoint files of a directory, newest first. */
async function list(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  // A link or a pipe under such a name is none of ours, and could lead anywhere or block for ever.
  return entries
    .filter((entry) => entry.isFile() && PATTERN.test(entry.name))
    .map(({ name }) => name)
    .sort()
    .reverse();
}

/**
 * Removes all but the checkpoint of `step` and those just before it. What stands after it was passed over as broken when
 * the run went on from an earlier one; what is temporary was being written when a process died.
 */
async function prune(directory: string, step: number): Promise<void> {
  const newest = fileName(step);
  const all = await list(directory);
  const kept = all.filter((name) => name <= newest).slice(0, KEPT);
  const temporary = (await readdir(directory)).filter((name) => TEMPORARY.test(name));
  for (const name of [...all.filter((n) => !kept.includes(n)), ...temporary]) {
    await rm(join(directory, name), { force: true });
  }
}

/** Writes the checkpoint of `step` and keeps it and the one before. */
export async function writeCheckpoint(
  directory: string,
  step: number,
  checkpoint: Checkpoint,
): Promise<string> {
  makeDirectory(directory);
  const path = join(directory, fileName(step));
  const temporary = `${path}.tmp`;
  // What lies in the way, such as a link to another file, is removed and not written through.
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx");
  try {
    await file.writeFile(await encodeCheckpoint(checkpoint));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(directory, "r");
  await folder.sync().catch(() => undefined); // Windows cannot sync a directory.
  await folder.close();
  await prune(directory, step);
  return path;
}

/**
 * The newest whole checkpoint of `kind` and the files that were passed over as broken; undefined when there is none.
 * One of another kind is NB_CHECKPOINT_MISMATCH.
 */
export async function readLatestCheckpoint(
  directory: string,
  kind: string,
): Promise<{ checkpoint: Checkpoint | undefined; broken: { file: string; why: string }[] }> {
  const broken: { file: string; why: string }[] = [];
  for (const name of await list(directory)) {
    const file = join(directory, name);
    try {
      return { checkpoint: await decodeCheckpoint(await readFile(file), kind), broken };
    } catch (error) {
      if (!(error instanceof NarrowbandError) || error.code !== "NB_CHECKPOINT_INVALID") throw error;
      broken.push({ file, why: error.message });
    }
  }
  return { checkpoint: undefined, broken };
}
