/** Describes a checkpoint file, after checking that it is whole. */
import { readFile } from "node:fs/promises";
import { formatBytes, formatCount } from "../../../shared/command/format.ts";
import { elementCount } from "../../../shared/model/dtype.ts";
import { decodeCheckpoint } from "../../../shared/train/checkpoint.ts";
import type { Description, InspectSettings } from "../inspect.ts";
import { type TensorFact, tensorLines } from "./tensors.ts";

/** The newest of the checkpoint files among `names`. */
export function newestCheckpoint(names: Iterable<string>): string | undefined {
  return [...names]
    .filter((name) => name.endsWith(".nbck"))
    .sort()
    .at(-1);
}

/** A value for people: byte arrays by their size, which is all that anyone reads of them. */
function readable(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, readable(part)]));
}

export async function describeCheckpoint(path: string, settings: InspectSettings): Promise<Description> {
  const file = await readFile(path);
  const { kind, meta, tensors } = await decodeCheckpoint(file);
  const facts: TensorFact[] = [...tensors].map(([name, { shape }]) => ({
    name,
    dtype: "F32",
    shape,
    elements: elementCount(shape),
  }));
  const elements = facts.reduce((sum, t) => sum + t.elements, 0);
  const plain = readable(meta) as Record<string, unknown>;
  return {
    facts: {
      kind: "checkpoint",
      of: kind,
      bytes: file.length,
      meta: plain,
      elements,
      tensors: settings.tensors ? facts : facts.length,
    },
    lines: [
      `${path}: a whole checkpoint of "${kind}", ${formatBytes(file.length)}, its checksum right`,
      `${formatCount(facts.length)} tensors with ${formatCount(elements)} elements, parameters and optimizer state together`,
      ...Object.entries(plain).map(([key, value]) => `${key}: ${JSON.stringify(value)}`),
      ...(settings.tensors ? ["", ...tensorLines(facts)] : []),
    ],
  };
}
