/**
 * What a side keeps on storage so that a killed process can be gone on with: checkpoints, and the redo log of what came after them.
 *
 * Checkpoint n holds the state at which segment n of the log begins. The last two checkpoints are kept, and the log from the older of them
 * on: if the newest is torn or altered, the one before and a longer replay give the same state. Everything is written in order, one
 * operation after another; a segment is closed and synced before the next one is begun, so that a segment which is not the last cannot
 * be torn by a crash.
 */
import { asNarrowbandError, fail, NarrowbandError } from "../errors.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "../train/checkpoint.ts";
import { encodeRecord, encodeSegmentHeader, parseSegment, type Segment } from "./redo-log.ts";
import type { AppendFile, Storage } from "./storage.ts";

/** Checkpoints that are kept. */
const KEPT = 2;

const CHECKPOINT = /^checkpoint-(\d{9})\.nbck$/;
const SEGMENT = /^redo-(\d{9})\.nbredo$/;
const TEMPORARY = /^checkpoint-\d{9}\.nbck\.tmp$/;

function padded(number: number): string {
  return String(number).padStart(9, "0");
}

export function checkpointName(number: number): string {
  return `checkpoint-${padded(number)}.nbck`;
}

export function segmentName(number: number): string {
  return `redo-${padded(number)}.nbredo`;
}

function numbers(names: readonly string[], pattern: RegExp): number[] {
  return names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number);
}

/** A run as a process has left it. */
export interface LeftBehind {
  readonly checkpoint: Checkpoint;
  /** What came after the checkpoint, in order. */
  readonly records: readonly unknown[];
  /** What was passed over, and why, for the user. */
  readonly notes: readonly string[];
  /** Goes on where the log ends. */
  readonly journal: Journal;
}

export interface JournalEvents {
  /** All records up to `durable` are synced. */
  synced(durable: number): void;
  /** Nothing more can be kept. Called once. */
  failed(error: NarrowbandError): void;
}

type Operation =
  | { readonly kind: "write"; readonly segment: number; readonly bytes: Uint8Array }
  | { readonly kind: "rotate"; readonly number: number; readonly checkpoint: Checkpoint };

const NOBODY: JournalEvents = { synced: () => {}, failed: () => {} };

export class Journal {
  events: JournalEvents = NOBODY;
  readonly #storage: Storage;
  readonly #operations: Operation[] = [];
  /** Records appended, and those of them that are synced. */
  #appended = 0;
  #durable = 0;
  /** Number of the segment that is appended to, and the records in it. */
  #segment: number;
  #records: number;
  #bytes: number;
  /** Bytes to which its file is cut when it is opened. */
  #opensAt: number;
  #file: AppendFile | undefined;
  #syncWanted = false;
  #running: Promise<void> | undefined;
  #checkpointing: Promise<void> = Promise.resolve();
  /** Checkpoints on storage that are known to be whole, oldest first. */
  #whole: number[];
  #failure: NarrowbandError | undefined;

  private constructor(
    storage: Storage,
    at: { segment: number; records: number; bytes: number; whole: number[] },
  ) {
    this.#storage = storage;
    this.#segment = at.segment;
    this.#records = at.records;
    this.#bytes = at.bytes;
    this.#opensAt = at.bytes;
    this.#whole = at.whole;
  }

  /** Makes room for a run, in place of one that is there. It begins with a rotation to its first checkpoint. */
  static async begin(storage: Storage): Promise<Journal> {
    for (const name of await storage.list()) {
      if (CHECKPOINT.test(name) || SEGMENT.test(name) || TEMPORARY.test(name)) await storage.remove(name);
    }
    return new Journal(storage, { segment: -1, records: 0, bytes: 0, whole: [] });
  }

