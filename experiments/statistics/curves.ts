/** Curves of a figure against cumulative bytes: read at a place, searched for a target, compared by area. */

/** Points with rising x. */
export type Curve = readonly (readonly [x: number, y: number])[];

/** The curve's y at x by straight lines between points; undefined outside of it. */
export function valueAt(curve: Curve, x: number): number | undefined {
  const after = curve.findIndex(([px]) => px >= x);
  if (after < 0) return undefined;
  const [x1, y1] = curve[after];
  if (x1 === x) return y1;
  if (after === 0) return undefined;
  const [x0, y0] = curve[after - 1];
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

/** The first x at which the curve is at least as good as the target; undefined when it never is. */
export function firstReach(curve: Curve, target: number, higherIsBetter: boolean): number | undefined {
  const sign = higherIsBetter ? 1 : -1;
  const good = (y: number) => sign * (y - target) >= 0;
  for (const [i, [x, y]] of curve.entries()) {
    if (!good(y)) continue;
    if (i === 0) return x;
    const [x0, y0] = curve[i - 1];
    return x0 + ((x - x0) * (target - y0)) / (y - y0);
  }
  return undefined;
}

/**
 * Mean height of curve a above curve b over the x that both have (the area between them, divided by that length); undefined when
 * they share none.
 */
export function meanGap(a: Curve, b: Curve): number | undefined {
  if (a.length === 0 || b.length === 0) return undefined;
  const from = Math.max(a[0][0], b[0][0]);
  const to = Math.min(a[a.length - 1][0], b[b.length - 1][0]);
  if (!(to > from)) return undefined;
  // Both are straight between these, so the trapezoids are exact.
  const places = [
    ...new Set([from, to, ...[...a, ...b].map(([x]) => x).filter((x) => x > from && x < to)]),
  ].sort((p, q) => p - q);
  let area = 0;
  for (let i = 1; i < places.length; i++) {
    const gap = (x: number) => valueAt(a, x)! - valueAt(b, x)!;
    area += ((gap(places[i - 1]) + gap(places[i])) / 2) * (places[i] - places[i - 1]);
  }
  return area / (to - from);
}
