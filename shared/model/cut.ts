/**
 * The cut plan: which blocks of a model stand on the client and which on the server.
 */
import { fail } from "../errors.ts";
import type { ModelConfig } from "./config.ts";

/** A contiguous part of a model. */
export interface SegmentRange {
  /** Whether it begins with the embedding (and then takes token ids). */
  readonly embedding: boolean;
  /** Blocks [from, to). */
  readonly from: number;
  readonly to: number;
  /** Whether it ends with the final norm, the head and the loss (and then takes labels). */
  readonly head: boolean;
}

export interface CutPlan {
  /** Blocks on the client before the first cut. */
  readonly bottomBlocks: number;
  /** Blocks after the second cut. */
  readonly topBlocks: number;
}

export interface Segments {
  readonly bottom: SegmentRange;
  readonly trunk: SegmentRange;
  readonly top: SegmentRange;
}

/** The three segments of a plan. NB_CONFIG_INVALID when the trunk would be empty. */
export function segmentsOf(config: ModelConfig, plan: CutPlan): Segments {
  const { bottomBlocks, topBlocks } = plan;
  const whole = Number.isInteger(bottomBlocks) && Number.isInteger(topBlocks);
  if (!whole || bottomBlocks < 0 || topBlocks < 0 || bottomBlocks + topBlocks >= config.layers) {
    fail(
      "NB_CONFIG_INVALID",
      `cut: ${bottomBlocks} bottom and ${topBlocks} top blocks given; accepted are whole numbers from 0 whose sum leaves ` +
        `at least one of the model's ${config.layers} blocks to the server`,
    );
  }
  const end = config.layers - topBlocks;
  return {
    bottom: { embedding: true, from: 0, to: bottomBlocks, head: false },
    trunk: { embedding: false, from: bottomBlocks, to: end, head: false },
    top: { embedding: false, from: end, to: config.layers, head: true },
  };
}

/** The model in one piece. */
export function wholeModel(config: ModelConfig): SegmentRange {
  return { embedding: true, from: 0, to: config.layers, head: true };
}
