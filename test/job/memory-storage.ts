/** Storage in memory that may run full, and whose files a test can damage. */
import { type AppendFile, type Storage, storageError } from "../../shared/job/storage.ts";

export class MemoryStorage implements Storage {
  readonly name = "memory";
  readonly files = new Map<string, Uint8Array>();
  /** Bytes that still fit. */
  room = Number.POSITIVE_INFINITY;

  async list(): Promise<string[]> {
    return [...this.files.keys()];
  }

  async read(name: string): Promise<Uint8Array> {
    return this.files.get(name)!.slice();
  }

  async append(name: string, size: number): Promise<AppendFile> {
    this.files.set(name, (this.files.get(name) ?? new Uint8Array(0)).slice(0, size));
    return {
      write: async (bytes) => {
        const fits = bytes.subarray(0, Math.max(0, Math.min(bytes.length, this.room)));
        this.room -= fits.length;
        const before = this.files.get(name)!;
        const joined = new Uint8Array(before.length + fits.length);
        joined.set(before);
        joined.set(fits, before.length);
        this.files.set(name, joined);
        if (fits.length < bytes.length) {
          throw storageError(name, Object.assign(new Error("no space left on device"), { code: "ENOSPC" }));
        }
      },
      sync: async () => {},
      close: async () => {},
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.files.set(to, this.files.get(from)!);
    this.files.delete(from);
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name);
  }

  async syncDirectory(): Promise<void> {}

  /** Changes one byte, counted from the end. */
  damage(name: string, fromEnd: number): void {
    const bytes = this.files.get(name)!;
    bytes[bytes.length - fromEnd] ^= 1;
  }

  cut(name: string, bytes: number): void {
    this.files.set(name, this.files.get(name)!.slice(0, -bytes));
  }
}
