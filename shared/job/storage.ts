/**
 * Where a side keeps what must survive its process: the files of one directory, behind an interface, so that a simulator can lose what
 * was not synced. storage-node.ts is the real one.
 */
import { NarrowbandError } from "../errors.ts";

/** A file that is written at its end only. */
export interface AppendFile {
  /** Resolves when the operating system has the bytes: they survive the process, not yet the machine. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when all that was written survives the machine. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Every operation rejects with NB_STORAGE_FULL or NB_STORAGE_FAILED when it cannot be done. */
export interface Storage {
  /** What it is called in messages. */
  readonly name: string;
  /** Names of the files, in no order; none if the directory is not there. */
  list(): Promise<string[]>;
  read(name: string): Promise<Uint8Array>;
  /** Opens a file for appending, after cutting it to `size` bytes; makes it, and the directory, if they are not there. */
  append(name: string, size: number): Promise<AppendFile>;
  /** Puts a file in the place of another, at once or not at all. */
  rename(from: string, to: string): Promise<void>;
  /** Does nothing when the file is not there. */
  remove(name: string): Promise<void>;
  /** Resolves when files that were made, renamed and removed are so after a failure of the machine. */
  syncDirectory(): Promise<void>;
}

const FULL = new Set(["ENOSPC", "EDQUOT"]);

/** The error that an operation's failure is for the user. */
export function storageError(what: string, cause: unknown): NarrowbandError {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  const full = typeof code === "string" && FULL.has(code);
  return new NarrowbandError(
    full ? "NB_STORAGE_FULL" : "NB_STORAGE_FAILED",
    `${what}: ${typeof message === "string" ? message : String(cause)}`,
    { cause },
  );
}
