/**
 * The bit budget: how the mean width falls over a run, and how real-valued widths become integers that meet
 * it.
 *
 * Integers that sum to a given number of bits are found by exchange, starting from the widths in use: bits
 * are taken from, or given to, the channels that stand farthest from what their gates want, one bit at a
 * time, until the sum is right; then single bits are exchanged between two channels as long as that brings
 * both together nearer to their gates by more than the hysteresis. Without hysteresis this minimises Σ (n_c −
 * b_c)² for the given sum. Every step keeps the sum, so the budget holds whatever the gates do; ties go to
 * the lower channel, so both are deterministic.
 */

import type { AmaqSpec } from "./amaq-spec.ts";

/**
 * Mean bits per element allowed at `step`: startBits falling to targetBits over annealSteps, then constant.
 * `step` falls by one bit at a time (the last time by what is left), each width held equally long.
 */
export function budgetAt(
  spec: Pick<AmaqSpec, "startBits" | "targetBits" | "annealSteps" | "anneal">,
  step: number,
): number {
  if (step >= spec.annealSteps) return spec.targetBits;
  const done = step / spec.annealSteps;
  const change = spec.targetBits - spec.startBits;
  if (spec.anneal === "step") {
    const plateaus = Math.ceil(Math.abs(change));
    return spec.startBits + Math.sign(change) * Math.floor(done * plateaus);
  }
  const share = spec.anneal === "linear" ? done : (1 - Math.cos(Math.PI * done)) / 2;
  return spec.startBits + change * share;
}

export interface AllocationLimits {
  readonly minBits: number;
  readonly maxBits: number;
  /** Bits by which an exchange must be worth more than nothing. */
  readonly hysteresis: number;
  /** 1 for channels that have maxBits [channels]; left out for none. */
  readonly kept?: Uint8Array | undefined;
}

function leastOf({ minBits, maxBits, kept }: AllocationLimits, channel: number): number {
  return kept?.[channel] === 1 ? maxBits : minBits;
}

/**
 * Integer widths near `wanted` whose sum is `total`, reached from `current`; a new array. `total` lies within
 * minBits and maxBits times the number of channels, and leaves room for what is kept at maxBits.
 */
export function allocateWidths(
  wanted: Float64Array,
  current: Uint8Array,
  total: number,
  limits: AllocationLimits,
): Uint8Array {
  const widths = current.map((width, c) => Math.max(width, leastOf(limits, c)));
  moveToTotal(widths, wanted, total, limits);
  exchange(widths, wanted, limits);
  return widths;
}

/**
 * Gives or takes single bits until the widths sum to `total`. The k-th bit taken from channel c costs as much
 * as the channel then stands too low, so all conceivable moves can be listed and the cheapest taken: a
 * channel's own moves are listed in rising cost and are never taken out of order.
 */
function moveToTotal(
  widths: Uint8Array,
  wanted: Float64Array,
  total: number,
  limits: AllocationLimits,
): void {
  let sum = 0;
  for (const width of widths) sum += width;
  const missing = Math.abs(total - sum);
  if (missing === 0) return;
  const direction = total > sum ? 1 : -1;
  const moves: { channel: number; cost: number }[] = [];
  for (let c = 0; c < widths.length; c++) {
    const room = direction > 0 ? limits.maxBits - widths[c]! : widths[c]! - leastOf(limits, c);
    const excess = (widths[c]! - wanted[c]!) * direction;
    for (let k = 0; k < Math.min(room, missing); k++) moves.push({ channel: c, cost: excess + k });
  }
  moves.sort((a, b) => a.cost - b.cost || a.channel - b.channel);
  for (const move of moves.slice(0, missing)) widths[move.channel] = widths[move.channel]! + direction;
}

/** Exchanges single bits between channels. Each pass pairs the channel most in want with the one most in excess. */
function exchange(widths: Uint8Array, wanted: Float64Array, limits: AllocationLimits): void {
  const want = (c: number) => wanted[c]! - widths[c]!;
  const channels = Array.from(widths.keys());
  for (let pass = limits.minBits; pass < limits.maxBits; pass++) {
    const takers = channels.filter((c) => widths[c]! < limits.maxBits);
    const givers = channels.filter((c) => widths[c]! > leastOf(limits, c));
    takers.sort((a, b) => want(b) - want(a) || a - b);
    givers.sort((a, b) => want(a) - want(b) || a - b);
    let pairs = 0;
    const most = Math.min(takers.length, givers.length);
    while (pairs < most && want(takers[pairs]!) - want(givers[pairs]!) > 1 + limits.hysteresis) pairs++;
    for (let k = 0; k < pairs; k++) {
      widths[takers[k]!] = widths[takers[k]!]! + 1;
      widths[givers[k]!] = widths[givers[k]!]! - 1;
    }
    if (pairs === 0) return;
  }
}
