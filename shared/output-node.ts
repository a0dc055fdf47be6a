/** Where commands put what they make (Node only): directories and whole files, and one error for what cannot be written. */
import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { NarrowbandError } from "./errors.ts";

/** The error of a file or directory that cannot be written; errors of the program's own stay as they are. */
export function unwritable(path: string, cause: unknown): unknown {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (cause instanceof NarrowbandError || code === undefined) return cause;
  return new NarrowbandError("NB_FILE_UNREADABLE", `cannot write ${path}: ${message}`, { cause });
}

/**
 * Makes a directory and those above it where they are missing. One by one: asked for all at once, Node 20 tries for ever where a parent
 * takes no entries, as /proc does.
 *
 * @throws NB_FILE_UNREADABLE when it cannot be made, or something else has its name.
 */
export function makeDirectory(path: string): void {
  const isThere = () => existsSync(path) && statSync(path).isDirectory();
  if (isThere()) return;
  const parent = dirname(path);
  if (!existsSync(path) && parent !== path) makeDirectory(parent);
  try {
    mkdirSync(path);
  } catch (cause) {
    // Somebody else may just have made it.
    if (!isThere()) throw unwritable(path, cause);
  }
}

/**
 * Tells before long work whether its result can be written: makes the directory, and opens the file without changing it.
 *
 * @throws NB_FILE_UNREADABLE when it cannot.
 */
export function checkWritable(path: string): void {
  makeDirectory(dirname(path));
  const there = statSync(path, { throwIfNoEntry: false });
  // Opening a pipe would wait for its reader, and closing it would be its end.
  if (there !== undefined && !there.isFile() && !there.isDirectory()) return;
  try {
    closeSync(openSync(path, "a"));
  } catch (cause) {
    throw unwritable(path, cause);
  }
  if (there === undefined) rmSync(path);
}

/**
 * Writes a file through a temporary one beside it, so that a crash leaves the old file or the new one, never a part.
 *
 * @throws NB_FILE_UNREADABLE, and what `chunks` throws.
 */
export async function writeFileAtomically(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    // What lies in the way, such as a link to another file, is removed and not written through.
    await rm(temporary, { force: true });
    const file = await open(temporary, "wx");
    try {
      for await (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {
      // Where it could not be made either.
    });
    throw unwritable(path, cause);
  }
}

/** Writes a text into a file; as {@link writeFileAtomically}. */
export function writeText(path: string, text: string): Promise<void> {
  return writeFileAtomically(path, [new TextEncoder().encode(text)]);
}
