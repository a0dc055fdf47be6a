/** Symbols come back as they were, by the reference and by the kernels, which write the same bytes. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hex, PROPERTY_SEED } from "../helpers.ts";
import { decode, encode, messageOf, predictorFrom, SYMBOL_KINDS } from "./helpers.ts";

const channel = fc.record({ kind: fc.constantFrom(...SYMBOL_KINDS), width: fc.integer({ min: 1, max: 8 }) });
const messages = fc.record({
  channels: fc.array(channel, { minLength: 1, maxLength: 24 }),
  tokens: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(127, 256)),
  seed: fc.integer({ min: 0, max: 0x7fffffff }),
});

describe("a coded message", () => {
  it.each(["alone", "with a predictor of its own", "with the predictor of another"])(
    "decodes to its symbols, %s",
    (how) => {
      fc.assert(
        fc.property(messages, ({ channels, tokens, seed }) => {
          const message = messageOf(channels, tokens, seed);
          const other = how.endsWith("another") ? messageOf(channels, tokens, seed + 9) : message;
          const predictor = how === "alone" ? undefined : predictorFrom(other);
          const body = encode(message, predictor, false);
          expect(hex(encode(message, predictor, true))).toBe(hex(body));
          for (const withKernels of [false, true]) {
            expect(decode(body, message, predictor, withKernels)).toEqual(message.symbols);
          }
        }),
        { seed: PROPERTY_SEED, numRuns: 50 },
      );
    },
  );

  it("may be long, so that channels' intervals are looked up", () => {
    const channels = Array.from({ length: 48 }, (_, c) => ({
      kind: SYMBOL_KINDS[c % 6]!,
      width: 1 + ((c >> 1) % 8),
    }));
    for (const tokens of [1025, 2050, 2051]) {
      const message = messageOf(channels, tokens, tokens);
      const body = encode(message, undefined, false);
      expect(hex(encode(message, undefined, true))).toBe(hex(body));
      expect(decode(body, message, undefined, true)).toEqual(message.symbols);
    }
  });

  it("may have more channels than a block, and none of a block of channels before it", () => {
    const channels = Array.from({ length: 300 }, (_, c) => ({
      kind: SYMBOL_KINDS[c % 6]!,
      width: 2 + (c % 3),
    }));
    const message = messageOf(channels, 33, 5);
    const predictor = predictorFrom(message);
    const body = encode(message, predictor, false);
    expect(hex(encode(message, predictor, true))).toBe(hex(body));
    expect(decode(body, message, predictor, true)).toEqual(message.symbols);
    expect(decode(body, message, predictor, false)).toEqual(message.symbols);
  });

  it("costs next to nothing where nothing varies", () => {
    const message = messageOf([{ kind: "constant", width: 8 }], 1000, 3);
    expect(encode(message, undefined, false).length).toBeLessThan(40);
  });
});
