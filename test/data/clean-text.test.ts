import { describe, expect, it } from "vitest";
import { paragraphs, pieces, plainTypography, unwrap } from "../../shared/data/clean-text.ts";

describe("plain text", () => {
  it("has straight quotes, tight dashes, plain spaces and line feeds", () => {
    expect(
      plainTypography("\u201cIt\u2019s\u201d \u2014 he said \u2013 so\u2026\r\nnon\u2011stop\u00a0x\u200b"),
    ).toBe('"It\'s"--he said - so...\nnon-stop x');
    expect(plainTypography("`so' &quot;x&quot; a&amp;b\u001a")).toBe("'so' \"x\" a&b");
    expect(plainTypography("one -- two --- three")).toBe("one--two--three");
  });

  it("is parted at blank lines and unwrapped", () => {
    expect(paragraphs("\n\na\nb\n \n\n c\n").map(unwrap)).toEqual(["a b", "c"]);
  });

  it("is cut into pieces between paragraphs", () => {
    expect(pieces(["aaa", "bbb", "c", "d"], 4)).toEqual(["aaa\n\nbbb", "c\n\nd"]);
    expect(pieces([], 4)).toEqual([]);
  });
});
