/** Describes a checkpoint file, after checking that it is whole. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
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

/** Where a side of a job stood, in words; nothing for checkpoints of other kinds. */
function standing(kind: string, { machine }: Readonly<Record<string, unknown>>): string[] {
  const side = sideSchema.safeParse(machine);
  if (!side.success) return [];
  const { job, clients, identity, taken } = side.data;
  if (kind === "server" && clients !== undefined) {
    return [
      `the server of job "${job?.name}", with ${formatCount(clients.length)} clients:`,
      ...clients.map(({ index, name, lastCommit }) => {
        const last = lastCommit === undefined ? "no step yet" : `last committed step ${lastCommit.step + 1}`;
        return `  ${index}  ${name}: ${last}`;
      }),
    ];
  }
  if (kind !== "client" || identity === undefined) return [];
  const { name, job: jobName, process } = identity;
  return [`client "${name}" of job "${jobName}", run ${process}: ${formatCount(taken ?? 0)} steps taken`];
}

const sideSchema = z.looseObject({
  job: z.looseObject({ name: z.string() }).optional(),
  clients: z
    .array(
      z.looseObject({
        index: z.int(),
        name: z.string(),
        lastCommit: z.looseObject({ step: z.int() }).optional(),
      }),
    )
    .optional(),
  identity: z.looseObject({ name: z.string(), job: z.string(), process: z.string() }).optional(),
  taken: z.int().optional(),
});

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
      ...standing(kind, meta),
      ...Object.entries(plain)
        .filter(([key]) => key !== "machine" && key !== "codecs")
        .map(([key, value]) => `${key}: ${JSON.stringify(value)}`),
      ...(settings.tensors ? ["", ...tensorLines(facts)] : []),
    ],
  };
}
