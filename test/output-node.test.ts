/** Directories and files that commands write: made where they can be, and one error, with the path, where they cannot. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkWritable, makeDirectory, writeFileAtomically, writeText } from "../shared/output-node.ts";
import { failure, temporaryDirectory } from "./model/helpers.ts";

const LINUX = process.platform === "linux";

describe("makeDirectory", () => {
  it("makes all that are missing, and leaves what is there", async () => {
    const path = join(temporaryDirectory(), "a", "b", "c");
    makeDirectory(path);
    await writeText(join(path, "file"), "x");
    makeDirectory(path);
    expect(readdirSync(path)).toEqual(["file"]);
  });

  it("refuses a path that is a file's, or leads through one", async () => {
    const file = join(temporaryDirectory(), "file");
    writeFileSync(file, "x");
    for (const path of [file, join(file, "a"), join(file, "a", "b")])
      expect(await failure("NB_FILE_UNREADABLE", () => makeDirectory(path))).toContain(
        `cannot write ${file}`,
      );
    expect(readFileSync(file, "utf8")).toBe("x");
  });

  it.skipIf(!LINUX)(
    "refuses one below a directory that takes no entries, and does not try for ever",
    async () => {
      for (const path of ["/proc/narrowband", "/proc/narrowband/a/b"])
        expect(await failure("NB_FILE_UNREADABLE", () => makeDirectory(path))).toContain("/proc/narrowband");
    },
  );
});

describe("checkWritable", () => {
  it("passes files that can be written, and leaves them as they are", () => {
    const directory = temporaryDirectory();
    const file = join(directory, "file");
    writeFileSync(file, "x");
    checkWritable(file);
    checkWritable(join(directory, "a", "new"));
    expect(readFileSync(file, "utf8")).toBe("x");
    expect(readdirSync(join(directory, "a"))).toEqual([]);
  });

  it("refuses a directory, and a file in a directory that takes none", async () => {
    const directory = temporaryDirectory();
    expect(await failure("NB_FILE_UNREADABLE", () => checkWritable(directory))).toContain(directory);
    const closed = LINUX ? "/sys/kernel" : join(directory, "closed");
    if (!LINUX) {
      mkdirSync(closed);
      chmodSync(closed, 0o500);
    }
    expect(await failure("NB_FILE_UNREADABLE", () => checkWritable(join(closed, "x")))).toContain(closed);
  });

  it.skipIf(!LINUX)("does not touch devices", () => {
    checkWritable("/dev/null");
    expect(existsSync("/dev/null")).toBe(true);
  });
});

describe("writeFileAtomically", () => {
  it("names the file that it cannot write, and passes on what its chunks throw", async () => {
    const directory = temporaryDirectory();
    const missing = join(directory, "a", "file");
    expect(await failure("NB_FILE_UNREADABLE", () => writeText(missing, "x"))).toContain(missing);
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1);
      throw new RangeError("no more");
    }
    await expect(writeFileAtomically(join(directory, "file"), chunks())).rejects.toThrow("no more");
    expect(readdirSync(directory)).toEqual([]);
  });
});