  /**
   * What a run of `kind` has left in storage; undefined when there is no checkpoint in it at all.
   *
   * @throws NB_CHECKPOINT_INVALID when there are checkpoints, but none is whole; NB_CHECKPOINT_MISMATCH when they are of another kind;
   * NB_LOG_INVALID when the log is damaged elsewhere than at its end.
   */
  static async resume(storage: Storage, kind: string): Promise<LeftBehind | undefined> {
    const names = await storage.list();
    const notes: string[] = [];
    const found = await newestWhole(storage, names, kind, notes);
    if (found === undefined) return undefined;
    const segments = await readSegments(storage, names, found.number);
    const last = segments.at(-1);
    let at = { segment: found.number, records: 0, bytes: 0 };
    if (last !== undefined) {
      const size = (await storage.read(segmentName(last.number))).length;
      if (last.wholeBytes < size) {
        notes.push(
          `${segmentName(last.number)}: ${size - last.wholeBytes} bytes at its end are torn, and left out`,
        );
      }
      // A segment that was closed just before the process died is followed by a new one.
      at = last.closed
        ? { segment: last.number + 1, records: 0, bytes: 0 }
        : {
            segment: last.number,
            records: last.records.length,
            bytes: last.records.length === 0 ? 0 : last.wholeBytes,
          };
    }
    return {
      checkpoint: found.checkpoint,
      records: segments.flatMap(({ records }) => records),
      notes,
      journal: new Journal(storage, { ...at, whole: [found.number] }),
    };
  }

  /** Records appended so far. */
  get appended(): number {
    return this.#appended;
  }

  /** Records that are synced. */
  get durable(): number {
    return this.#durable;
  }

  /** Bytes of the present segment, with what waits to be written. */
  get segmentBytes(): number {
    return this.#bytes;
  }

