/**
 * How tests compare tensors.
 */
import { expect } from "vitest";

type Numbers = ArrayLike<number>;

/** Largest |a − b|. NaN in one of them makes it NaN, which no bound accepts. */
export function largestDifference(a: Numbers, b: Numbers): number {
  expect(a.length).toBe(b.length);
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i] - b[i]);
    if (!(d <= worst)) worst = d;
  }
  return worst;
}

/** Largest magnitude. */
export function magnitude(a: Numbers): number {
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]));
  return worst;
}

/** Largest |a − b| over the largest |b|; 0 where both are zero throughout. */
export function relativeDifference(a: Numbers, b: Numbers): number {
  const difference = largestDifference(a, b);
  return difference === 0 ? 0 : difference / magnitude(b);
}

type Named = ReadonlyMap<string, { readonly data: Numbers }>;

/** Asserts the same names, and for each tensor a relative difference of at most `bound`. */
export function expectClose(actual: Named, expected: Named, bound: number): void {
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, { data }] of actual) {
    const reference = expected.get(name)?.data as Numbers;
    expect(relativeDifference(data, reference), name).toBeLessThanOrEqual(bound);
  }
}
