/** What docs/wire.md shows and counts is what the code does. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DEFAULT_BACKOFF } from "../../client/backoff.ts";
import { CODEC_WIRE_IDS } from "../../shared/codec/registry.ts";
import { ERRORS } from "../../shared/errors.ts";
import { isPassing } from "../../shared/protocol/close-codes.ts";
import { encodeFrame, frameSizes } from "../../shared/protocol/frame.ts";
import { HELLO_DEADLINE_MS, MAX_HELLO_BYTES, PROTOCOL_VERSION } from "../../shared/protocol/limits.ts";
import { FRAMES } from "./frames.ts";

const page = readFileSync(new URL("../../docs/wire.md", import.meta.url), "utf8");

describe("the page of the wire", () => {
  it("shows the bytes of a frame as they are", () => {
    expect(page).toContain(`\n${Buffer.from(encodeFrame(FRAMES.a1)).toString("hex")}\n`);
    const { header, bitTable, scales, payload } = frameSizes(
      FRAMES.a1.message,
      encodeFrame(FRAMES.a1).length,
    );
    expect([header, bitTable, scales, payload]).toEqual([8 + 29, 2, 4, 6]);
    expect(page).toContain("0x1d = 29 bytes");
    expect(page).toContain(`this and ${Object.keys(FRAMES).length - 1} other frames`);
  });

  it("names only errors that there are, and those after which a client comes back", () => {
    for (const [code] of page.matchAll(/NB_[A-Z_]+/g)) expect(Object.keys(ERRORS)).toContain(code);
    const passing = Object.keys(ERRORS).filter(isPassing);
    const section = page.split("A client connects again")[1].split("any other code is final")[0];
    expect([...section.matchAll(/NB_[A-Z_]+/g)].map(([code]) => code).sort()).toEqual(passing.sort());
  });

  it("has the limits and numbers of the code", () => {
    expect(page).toContain(
      `at most ${MAX_HELLO_BYTES.toLocaleString("en")} bytes and come within ${HELLO_DEADLINE_MS / 1000} seconds`,
    );
    const { baseMs, capMs, attempts } = DEFAULT_BACKOFF;
    expect(page).toContain(`min(${capMs / 1000} s, ${baseMs / 1000} s · 2ⁿ)`);
    expect(page).toContain(`gives up after ${attempts}`);
    expect(page).toContain(`a \`protocol\` other than ${PROTOCOL_VERSION}`);
    for (const [name, id] of Object.entries(CODEC_WIRE_IDS))
      expect(page).toContain(`| ${id} | \`${name}\` |`);
  });

  it("says what a tensor message costs", () => {
    // A message of the size that training sends: step in the thousands, 1,024 tokens of 576 channels.
    const message = {
      ...FRAMES.a1.message,
      ...{ step: 3_000, phase: "A2", lengths: [], tokens: 1_024, channels: 576, bitTable: undefined },
      ...{ bitTableVersion: 40, scales: new Uint8Array(2_305) },
    } as typeof FRAMES.a1.message;
    const { header } = frameSizes(message, encodeFrame({ ...FRAMES.a1, message }).length);
    expect(Math.abs(header - 35)).toBeLessThanOrEqual(3);
  });
});