  append(record: unknown): void {
    if (this.#failure !== undefined) return;
    if (this.#records === 0) this.#write(encodeSegmentHeader(this.#segment));
    this.#write(encodeRecord(this.#records, record));
    this.#records += 1;
    this.#appended += 1;
    this.#start();
  }

  /** Has everything that was appended synced; `events.synced` tells when. */
  sync(): void {
    this.#syncWanted = true;
    this.#start();
  }

  /** The state after all that was appended is `checkpoint`: it is written, and a new segment begins. */
  rotate(checkpoint: Checkpoint): void {
    if (this.#failure !== undefined) return;
    if (this.#segment >= 0) {
      if (this.#records === 0) this.#write(encodeSegmentHeader(this.#segment));
      this.#write(encodeRecord(this.#records, undefined));
    }
    // Until there is a first checkpoint, nothing is kept at all: it counts as a record.
    if (this.#segment < 0) this.#appended += 1;
    this.#segment += 1;
    this.#records = 0;
    this.#bytes = 0;
    this.#operations.push({ kind: "rotate", number: this.#segment, checkpoint });
    this.#start();
  }

  /** Writes and syncs everything. Rejects if that, or anything before, failed. */
  async close(): Promise<void> {
    this.sync();
    while (this.#running !== undefined) await this.#running;
    await this.#checkpointing;
    if (this.#failure !== undefined) throw this.#failure;
    await this.#file?.close();
    this.#file = undefined;
  }

  #write(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    this.#operations.push({ kind: "write", segment: this.#segment, bytes });
  }

  #start(): void {
    if (this.#failure !== undefined || this.#running !== undefined) return;
    this.#running = this.#run();
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = asNarrowbandError(error);
    this.#operations.length = 0;
    this.events.failed(this.#failure);
  }

  async #run(): Promise<void> {
    // Records that are appended in the same turn are written together.
    await Promise.resolve();
    try {
      while (this.#failure === undefined && (this.#operations.length > 0 || this.#syncWanted)) {
        await this.#next();
      }
    } catch (error) {
      this.#fail(error);
    }
    // In the same turn as the last look at what is waiting, so that nothing is left lying.
    this.#running = undefined;
  }

  async #next(): Promise<void> {
    const [first] = this.#operations;
    if (first?.kind === "rotate") {
      this.#operations.shift();
      await this.#beginSegment(first.number, first.checkpoint);
    } else if (first !== undefined) {
      await this.#writeWaiting();
    } else {
      this.#syncWanted = false;
      await this.#syncAll();
    }
  }

  async #writeWaiting(): Promise<void> {
    const rotation = this.#operations.findIndex(({ kind }) => kind === "rotate");
    const taken = this.#operations.splice(0, rotation < 0 ? this.#operations.length : rotation);
    const writes = taken.filter((operation) => operation.kind === "write");
    const parts = writes.map(({ bytes }) => bytes);
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    if (this.#file === undefined) await this.#open(writes[0].segment);
    await this.#file!.write(bytes);
  }

  async #open(number: number): Promise<void> {
    this.#file = await this.#storage.append(segmentName(number), this.#opensAt);
    this.#opensAt = 0;
    await this.#storage.syncDirectory();
  }

  async #syncAll(): Promise<void> {
    const upTo = this.#appended;
    if (this.#file !== undefined) await this.#file.sync();
    if (upTo <= this.#durable) return;
    this.#durable = upTo;
    this.events.synced(upTo);
  }

  async #beginSegment(number: number, checkpoint: Checkpoint): Promise<void> {
    // Nothing of the new segment may be there before all of the old one is.
    if (this.#file !== undefined) {
      await this.#file.sync();
      await this.#file.close();
      this.#file = undefined;
    }
    await this.#checkpointing;
    if (this.#whole.length === 0) await this.#writeCheckpoint(number, checkpoint);
    this.#opensAt = 0;
    await this.#open(number);
    if (this.#whole.includes(number)) return;
    this.#checkpointing = this.#writeCheckpoint(number, checkpoint).catch((error: unknown) =>
      this.#fail(error),
    );
  }

  async #writeCheckpoint(number: number, checkpoint: Checkpoint): Promise<void> {
    const name = checkpointName(number);
    const file = await this.#storage.append(`${name}.tmp`, 0);
    await file.write(await encodeCheckpoint(checkpoint));
    await file.sync();
    await file.close();
    await this.#storage.rename(`${name}.tmp`, name);
    await this.#storage.syncDirectory();
    this.#whole = [...this.#whole, number].slice(-KEPT);
    await this.#prune();
  }

  /** Removes what no resuming could need. */
  async #prune(): Promise<void> {
    const [oldest] = this.#whole;
    for (const name of await this.#storage.list()) {
      const checkpoint = numbers([name], CHECKPOINT)[0];
      const segment = numbers([name], SEGMENT)[0];
      const old = (checkpoint !== undefined && !this.#whole.includes(checkpoint)) || segment < oldest;
      if (old || TEMPORARY.test(name)) await this.#storage.remove(name);
    }
  }
}

async function newestWhole(
  storage: Storage,
  names: readonly string[],
  kind: string,
  notes: string[],
): Promise<{ number: number; checkpoint: Checkpoint } | undefined> {
  const candidates = numbers(names, CHECKPOINT).sort((a, b) => b - a);
  for (const number of candidates) {
    const name = checkpointName(number);
    try {
      return { number, checkpoint: await decodeCheckpoint(await storage.read(name), kind) };
    } catch (error) {
      if (!(error instanceof NarrowbandError) || error.code !== "NB_CHECKPOINT_INVALID") throw error;
      notes.push(`${name} is passed over (${error.message})`);
    }
  }
  if (candidates.length === 0) return undefined;
  return fail("NB_CHECKPOINT_INVALID", `${storage.name}: no checkpoint is whole: ${notes.join("; ")}`);
}

/** The segments from `first` on, in order. All but the last are closed. */
async function readSegments(storage: Storage, names: readonly string[], first: number): Promise<Segment[]> {
  const present = numbers(names, SEGMENT)
    .filter((number) => number >= first)
    .sort((a, b) => a - b);
  const segments: Segment[] = [];
  for (const [i, number] of present.entries()) {
    const name = `${storage.name}: ${segmentName(number)}`;
    if (number !== first + i) fail("NB_LOG_INVALID", `${name}: the segment before it is missing`);
    const segment = parseSegment(await storage.read(segmentName(number)), number, name);
    if (!segment.closed && i + 1 < present.length) {
      fail("NB_LOG_INVALID", `${name}: damaged after ${segment.records.length} records, and more follow it`);
    }
    segments.push(segment);
  }
  return segments;
}
