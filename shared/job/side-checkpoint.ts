/**
 * What a checkpoint of one side of a job holds: adapters and optimizer state of its segments, what its codecs have learned, and where its
 * state machine stands. It belongs to a job's settings, and is refused by a job of others.
 */
import { z } from "zod";
import type { CodecState } from "../codec/codec.ts";
import { fail, NarrowbandError } from "../errors.ts";
import type { JobConfig } from "../protocol/job-config.ts";
import type { Checkpoint } from "../train/checkpoint.ts";
import type { NamedTensors, TrainableSegment } from "../train/segments.ts";
import { packCodecState, unpackCodecState } from "./codec-state.ts";

/** Which side of a job a checkpoint is of. */
export type Side = "client" | "server";

/** A segment by what it is called: bottom, trunk, top. */
export type SideSegments = Readonly<Record<string, TrainableSegment | undefined>>;

export interface SideState {
  /** Steps that the side has taken. */
  readonly step: number;
  /** Codec streams, by names of the side's own choosing. */
  readonly codecs: Readonly<Record<string, CodecState>>;
  /** The newest average of client adapters, where the side has to send it again. */
  readonly average:
    | { readonly number: number; readonly digest: number; readonly data: Uint8Array }
    | undefined;
  /** XXH32 of the manifests that clients have sent, by index. */
  readonly manifests: readonly (number | undefined)[];
  /** The state machine's state, in plain values. */
  readonly machine: unknown;
}

const SEPARATOR = "/";

const metaSchema = z.strictObject({
  step: z.int().min(0),
  identity: z.string(),
  codecs: z.record(z.string(), z.unknown()),
  average: z
    .strictObject({ number: z.int(), digest: z.int(), data: z.instanceof(Uint8Array) })
    .optional()
    .nullable(),
  manifests: z.array(z.int().optional()),
  machine: z.unknown(),
});

/** What must be equal for a checkpoint to fit: all that shapes, names or the meaning of what it holds depend on. */
function identityOf({ model, lora, split, codecs, seed, steps }: JobConfig): string {
  const { name: _, ...sizes } = model;
  return JSON.stringify({ model: sizes, lora, split, codecs, seed, steps });
}

/** Copies everything. */
export function sideCheckpoint(
  side: Side,
  segments: SideSegments,
  job: JobConfig,
  { step, codecs, average, manifests, machine }: SideState,
): Checkpoint {
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, segment] of Object.entries(segments))
    for (const [key, tensor] of segment?.saveState() ?? []) tensors.set(`${name}${SEPARATOR}${key}`, tensor);
  const packed = Object.entries(codecs).map(([name, state]) => [name, packCodecState(state)] as const);
  const meta = {
    step,
    identity: identityOf(job),
    codecs: Object.fromEntries(packed),
    average,
    manifests,
    machine,
  };
  return { kind: side, meta, tensors };
}

/**
 * Puts a checkpoint into the segments, and returns the rest of it. `where` names it in messages.
 *
 * @throws NB_CHECKPOINT_MISMATCH, and nothing is changed, when it is of a job with other settings.
 */
export function restoreSide(
  checkpoint: Checkpoint,
  where: string,
  segments: SideSegments,
  job: JobConfig,
): SideState {
  const meta = metaSchema.safeParse(checkpoint.meta);
  if (!meta.success || meta.data.identity !== identityOf(job))
    return fail(
      "NB_CHECKPOINT_MISMATCH",
      `${where}: its checkpoint is of a job with another model, cut, LoRA, codec, seed or number of steps`,
    );
  const { step, machine, average, manifests } = meta.data;
  const codecs = Object.entries(meta.data.codecs).map(
    ([name, state]) => [name, unpackCodecState(state)] as const,
  );
  try {
    for (const [name, segment] of Object.entries(segments)) {
      const prefix = `${name}${SEPARATOR}`;
      const state: NamedTensors = new Map(
        [...checkpoint.tensors]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, tensor]) => [key.slice(prefix.length), tensor]),
      );
      segment?.restoreState(state);
    }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new NarrowbandError("NB_CHECKPOINT_MISMATCH", `${where}: ${message}`, { cause });
  }
  return { step, codecs: Object.fromEntries(codecs), average: average ?? undefined, manifests, machine };
}
