/**
 * Sums of clients' gradients that a few of them cannot spoil. All three measures are off, or far away, unless asked for, and a sum without them is
 * the plain one, bit for bit.
 */
import { fail } from "../errors.ts";
import type { AdapterTensors } from "./adapters.ts";
import type { GradientAccumulator, GradientSum } from "./gradient-sum.ts";

export interface RobustAggregation {
  /**
   * Norm of a client's gradient per real token above which its step is refused (NB_GRADIENT_REFUSED): no loss of a sound model has
   * such a slope. 0: never.
   */
  readonly maxClientNorm: number;
  /**
   * Norm that a client's mean gradient per supervised token is scaled down to before it is added, so that none counts for more than any other
   * (per-client clipping, as in Sun, Kairouz, Suresh and McMahan, "Can you really backdoor federated learning?", 2019). 0: never.
   */
  readonly clientClipNorm: number;
  /**
   * Share of the clients whose values are left out at each end, coordinate by coordinate (trimmed mean: Yin, Chen, Ramchandran and
   * Bartlett, "Byzantine-robust distributed learning", ICML 2018). It withstands fewer than this share of bad clients. 0: none.
   */
  readonly trim: number;
}

/**
 * A mean gradient per token of a model that trains has a norm of about 1 and, just before it diverges, of hundreds; a client that sends more
 * than this cannot help.
 */
export const DEFAULT_MAX_CLIENT_NORM = 10_000;

export const PLAIN_AGGREGATION: RobustAggregation = {
  maxClientNorm: DEFAULT_MAX_CLIENT_NORM,
  clientClipNorm: 0,
  trim: 0,
};

/** What one client adds to an optimizer step. Its sum may be changed here, and is of no use afterwards. */
export interface MemberGradients {
  readonly sum: GradientSum;
  readonly supervisedTokens: number;
}

/** NB_GRADIENT_REFUSED when a client's gradient is beyond all reason, or has become infinite by being added up. */
export function refuseAbsurdNorm(sum: GradientSum, { maxClientNorm }: RobustAggregation): void {
  const norm = sum.norm() / Math.max(1, sum.tokens);
  if (!(norm <= (maxClientNorm || Number.MAX_VALUE)))
    fail(
      "NB_GRADIENT_REFUSED",
      `a gradient of norm ${norm.toExponential(2)} per token; accepted: up to ${maxClientNorm}`,
    );
}

/** Adds the members' gradients, in their order, to a segment's accumulator. */
export function addMembers(
  members: readonly MemberGradients[],
  segment: GradientAccumulator,
  { clientClipNorm, trim }: RobustAggregation,
): void {
  if (clientClipNorm > 0) for (const member of members) clip(member, clientClipNorm);
  const given = members.filter(({ sum }) => sum.tensors !== undefined);
  const cut = Math.floor(trim * given.length);
  if (cut === 0) for (const { sum } of given) sum.addTo(segment);
  else segment.addGradients(trimmedSum(given, cut));
}

function clip({ sum, supervisedTokens }: MemberGradients, most: number): void {
  const norm = sum.norm();
  const allowed = most * supervisedTokens;
  if (norm > allowed) sum.scale(allowed / norm);
}

/**
 * For each coordinate, the mean gradient per token of the members that are left when the `cut` smallest and the `cut` largest are taken out, weighted by
 * tokens, times the tokens of all: what the sum would be if all were like those. Members with equal values go by their order.
 */
function trimmedSum(members: readonly MemberGradients[], cut: number): AdapterTensors {
  const tokens = members.map(({ supervisedTokens }) => supervisedTokens);
  const all = tokens.reduce((a, b) => a + b, 0);
  const kept = members.length - 2 * cut;
  const means = new Float64Array(members.length);
  const order = Array.from(members, (_, i) => i);
  const first = members[0].sum.tensors as AdapterTensors;
  const out = new Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>();
  for (const [name, { shape, data }] of first) {
    const sums = members.map(({ sum }) => sum.tensors!.get(name)!.data);
    const result = new Float32Array(data.length);
    for (let i = 0; i < result.length; i++) {
      for (let m = 0; m < means.length; m++) {
        means[m] = tokens[m] === 0 ? 0 : sums[m][i] / tokens[m];
        order[m] = m;
      }
      order.sort((a, b) => means[a] - means[b] || a - b);
      let sum = 0;
      let weight = 0;
      for (let k = cut; k < cut + kept; k++) {
        sum += means[order[k]] * tokens[order[k]];
        weight += tokens[order[k]];
      }
      result[i] = weight === 0 ? 0 : (all * sum) / weight;
    }
    out.set(name, { shape, data: result });
  }
  return out;
}
