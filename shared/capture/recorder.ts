/** Collects a run's tensors for a capture, within bounds. */

import type { RowLayout } from "../codec/codec.ts";
import { CAPTURE_PHASES, type Capture, type CapturedTensor, type CapturePhase } from "./capture.ts";

export interface CaptureBounds {
  /** Whether a step is captured. */
  readonly wants: (step: number) => boolean;
  /** Bytes of f32 values that are held, at most. */
  readonly maxBytes: number;
  /** Tensors that each micro-batch has: 4, or 2 in a vanilla split. */
  readonly tensorsPerMicroBatch: number;
}

/** Where a tensor belongs. */
export interface CapturePosition {
  readonly step: number;
  readonly microBatch: number;
}

/**
 * A micro-batch is taken as a whole or not at all, and the first that would not fit ends the capture. A step that is
 * done again replaces what it left the first time.
 */
export class CaptureRecorder {
  readonly #bounds: CaptureBounds;
  readonly #taken = new Map<string, Map<CapturePhase, CapturedTensor>>();
  #reserved = 0;
  #full = false;

  constructor(bounds: CaptureBounds) {
    this.#bounds = bounds;
  }

  /** Whether the bound was met, so that later steps are not in the capture. */
  get full(): boolean {
    return this.#full;
  }

  /** Takes a copy of a tensor [tokens, channels], if its micro-batch is one that is captured. A1 comes first. */
  add(
    phase: CapturePhase,
    { step, microBatch }: CapturePosition,
    tokens: number,
    values: Float32Array,
    rows?: RowLayout,
  ): void {
    const { wants, maxBytes, tensorsPerMicroBatch } = this.#bounds;
    const key = `${step}/${microBatch}`;
    let tensors = this.#taken.get(key);
    if (tensors === undefined) {
      if (phase !== "A1" || this.#full || !wants(step)) return;
      const bytes = tensorsPerMicroBatch * values.byteLength;
      if (this.#reserved + bytes > maxBytes) {
        this.#full = true;
        return;
      }
      this.#reserved += bytes;
      tensors = new Map();
      this.#taken.set(key, tensors);
    }
    const own = rows && { lengths: Array.from(rows.lengths), ids: Array.from(rows.ids) };
    tensors.set(phase, { phase, step, microBatch, tokens, rows: own, values: values.slice() });
  }

  /** What was collected, in order of step, micro-batch and phase. */
  finish(about: Pick<Capture, "note" | "channels" | "codecs">): Capture {
    const tensors = [...this.#taken.values()]
      .flatMap((byPhase) => CAPTURE_PHASES.flatMap((phase) => byPhase.get(phase) ?? []))
      .sort((a, b) => a.step - b.step || a.microBatch - b.microBatch);
    return { ...about, tensors };
  }
}
