/**
 * How the error of a channel falls with its width: what an allocator expects of a width that it has not tried.
 * Only ratios matter. All tables are positive, falling and convex, as marginal analysis needs.
 */

import type { Clip } from "../ranges.ts";

/**
 * Mean squared error of the best uniform quantizer of 2^n levels on a Gaussian of variance 1; index n (J. Max,
 * "Quantizing for minimum distortion", IRE Trans. Inform. Theory 6(1), 1960, table II, gives the ranges; the errors are integrated numerically).
 */
const GAUSSIAN_ERROR: readonly number[] = [
  1, 0.3634, 0.1188, 0.03744, 0.01154, 0.003495, 0.00104, 0.0003043, 0.00008769,
];

/** Error of 2^n levels over a range that does not depend on n: (range / (2^n − 1))² / 12 for a range of 1; index n. */
const SPAN_ERROR: readonly number[] = [
  1,
  1 / 12,
  ...[2, 3, 4, 5, 6, 7, 8].map((n) => 1 / 12 / (2 ** n - 1) ** 2),
];

/** Mean squared error at each width, index 0 to 8, of a channel whose ranges are chosen so. */
export function errorTable(clip: Clip): readonly number[] {
  return clip === "none" ? SPAN_ERROR : GAUSSIAN_ERROR;
}
