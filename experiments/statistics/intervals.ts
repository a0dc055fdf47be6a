/**
 * Means with their uncertainty. Runs of the same seed share data, order, adapters and everything else but the arm, so arms are compared
 * by differences within seeds ("paired"), which are far less scattered than the runs themselves.
 */
import jstat from "jstat";

const { jStat } = jstat;

export interface Estimate {
  readonly n: number;
  readonly mean: number;
  /** Of the sample; 0 for one value. */
  readonly sd: number;
  /** 95 % interval of the mean by Student's t; undefined for one value, which says nothing of its own scatter. */
  readonly ci95: readonly [number, number] | undefined;
}

/** Mean, standard deviation and 95 % interval of the mean of at least one value. */
export function estimate(values: readonly number[]): Estimate {
  const n = values.length;
  const mean = jStat.mean(values);
  if (n < 2) return { n, mean, sd: 0, ci95: undefined };
  const sd = jStat.stdev(values, true);
  const half = (jStat.studentt.inv(0.975, n - 1) * sd) / Math.sqrt(n);
  return { n, mean, sd, ci95: [mean - half, mean + half] };
}

/** The difference a − b over the seeds that both have; undefined when there is none. */
export function pairedDifference(
  a: ReadonlyMap<number, number>,
  b: ReadonlyMap<number, number>,
): Estimate | undefined {
  const differences = [...a].flatMap(([seed, value]) => {
    const other = b.get(seed);
    return other === undefined ? [] : [value - other];
  });
  return differences.length === 0 ? undefined : estimate(differences);
}
