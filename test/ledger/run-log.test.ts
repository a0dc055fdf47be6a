/** A run log holds what was written, also when its writer was killed; what is no run log is refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import { type RunLogRecord, RunLogWriter, readRunLog } from "../../shared/ledger/run-log-node.ts";

const directory = mkdtempSync(join(tmpdir(), "narrowband-run-log-"));
afterAll(() => rmSync(directory, { recursive: true }));

function record(step: number): RunLogRecord {
  const { up, down } = new ByteLedger().snapshot();
  return {
    ...{ step, attempt: 0, time: 1_700_000_000_000 + step, lossSum: 10.5, supervisedTokens: 7, tokens: 9 },
    ...{ gradientNorm: 0.25, meanBits: { A1: 5.5, G2: 4 }, up, down, computeMs: 12.5, codecMs: 1.25 },
  };
}

function written(name: string): string {
  const path = join(directory, name);
  const log = new RunLogWriter(path, "demo", "alice");
  for (let step = 0; step < 3; step++) log.write(record(step));
  log.close();
  return path;
}

describe("a run log", () => {
  it("gives back what was written", () => {
    const expected = { job: "demo", writer: "alice", records: [0, 1, 2].map(record), torn: false };
    expect(readRunLog(written("whole"))).toEqual(expected);
  });

  it("gives back the whole records of a file that is cut anywhere after its header", () => {
    const path = written("cut");
    const bytes = readFileSync(path);
    const header = 4 + bytes.readUInt32LE(0);
    const one = 4 + bytes.readUInt32LE(header);
    for (let length = header; length < bytes.length; length += 7) {
      writeFileSync(path, bytes.subarray(0, length));
      const { records, torn } = readRunLog(path);
      expect(records.length).toBe(Math.floor((length - header) / one));
      expect(torn).toBe((length - header) % one !== 0);
    }
  });

  it.each([
    ["an empty file", Buffer.alloc(0)],
    ["text", Buffer.from("step,loss\n1,2\n")],
    ["a record that claims 4 GiB", Buffer.from("ffffffff00", "hex")],
  ])("is not read from %s", (_name, bytes) => {
    const path = join(directory, "bad");
    writeFileSync(path, bytes);
    expect(() => readRunLog(path)).toThrowError(expect.objectContaining({ code: "NB_DATA_INVALID" }));
  });

  it("is not read from a file that is not there", () => {
    expect(() => readRunLog(join(directory, "none"))).toThrowError(
      expect.objectContaining({ code: "NB_FILE_UNREADABLE" }),
    );
  });
});
