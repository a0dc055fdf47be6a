/**
 * A disk that forgets as real ones do: what was written survives the process, what was synced survives the machine; a file's name is only
 * there for good after its directory was synced. Operations take time, so that a process can die between any two, or in the middle
 * of a write.
 */
import type { AppendFile, Storage } from "../../shared/job/storage.ts";
import type { Clock, SimProcess } from "./clock.ts";

interface Inode {
  bytes: Uint8Array;
  synced: number;
}

type DirectoryChange =
  /** A new file, or one that had the name `from` before. */
  | { readonly kind: "link"; readonly name: string; readonly inode: Inode; readonly from?: string }
  | { readonly kind: "unlink"; readonly name: string };

const OPERATION_MS = 4;

/** What outlives processes. */
export class Disk {
  readonly #clock: Clock;
  #files = new Map<string, Inode>();
  #durable = new Map<string, Inode>();
  #changes: DirectoryChange[] = [];
  #writing: { inode: Inode; bytes: Uint8Array } | undefined;
  /** Most bytes that were on it at once. */
  peakBytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get names(): string[] {
    return [...this.#files.keys()];
  }

  contents(name: string): Uint8Array {
    return this.#files.get(name)!.bytes;
  }

  /** The process that used it has died; with `power`, so has the machine. */
  crash(power: boolean): void {
    const clock = this.#clock;
    if (this.#writing !== undefined) {
      const { inode, bytes } = this.#writing;
      this.#append(inode, bytes.subarray(0, clock.pick(bytes.length + 1)));
      this.#writing = undefined;
    }
    if (!power) return;
    this.#apply(clock.pick(this.#changes.length + 1));
    this.#changes = [];
    for (const inode of new Set(this.#durable.values())) {
      const kept = inode.synced + clock.pick(inode.bytes.length - inode.synced + 1);
      inode.bytes = inode.bytes.slice(0, kept);
      // A page that was never written back may hold anything.
      if (kept > inode.synced && clock.chance(0.3))
        inode.bytes[inode.synced + clock.pick(kept - inode.synced)] ^= 0x55;
      inode.synced = inode.bytes.length;
    }
    this.#files = new Map(this.#durable);
  }

  #apply(count: number): void {
    for (const change of this.#changes.splice(0, count)) {
      if (change.kind === "unlink") {
        this.#durable.delete(change.name);
        continue;
      }
      this.#durable.set(change.name, change.inode);
      if (change.from !== undefined) this.#durable.delete(change.from);
    }
  }

  #append(inode: Inode, bytes: Uint8Array): void {
    const joined = new Uint8Array(inode.bytes.length + bytes.length);
    joined.set(inode.bytes);
    joined.set(bytes, inode.bytes.length);
    inode.bytes = joined;
    const total = [...this.#files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.peakBytes = Math.max(this.peakBytes, total);
  }

  /** The disk as a process sees it. */
  mount(owner: SimProcess): Storage {
    const clock = this.#clock;
    const pause = (what: string) => clock.pause(owner, `${owner.name} disk ${what}`, OPERATION_MS);
    return {
      name: `${owner.name}'s disk`,
      list: async () => {
        await pause("list");
        return this.names;
      },
      read: async (name) => {
        await pause("read");
        return this.#files.get(name)!.bytes.slice();
      },
      append: async (name, size): Promise<AppendFile> => {
        await pause(`open ${name}`);
        let inode = this.#files.get(name);
        if (inode === undefined) {
          inode = { bytes: new Uint8Array(0), synced: 0 };
          this.#files.set(name, inode);
          this.#changes.push({ kind: "link", name, inode });
        }
        const file = inode;
        file.bytes = file.bytes.slice(0, size);
        file.synced = Math.min(file.synced, size);
        return {
          write: async (bytes) => {
            this.#writing = { inode: file, bytes };
            await pause(`write ${name}`);
            this.#writing = undefined;
            this.#append(file, bytes);
          },
          sync: async () => {
            const upTo = file.bytes.length;
            await pause(`sync ${name}`);
            file.synced = Math.max(file.synced, upTo);
          },
          close: async () => {},
        };
      },
      rename: async (from, to) => {
        await pause(`rename ${from}`);
        const inode = this.#files.get(from)!;
        this.#files.delete(from);
        this.#files.set(to, inode);
        this.#changes.push({ kind: "link", name: to, inode, from });
      },
      remove: async (name) => {
        await pause(`remove ${name}`);
        if (this.#files.delete(name)) this.#changes.push({ kind: "unlink", name });
      },
      syncDirectory: async () => {
        const upTo = this.#changes.length;
        await pause("sync directory");
        this.#apply(Math.min(upTo, this.#changes.length));
      },
    };
  }
}
