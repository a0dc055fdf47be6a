/**
 * The last stage of a quantizer: how the symbols of a message become the bytes of its payload, and back.
 *
 * A quantizer has three stages. (1) ranges.ts chooses what each channel's levels span. (2) quantizer.ts turns each
 * value into a symbol, the number of its level, one byte each, in *slot order*: symbol t of the channel in slot s (see
 * WidthPlan) is symbols[s·tokens + t], so that channels of one width lie together and each channel's symbols are
 * consecutive. (3) A {@link SymbolCoder} writes them. `packedSymbols` writes n bits each; an entropy coder takes its place.
 */

import { fail } from "../errors.ts";
import { packBits, packedBytes, paddingIsZero, unpackBits } from "./bitpack.ts";
import { type Kernels, room } from "./kernels/kernels.ts";
import { SLACK } from "./kernels/tensor.ts";
import type { Levels } from "./scales.ts";
import { payloadBytes, type WidthPlan } from "./widths.ts";

export interface SymbolCoder {
  /** The most bytes that write() can give for such a message. */
  maxBytes(plan: WidthPlan, tokens: number): number;
  /**
   * Bytes of kernel memory (sum of room()) that one write() or read() takes, whichever takes more. 0 when it takes none.
   */
  workBytes(plan: WidthPlan, tokens: number): number;
  /**
   * Writes a message's symbols into `out`, from its start, and returns how many bytes that took. `out` has maxBytes().
   * `levels`: what the symbols stand for, as the receiver has it. tokens >= 1.
   * With `work`, symbols is a view of its linear memory, at symbols.byteOffset, and work.take() may be called for
   * workBytes() more. Without, everything is plain arrays. Both must give the same bytes. May overwrite symbols.
   */
  write(
    symbols: Uint8Array,
    plan: WidthPlan,
    tokens: number,
    out: Uint8Array,
    levels: Levels,
    work: Kernels | undefined,
  ): number;
  /**
   * Undoes write(): fills symbols [channels·tokens]. Throws NB_CODEC_BODY_INVALID when the payload is not, to the last
   * byte, what write() can have given, and when a symbol is not below 2^width. The content of symbols is then unspecified.
   * tokens >= 1.
   */
  read(
    payload: Uint8Array,
    plan: WidthPlan,
    tokens: number,
    symbols: Uint8Array,
    levels: Levels,
    work: Kernels | undefined,
  ): void;
}

/** Symbols of n bits as n bits: bitpack.ts, each group of one width by itself. */
export const packedSymbols: SymbolCoder = {
  maxBytes: payloadBytes,

  workBytes: (plan, tokens) => room(payloadBytes(plan, tokens) + SLACK),

  write(symbols, plan, tokens, out, _levels, work) {
    let at = 0;
    if (work !== undefined) {
      const bytes = payloadBytes(plan, tokens);
      const packed = work.take(bytes + SLACK);
      for (const { start, channels, width } of plan.groups) {
        work.run.pack(symbols.byteOffset + start * tokens, channels * tokens, width, packed + at);
        at += packedBytes(channels * tokens, width);
      }
      out.set(work.u8.subarray(packed, packed + bytes));
      return at;
    }
    for (const group of plan.groups) {
      at = packBits(symbols, group.start * tokens, group.channels * tokens, group.width, out, at);
    }
    return at;
  },

  read(payload, plan, tokens, symbols, _levels, work) {
    const expected = payloadBytes(plan, tokens);
    if (payload.length !== expected) {
      fail(
        "NB_CODEC_BODY_INVALID",
        `payload of ${payload.length} bytes; ${tokens} tokens of ${plan.widths.length} channels take ${expected}`,
      );
    }
    let at = 0;
    for (const { channels: members, width } of plan.groups) {
      if (!paddingIsZero(payload, at, members * tokens, width)) {
        fail("NB_CODEC_BODY_INVALID", `the bits after the last ${width}-bit element are not zero`);
      }
      at += packedBytes(members * tokens, width);
    }
    at = 0;
    if (work !== undefined) {
      const packed = work.take(expected + SLACK);
      work.u8.set(payload, packed);
      for (const { start, channels, width } of plan.groups) {
        work.run.unpack(packed + at, channels * tokens, width, symbols.byteOffset + start * tokens);
        at += packedBytes(channels * tokens, width);
      }
      return;
    }
    for (const group of plan.groups) {
      at = unpackBits(payload, at, group.channels * tokens, group.width, symbols, group.start * tokens);
    }
  },
};
