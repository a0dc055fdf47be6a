/** A directory of the file system as a Storage (Node only). */
import { open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory } from "../output-node.ts";
import { type AppendFile, type Storage, storageError } from "./storage.ts";

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw storageError(what, cause);
  }
}

export class DirectoryStorage implements Storage {
  readonly name: string;

  constructor(directory: string) {
    this.name = directory;
  }

  list(): Promise<string[]> {
    return attempt(this.name, () =>
      readdir(this.name).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
      }),
    );
  }

  read(name: string): Promise<Uint8Array> {
    return attempt(this.#path(name), () => readFile(this.#path(name)));
  }

  append(name: string, size: number): Promise<AppendFile> {
    const path = this.#path(name);
    return attempt(path, async () => {
      makeDirectory(this.name);
      const file = await open(path, "a");
      await file.truncate(size);
      return {
        write: (bytes) => attempt(path, () => file.appendFile(bytes)),
        sync: () => attempt(path, () => file.datasync()),
        close: () => attempt(path, () => file.close()),
      };
    });
  }

  rename(from: string, to: string): Promise<void> {
    return attempt(this.#path(to), () => rename(this.#path(from), this.#path(to)));
  }

  remove(name: string): Promise<void> {
    return attempt(this.#path(name), () => rm(this.#path(name), { force: true }));
  }

  syncDirectory(): Promise<void> {
    return attempt(this.name, async () => {
      const folder = await open(this.name, "r");
      await folder.sync().catch(() => undefined); // Windows cannot sync a directory.
      await folder.close();
    });
  }

  #path(name: string): string {
    return join(this.name, name);
  }
}
