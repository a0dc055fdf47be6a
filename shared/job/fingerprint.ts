/**
 * Short names of what a model and a tokenizer are, so that two ends can tell whether theirs are the same before they
 * train on noise. They find mistakes, not forgeries. A model's is of its architecture: neither side reads the other's
 * weights, so weights cannot be compared.
 */
import createXxhash from "xxhash-wasm";
import type { ModelFiles } from "../model/byte-source.ts";
import type { ModelConfig } from "../model/config.ts";

/** JSON with keys in order, so that equal values give equal texts. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(",")}}`;
}

/** XXH64 of a model's architecture, 16 hexadecimal digits. */
export async function modelFingerprint(config: ModelConfig): Promise<string> {
  const { h64ToString } = await createXxhash();
  return h64ToString(canonicalJson(config));
}

/** XXH64 of `tokenizer.json`, 16 hexadecimal digits; empty, which is equal to anything, when there is none. */
export async function tokenizerFingerprint(files: ModelFiles): Promise<string> {
  const file = await files.open("tokenizer.json");
  if (file === undefined) return "";
  try {
    const { h64Raw } = await createXxhash();
    return h64Raw(await file.read(0, file.size))
      .toString(16)
      .padStart(16, "0");
  } finally {
    await file.close();
  }
}
