/**
 * Checkpoints of one side of a job (Node only): adapters and optimizer state of its segments, what its encoders have
 * learned, and how far it is. They belong to a job's settings, and are refused by a job of others.
 */
import { rm } from "node:fs/promises";
import { z } from "zod";
import type { CodecState } from "../codec/codec.ts";
import { forNewPeer } from "../codec/state.ts";
import { fail, NarrowbandError } from "../errors.ts";
import type { JobConfig } from "../protocol/job-config.ts";
import type { Checkpoint } from "../train/checkpoint.ts";
import { readLatestCheckpoint, writeCheckpoint } from "../train/checkpoint-files.ts";
import type { NamedTensors, TrainableSegment } from "../train/segments.ts";
import { packCodecState, unpackCodecState } from "./codec-state.ts";

/** Which side of a job a checkpoint is of. */
export type Side = "client" | "server";

/** A segment by what it is called: bottom, trunk, top. */
export type SideSegments = Readonly<Record<string, TrainableSegment | undefined>>;

export interface SideState {
  /** Steps that the side has taken. */
  readonly step: number;
  /** By names of the side's own choosing. */
  readonly encoders: Readonly<Record<string, CodecState>>;
}

const SEPARATOR = "/";

const metaSchema = z.looseObject({
  step: z.int().min(0),
  identity: z.string(),
  encoders: z.record(z.string(), z.unknown()),
});

/** What must be equal for a checkpoint to fit: all that shapes, names or the meaning of what it holds depend on. */
function identityOf({ model, lora, split, codecs, seed, steps }: JobConfig): string {
  const { name: _, ...sizes } = model;
  return JSON.stringify({ model: sizes, lora, split, codecs, seed, steps });
}

function sideCheckpoint(
  side: Side,
  segments: SideSegments,
  job: JobConfig,
  { step, encoders }: SideState,
): Checkpoint {
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, segment] of Object.entries(segments))
    for (const [key, tensor] of segment?.saveState() ?? []) tensors.set(`${name}${SEPARATOR}${key}`, tensor);
  // Whoever goes on from a checkpoint does so on a new connection.
  const packed = Object.entries(encoders).map(
    ([name, state]) => [name, packCodecState(forNewPeer(state))] as const,
  );
  const meta = { step, identity: identityOf(job), encoders: Object.fromEntries(packed) };
  return { kind: side, meta, tensors };
}

/** Writes a side's checkpoints, one at a time and in their order, while training goes on. */
export class SideCheckpoints {
  readonly directory: string;
  readonly #side: Side;
  #writing: Promise<unknown> = Promise.resolve();
  #failure: unknown;

  constructor(directory: string, side: Side) {
    this.directory = directory;
    this.#side = side;
  }

  /** Takes a copy of everything at once, and writes it in the background. */
  save(segments: SideSegments, job: JobConfig, state: SideState): void {
    const checkpoint = sideCheckpoint(this.#side, segments, job, state);
    this.#writing = this.#writing
      .then(() => writeCheckpoint(this.directory, state.step, checkpoint))
      .catch((error: unknown) => {
        this.#failure ??= error;
      });
  }

  /** Waits until all is written; throws the first failure. */
  async written(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** Removes the checkpoints of an earlier run, so that none of them can be taken for this one's. */
export function forgetCheckpoints(directory: string): Promise<void> {
  return rm(directory, { recursive: true, force: true });
}

/**
 * Puts the newest whole checkpoint of `directory` into the segments, and returns the rest of it.
 *
 * @throws NB_FILE_UNREADABLE when there is none; NB_CHECKPOINT_MISMATCH, and nothing is changed, when it is of a job with other
 * settings.
 */
export async function restoreSideCheckpoint(
  directory: string,
  side: Side,
  segments: SideSegments,
  job: JobConfig,
): Promise<SideState> {
  const { checkpoint, broken } = await readLatestCheckpoint(directory, side);
  if (checkpoint === undefined) {
    const torn = broken.map(({ file, why }) => `; ${file} is passed over (${why})`).join("");
    return fail("NB_FILE_UNREADABLE", `${directory}: there is no checkpoint to go on from${torn}`);
  }
  const meta = metaSchema.safeParse(checkpoint.meta);
  if (!meta.success || meta.data.identity !== identityOf(job))
    return fail(
      "NB_CHECKPOINT_MISMATCH",
      `${directory}: its checkpoint is of a job with another model, cut, LoRA, codec, seed or number of steps`,
    );
  const encoders = Object.entries(meta.data.encoders).map(
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
    throw new NarrowbandError("NB_CHECKPOINT_MISMATCH", `${directory}: ${message}`, { cause });
  }
  return { step: meta.data.step, encoders: Object.fromEntries(encoders) };
}
