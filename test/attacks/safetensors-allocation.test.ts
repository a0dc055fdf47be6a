/**
 * Weight files that declare more than they hold, or hold more than anybody asked for. Expected: refused by the header, or only the tensors that are
 * needed are read; a declared size allocates nothing. Malformed headers are in safetensors-headers.test.ts.
 */
import { ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openFile } from "../../shared/model/files-node.ts";
import { readSafetensors } from "../../shared/model/safetensors.ts";
import { SafetensorsFile } from "../../shared/model/tensor-source.ts";
import { failure, safetensorsBytes, temporaryDirectory } from "../model/helpers.ts";

const TB = 2 ** 40;

describe("a safetensors file", () => {
  it("that declares a terabyte and holds nothing is refused at its header", async () => {
    const header = JSON.stringify({ a: { dtype: "F32", shape: [TB / 4], data_offsets: [0, TB] } });
    const before = process.memoryUsage().rss;
    await failure("NB_SAFETENSORS_TRUNCATED", () => readSafetensors(safetensorsBytes(header)));
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
  });

  it("that is 64 GiB of holes costs what is read of it", async () => {
    const path = join(temporaryDirectory(), "huge.safetensors");
    const entry = (begin: number, end: number) => ({
      dtype: "F32",
      shape: [(end - begin) / 4],
      data_offsets: [begin, end],
    });
    const head = safetensorsBytes(JSON.stringify({ small: entry(0, 16), huge: entry(16, 2 ** 36) }));
    const file = openSync(path, "w");
    writeSync(file, head);
    ftruncateSync(file, head.length + 2 ** 36);
    const before = process.memoryUsage().rss;
    const source = await SafetensorsFile.open((await openFile(path))!);
    expect([...(await source.read("small"))]).toEqual([0, 0, 0, 0]);
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
    await source.close();
  });
});
