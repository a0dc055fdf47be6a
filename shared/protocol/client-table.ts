/**
 * The clients of a job by index and by name, and how many of them are in each of the conditions that the server's rules ask about. A rule
 * that is looked at after every message costs the same however many clients there are.
 */
import { RecordTable } from "./record-table.ts";
import { type ClientRecord, StepStatus, UploadStatus } from "./server-state.ts";

/** Conditions of a client, bits of a mask. */
export const ClientKind = {
  /** Connected and ready. */
  LIVE: 1 << 1,
  /** Live, and without a step: it can begin one. */
  STARTABLE: 1 << 2,
  /** Startable, and not through with all steps. */
  UNFINISHED: 1 << 3,
  /** Has a step open. */
  OPEN: 1 << 4,
  STEPPING: 1 << 5,
  PREPARED: 1 << 6,
  BARRIER: 1 << 7,
  /** Not idle. */
  BUSY: 1 << 8,
  /** Waited for after its connection dropped. */
  REJOINING: 1 << 9,
  /** Waited for, and not through with all steps. */
  RETURNING: 1 << 10,
  /** Through with all steps (sequential mode, in which clients count their own). */
  FINISHED: 1 << 11,
  /** Live, idle and finished. */
  DONE: 1 << 12,
  /** At the barrier, and its adapters are still to come. */
  UPLOADING: 1 << 13,
  /** Its adapters have begun to come, or have come. */
  OUTLINED: 1 << 14,
  /** Its adapters are in. */
  UPLOADED: 1 << 15,
  /** Connected, or waited for. */
  ATTENDED: 1 << 16,
} as const;
export type ClientKind = (typeof ClientKind)[keyof typeof ClientKind];

/** Connected and ready. */
export function isLive(client: ClientRecord): boolean {
  return client.connection !== undefined && client.ready;
}

export function isUploading(client: ClientRecord): boolean {
  const status = client.upload?.status;
  return status === UploadStatus.EXPECTED || status === UploadStatus.RECEIVING;
}

/** Mask of a client's conditions in a job of `steps` steps. */
export function kindsOf(client: ClientRecord, steps: number): number {
  const { connection, status, open, rejoining, step, upload } = client;
  const live = isLive(client);
  const idle = status === StepStatus.IDLE;
  const barrier = status === StepStatus.BARRIER;
  const finished = step === steps;
  const when = (holds: boolean, kind: ClientKind): number => (holds ? kind : 0);
  return (
    when(live, ClientKind.LIVE) |
    when(connection !== undefined || rejoining, ClientKind.ATTENDED) |
    when(live && idle, ClientKind.STARTABLE) |
    when(live && idle && step < steps, ClientKind.UNFINISHED) |
    when(open !== undefined, ClientKind.OPEN) |
    when(status === StepStatus.STEPPING, ClientKind.STEPPING) |
    when(status === StepStatus.PREPARED, ClientKind.PREPARED) |
    when(barrier, ClientKind.BARRIER) |
    when(!idle, ClientKind.BUSY) |
    when(rejoining, ClientKind.REJOINING) |
    when(rejoining && step < steps, ClientKind.RETURNING) |
    when(finished, ClientKind.FINISHED) |
    when(live && idle && finished, ClientKind.DONE) |
    when(barrier && isUploading(client), ClientKind.UPLOADING) |
    when(
      upload?.status === UploadStatus.RECEIVING || upload?.status === UploadStatus.DONE,
      ClientKind.OUTLINED,
    ) |
    when(upload?.status === UploadStatus.DONE, ClientKind.UPLOADED)
  );
}

/** FNV-1a of a name's code units, an unsigned 32-bit integer. Names that share one are told apart by comparing. */
function nameHash(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Persistent: {@link with} leaves the table as it was. Clients are numbered from 0 without gaps, keep their names and never go. */
export class ClientTable {
  readonly #records: RecordTable<ClientRecord>;
  /** Indexes by hash of the name. */
  readonly #names: RecordTable<readonly number[]>;
  readonly #steps: number;

  private constructor(
    records: RecordTable<ClientRecord>,
    names: RecordTable<readonly number[]>,
    steps: number,
  ) {
    this.#records = records;
    this.#names = names;
    this.#steps = steps;
  }

  /** @param steps of the job */
  static empty(steps: number): ClientTable {
    return new ClientTable(RecordTable.empty(), RecordTable.empty(), steps);
  }

  static of(records: readonly ClientRecord[], steps: number): ClientTable {
    return records.reduce((table, record) => table.with(record), ClientTable.empty(steps));
  }

  get size(): number {
    return this.#records.size;
  }

  get(index: number): ClientRecord | undefined {
    return this.#records.get(index);
  }

  named(name: string): ClientRecord | undefined {
    for (const index of this.#names.get(nameHash(name)) ?? []) {
      const record = this.get(index);
      if (record?.name === name) return record;
    }
    return undefined;
  }

  /** The table with `record` in its client's place. A record that was changed since it was put there is to be put there again. */
  with(record: ClientRecord): ClientTable {
    const { index, name } = record;
    const kinds = kindsOf(record, this.#steps);
    const before = this.get(index);
    if (before === record && this.#records.kinds(index) === kinds) return this;
    const records = this.#records.with(index, record, kinds);
    if (before !== undefined) return new ClientTable(records, this.#names, this.#steps);
    const hash = nameHash(name);
    const names = this.#names.with(hash, [...(this.#names.get(hash) ?? []), index]);
    return new ClientTable(records, names, this.#steps);
  }

  count(kind: ClientKind): number {
    return this.#records.count(kind);
  }

  /** Clients of a kind, in order of index. */
  of(kind: ClientKind): ClientRecord[] {
    return this.#records.entries(kind).map(([, record]) => record);
  }

  /** The first client of a kind. */
  first(kind: ClientKind): ClientRecord | undefined {
    return this.#records.first(kind);
  }

  /** All clients, in order of index. */
  [Symbol.iterator](): Iterator<ClientRecord> {
    return this.toJSON()[Symbol.iterator]();
  }

  toJSON(): ClientRecord[] {
    return this.#records.entries().map(([, record]) => record);
  }
}
