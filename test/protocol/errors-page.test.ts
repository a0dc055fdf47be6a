/** docs/errors.md and the registry of errors say the same. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ERRORS, type ErrorKind } from "../../shared/errors.ts";
import { closeCode, errorOfClose } from "../../shared/protocol/close-codes.ts";

const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
/** Code → the lines under its heading. */
const entries = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((entry) => {
      const [code, ...rest] = entry.split(/^## /m)[0].split("\n");
      return [code, rest.join("\n")] as const;
    }),
);
const kinds = Object.entries(ERRORS) as [keyof typeof ERRORS, ErrorKind][];

describe("the page of errors", () => {
  it("has an entry for each code, and for no other", () => {
    expect([...entries.keys()].sort()).toEqual(kinds.map(([code]) => code).sort());
  });

  it.each(kinds)("says where %s shows, and explains it", (code, kind) => {
    const [facts, ...prose] = entries.get(code)!.trim().split("\n");
    const expected = [`exit ${kind.exit}`];
    if (kind.close !== undefined) expected.push(`close ${kind.close}`);
    if (kind.http !== undefined) expected.push(`http ${kind.http}`);
    expect(facts).toBe(expected.join(" · "));
    expect(prose.join(" ").trim().length).toBeGreaterThan(60);
  });
});

describe("the registry of errors", () => {
  it("has close codes that tell errors apart, within what RFC 6455 leaves to applications", () => {
    const closes = kinds.flatMap(([, { close }]) => (close === undefined ? [] : [close]));
    expect(new Set(closes).size).toBe(closes.length);
    for (const close of closes) expect(close === 1009 || (close >= 4000 && close <= 4999)).toBe(true);
    for (const [code, { close }] of kinds) if (close !== undefined) expect(errorOfClose(close)).toBe(code);
    expect(closeCode("NB_CONFIG_INVALID")).toBe(4500);
  });

  it.each(kinds)(
    "has names, summaries and remedies that are whole sentences: %s",
    (code, { summary, remedy }) => {
      expect(code).toMatch(/^NB(_[A-Z0-9]+)+$/);
      expect(summary).toMatch(/^[A-Z].*\.$/);
      expect(remedy).toMatch(/^[A-Z].*[.]$/);
    },
  );
});
