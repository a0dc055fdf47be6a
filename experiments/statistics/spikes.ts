/**
 * Jumps of a training loss. A step's loss is a spike when it stands far above the losses just before it, by a measure of scatter that single
 * steps do not move: the median and the median absolute deviation, which 1.4826 makes comparable with a standard deviation (Rousseeuw and
 * Croux, 1993). Counting steps that leave a running average by so many deviations is how others score it, too ("spike score" of OLMo 2, 2025,
 * with a mean and 7 deviations over 1,000 steps; the runs here are short).
 */

/** Steps before one that it is held against: at most, and at least. */
const WINDOW = 20;
const LEAST = 8;
/** Deviations above the median. */
export const SPIKE_DEVIATIONS = 4;
const MAD_TO_SD = 1.4826;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Places of spikes in a course of losses; the first steps, which have too few before them, are none. */
export function spikesOf(losses: readonly number[]): number[] {
  return losses.flatMap((loss, i) => {
    const before = losses.slice(Math.max(0, i - WINDOW), i).filter(Number.isFinite);
    if (before.length < LEAST || !Number.isFinite(loss)) return [];
    const middle = median(before);
    const deviation = MAD_TO_SD * median(before.map((value) => Math.abs(value - middle)));
    return loss > middle + SPIKE_DEVIATIONS * deviation ? [i] : [];
  });
}

/**
 * Whether a run went wrong altogether: a loss that is no number, or a last tenth of its steps (at least one) that is worse on average than
 * its first tenth.
 */
export function hasDiverged(losses: readonly number[]): boolean {
  if (losses.some((loss) => !Number.isFinite(loss))) return true;
  const tenth = Math.max(1, Math.round(losses.length / 10));
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return losses.length >= 2 && mean(losses.slice(-tenth)) > mean(losses.slice(0, tenth));
}
