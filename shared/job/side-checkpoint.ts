/**
 * Checkpoints of one side of a job (Node only): adapters and optimizer state of its segments, and how far it is. They
 * belong to a job's settings, and are refused by a job of others.
 */
import { fail, NarrowbandError } from "../errors.ts";
import type { JobConfig } from "../protocol/job-config.ts";
import { readLatestCheckpoint, writeCheckpoint } from "../train/checkpoint-files.ts";
import type { NamedTensors, TrainableSegment } from "../train/segments.ts";

/** A segment by what it is called: bottom, trunk, top. */
export type SideSegments = Readonly<Record<string, TrainableSegment | undefined>>;

export interface SidePosition {
  /** Steps that the side has taken. */
  readonly step: number;
  readonly job: JobConfig;
}

const SEPARATOR = "/";

/** What must be equal for a checkpoint to fit: all that shapes, names or meaning of what it holds depend on. */
function identityOf({ model, lora, split, seed }: JobConfig): string {
  const { name: _, ...sizes } = model;
  return JSON.stringify({ model: sizes, lora, split, seed });
}

export function writeSideCheckpoint(
  directory: string,
  kind: string,
  segments: SideSegments,
  { step, job }: SidePosition,
): Promise<string> {
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, segment] of Object.entries(segments))
    for (const [key, tensor] of segment?.saveState() ?? []) tensors.set(`${name}${SEPARATOR}${key}`, tensor);
  return writeCheckpoint(directory, step, { kind, meta: { step, identity: identityOf(job) }, tensors });
}

/**
 * Puts the newest whole checkpoint of `directory` into the segments. Returns the steps that it stands at; undefined,
 * and nothing changed, when there is none.
 *
 * @throws NB_CHECKPOINT_MISMATCH when it is of a job with other settings.
 */
export async function restoreSideCheckpoint(
  directory: string,
  kind: string,
  segments: SideSegments,
  job: JobConfig,
): Promise<number | undefined> {
  const { checkpoint } = await readLatestCheckpoint(directory, kind);
  if (checkpoint === undefined) return undefined;
  const { step, identity } = checkpoint.meta;
  if (identity !== identityOf(job) || typeof step !== "number")
    fail(
      "NB_CHECKPOINT_MISMATCH",
      `${directory}: its checkpoint is of a job with another model, cut, LoRA or seed; give another --out, or remove it`,
    );
  try {
    for (const [name, segment] of Object.entries(segments)) {
      if (segment === undefined) continue;
      const prefix = `${name}${SEPARATOR}`;
      const state: NamedTensors = new Map(
        [...checkpoint.tensors]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, tensor]) => [key.slice(prefix.length), tensor]),
      );
      segment.restoreState(state);
    }
  } catch (cause) {
    if (cause instanceof NarrowbandError && cause.code !== "NB_ADAPTER_MISMATCH") throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new NarrowbandError("NB_CHECKPOINT_MISMATCH", `${directory}: ${message}`, { cause });
  }
  return step;
}
