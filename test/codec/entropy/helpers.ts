/** Messages and predictors for the entropy stage's tests; everything is drawn from a seed. */

import { kernelBytes } from "../../../shared/codec/entropy/kernel.ts";
import { measureMessage, Statistics } from "../../../shared/codec/entropy/learn.ts";
import { decodeMessage, encodeMessage, maxMessageBytes } from "../../../shared/codec/entropy/message.ts";
import type { Predictor } from "../../../shared/codec/entropy/predictor.ts";
import { kernels, room } from "../../../shared/codec/kernels/kernels.ts";
import type { Levels } from "../../../shared/codec/scales.ts";
import { planWidths, type WidthPlan } from "../../../shared/codec/widths.ts";
import { gaussianSource, randomSource } from "../helpers.ts";

export interface Message {
  readonly plan: WidthPlan;
  readonly tokens: number;
  readonly levels: Levels;
  readonly symbols: Uint8Array;
}

/** How a channel's symbols are drawn. */
export const SYMBOL_KINDS = ["bell", "constant", "uniform", "skewed", "ends", "shared"] as const;
export type SymbolKind = (typeof SYMBOL_KINDS)[number];

/** A message of channels of these kinds and widths. Channels of kind `shared` follow one common value of each token. */
export function messageOf(
  channels: readonly { readonly kind: SymbolKind; readonly width: number }[],
  tokens: number,
  seed: number,
): Message {
  const random = randomSource(seed);
  const gaussian = gaussianSource(seed + 1);
  const plan = planWidths(Uint8Array.from(channels, ({ width }) => width));
  const symbols = new Uint8Array(channels.length * tokens);
  const common = Float64Array.from({ length: tokens }, gaussian);
  channels.forEach(({ kind, width }, c) => {
    const top = 2 ** width - 1;
    for (let t = 0; t < tokens; t++) {
      const level = {
        bell: top * (0.5 + 0.2 * gaussian()),
        constant: 0,
        uniform: random() * (top + 1) - 0.5,
        skewed: random() < 0.98 ? 0 : random() * top,
        ends: random() < 0.5 ? 0 : top,
        shared: top * (0.5 + 0.19 * common[t]! + 0.05 * gaussian()),
      }[kind];
      symbols[plan.slots[c]! * tokens + t] = Math.min(top, Math.max(0, Math.round(level)));
    }
  });
  const levels = {
    lo: Float64Array.from(channels, () => Math.fround(-random() * 3)),
    step: Float64Array.from(channels, ({ kind }) =>
      kind === "constant" ? 0 : Math.fround(0.001 + random()),
    ),
  };
  return { plan, tokens, levels, symbols };
}

/** The predictor that a message teaches. */
export function predictorFrom({ symbols, plan, tokens, levels }: Message, version = 1): Predictor {
  const statistics = new Statistics(plan.widths.length);
  statistics.add(measureMessage(symbols, plan, tokens, levels));
  return statistics.fit(version);
}

/** Codes a message by the reference, or by kernels; a new array. */
export function encode(message: Message, predictor: Predictor | undefined, withKernels: boolean): Uint8Array {
  const { symbols, plan, tokens, levels } = message;
  const out = new Uint8Array(maxMessageBytes(plan.widths.length, tokens));
  if (!withKernels) return out.slice(0, encodeMessage(symbols, plan, tokens, levels, predictor, out, 0));
  const { work, view } = place(message, predictor !== undefined);
  view.set(symbols);
  return out.slice(0, encodeMessage(view, plan, tokens, levels, predictor, out, 0, work));
}

/** The symbols of a body; a new array. Throws what decodeMessage() throws. */
export function decode(
  body: Uint8Array,
  message: Message,
  predictor: Predictor | undefined,
  withKernels: boolean,
): Uint8Array {
  const { plan, tokens, levels, symbols } = message;
  if (!withKernels) {
    const out = new Uint8Array(symbols.length);
    decodeMessage(body, 0, plan, tokens, levels, predictor, out);
    return out;
  }
  const { work, view } = place(message, predictor !== undefined);
  decodeMessage(body, 0, plan, tokens, levels, predictor, view, work);
  return view.slice();
}

function place({ symbols, plan, tokens }: Message, predicted: boolean) {
  const work = kernels();
  if (work === undefined) throw new Error("this machine has no kernels");
  const own = symbols.length + 16;
  if (!work.begin(room(own) + kernelBytes(plan.widths.length, tokens, predicted)))
    throw new Error("no memory");
  const at = work.take(own);
  return { work, view: work.u8.subarray(at, at + symbols.length) };
}
