/**
 * The file that a server's tokens are kept in: JSON, `{ "tokens": [record, …] }` with the fields of tokens.ts. It holds hashes only, but who can
 * write it can let anybody in, so it is written with mode 0600 and refused when others may write it.
 */
import { randomBytes } from "node:crypto";
import {
  type BigIntStats,
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  realpathSync,
  statSync,
} from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { fail, NarrowbandError } from "../shared/errors.ts";
import { type TokenRecord, type TokenSource, tokenSchema } from "./tokens.ts";

/** Tokens of a file: every one is compared with each that is presented, which takes about 0.1 µs. */
const MAX_TOKENS = 10_000;

/** Bytes of a file: so many tokens at 400 bytes. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** Owner only. */
const FILE_MODE = 0o600;

/** Bits of a mode that let the group or others write. */
const WRITABLE_BY_OTHERS = 0o022;

/** Milliseconds that a change waits for another to be done, and between looks. A change takes a few milliseconds. */
const LOCK_PATIENCE_MS = 3_000;
const LOCK_POLL_MS = 20;

const fileSchema = z.strictObject({ tokens: z.array(tokenSchema).max(MAX_TOKENS) });

function unreadable(path: string, error: unknown): never {
  throw new NarrowbandError("NB_FILE_UNREADABLE", `tokens: ${path}: ${(error as Error).message}`, {
    cause: error,
  });
}

/**
 * The records of a token file. NB_FILE_UNREADABLE when it cannot be read, NB_CONFIG_INVALID when it is not a file of tokens, or
 * when others than its owner may write it.
 */
export function readTokenRecords(path: string): readonly TokenRecord[] {
  return readWithStats(path).records;
}

function readWithStats(path: string): {
  readonly stats: BigIntStats;
  readonly records: readonly TokenRecord[];
} {
  let text: string;
  let stats: BigIntStats;
  try {
    const file = openSync(path, "r");
    try {
      stats = fstatSync(file, { bigint: true });
      if (stats.size > MAX_FILE_BYTES)
        fail("NB_CONFIG_INVALID", `tokens: ${path}: ${stats.size} bytes; accepted: up to ${MAX_FILE_BYTES}`);
      text = readFileSync(file, "utf8");
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof NarrowbandError) throw error;
    return unreadable(path, error);
  }
  // Windows has no such bits, and says that all files are writable by everybody.
  if (process.platform !== "win32" && (Number(stats.mode) & WRITABLE_BY_OTHERS) !== 0)
    fail("NB_CONFIG_INVALID", `tokens: ${path} can be written by others than its owner; accepted: mode 0600`);
  return { stats, records: parseTokens(path, text) };
}

function parseTokens(path: string, text: string): readonly TokenRecord[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return fail("NB_CONFIG_INVALID", `tokens: ${path} is not JSON: ${(error as Error).message}`);
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return fail("NB_CONFIG_INVALID", `tokens: ${path}: ${issue.path.join(".")}: ${issue.message}`);
  }
  const { tokens } = parsed.data;
  const ids = new Set<string>();
  for (const { id } of tokens) {
    if (ids.has(id)) fail("NB_CONFIG_INVALID", `tokens: ${path}: two tokens of ${JSON.stringify(id)}`);
    ids.add(id);
  }
  return tokens;
}

/**
 * Records that follow their file: it is looked at whenever they are asked for, and read again when it has changed, so that a
 * token that is revoked is refused from that moment on.
 */
export class TokenFile implements TokenSource {
  readonly #path: string;
  #stamp = "";
  #records: readonly TokenRecord[] = [];

  /** Reads the file, to refuse a bad one at once. */
  constructor(path: string) {
    this.#path = path;
    this.records();
  }

  records(): readonly TokenRecord[] {
    let stats: BigIntStats;
    try {
      stats = statSync(this.#path, { bigint: true });
    } catch (error) {
      this.#stamp = "";
      return unreadable(this.#path, error);
    }
    if (stampOf(stats) === this.#stamp) return this.#records;
    this.#stamp = "";
    const read = readWithStats(this.#path);
    this.#records = read.records;
    this.#stamp = stampOf(read.stats);
    return this.#records;
  }
}

/** Changes whenever a file is written or replaced. */
function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}

/**
 * Replaces the records of a file by what `change` makes of them, atomically, and one change at a time. A file that is not there counts as empty
 * when `mayCreate`. Errors as for {@link readTokenRecords}.
 */
export async function changeTokenFile(
  path: string,
  mayCreate: boolean,
  change: (records: readonly TokenRecord[]) => readonly TokenRecord[],
): Promise<void> {
  const target = realPath(path);
  const lock = `${target}.lock`;
  const held = await acquire(lock);
  try {
    const exists = statSync(target, { throwIfNoEntry: false }) !== undefined;
    const records = exists || !mayCreate ? readTokenRecords(target) : [];
    await replace(target, { tokens: change(records) });
  } finally {
    await held.close();
    await rm(lock, { force: true });
  }
}

/** Where a link leads, so that the file behind it is replaced and not the link. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

async function acquire(lock: string): Promise<FileHandle> {
  const deadline = performance.now() + LOCK_PATIENCE_MS;
  for (;;) {
    try {
      return await open(lock, "wx", FILE_MODE);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") unreadable(lock, error);
      if (performance.now() > deadline)
        fail("NB_FILE_UNREADABLE", `tokens: another change is under way; if none is, remove ${lock}`);
    }
    await sleep(LOCK_POLL_MS);
  }
}

async function replace(path: string, value: unknown): Promise<void> {
  // Nobody can have put a file or a link in the way of a name that nobody could know.
  const temporary = `${path}.${randomBytes(8).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx", FILE_MODE);
    try {
      await file.writeFile(`${JSON.stringify(value, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    unreadable(path, error);
  }
}
