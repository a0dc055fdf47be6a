/** What the tests of models and data share: goldens, expected errors, temporary directories. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { type ErrorCode, NarrowbandError } from "../../shared/errors.ts";

/** Seed of every property test here; a failure prints it with the path to the counterexample. */
export const SEED = 20_260_105;

/** The path of something under test/golden/. */
export function golden(...path: string[]): string {
  return join(fileURLToPath(new URL("../golden", import.meta.url)), ...path);
}

export function goldenJson<T>(...path: string[]): T {
  return JSON.parse(readFileSync(golden(...path), "utf8")) as T;
}

/** Runs something that must fail with a code, and gives its message. */
export async function failure(code: ErrorCode, run: () => unknown): Promise<string> {
  let error: unknown;
  try {
    await run();
  } catch (caught) {
    error = caught;
  }
  expect(error, `expected ${code}, and nothing was thrown`).toBeDefined();
  if (!(error instanceof NarrowbandError)) throw error;
  expect(error.code).toBe(code);
  return error.message;
}

/** A directory that is removed when the test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "narrowband-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A safetensors file of a header text and its data. */
export function safetensorsBytes(header: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const json = new TextEncoder().encode(header);
  const out = new Uint8Array(8 + json.length + data.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  out.set(data, 8 + json.length);
  return out;
}
