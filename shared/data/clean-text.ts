/**
 * Brings texts of different origin into one plain form: the quotes and dashes of typewriters, prose without hard line
 * breaks, one blank line between paragraphs. A vocabulary of 4,096 has no room for two spellings of one mark.
 */

/**
 * Curly quotes and grave accents to straight quotes, dashes to `--`, odd spaces to a space, CRLF to LF; HTML's names of
 * marks to the marks; no control characters. For prose: program text would lose its backticks.
 */
export function plainTypography(text: string): string {
  return (
    text
      .replaceAll(/\r\n?/g, "\n")
      .replaceAll("&quot;", '"')
      .replaceAll("&amp;", "&")
      .replaceAll(/[\u2018\u2019\u201a\u2032`]/g, "'")
      .replaceAll(/[\u201c\u201d\u201e\u2033]/g, '"')
      .replaceAll(/[\u2010\u2011]/g, "-")
      .replaceAll("\u2013", "-")
      .replaceAll(/ ?(?:\u2014|--+) ?/g, "--")
      .replaceAll("\u2026", "...")
      .replaceAll(/[\u00a0\u2000-\u200a\u202f]/g, " ")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
      .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f\u200b\ufeff\u00ad]/g, "")
  );
}

/** Paragraphs of a text whose paragraphs are parted by blank lines; none is empty. */
export function paragraphs(text: string): string[] {
  return text
    .split(/\n[ \t]*\n/)
    .map((p) => p.replace(/^\n+/, "").trimEnd())
    .filter((p) => p.trim() !== "");
}

/** One paragraph of prose on one line: line breaks and runs of spaces become a space. */
export function unwrap(paragraph: string): string {
  return paragraph.replaceAll(/\s+/g, " ").trim();
}

/**
 * Joins paragraphs, a blank line between, into pieces of at least `size` characters; only the last may be shorter. A
 * book cut so can be shuffled among other texts.
 */
export function pieces(parts: readonly string[], size: number): string[] {
  const out: string[] = [];
  let piece: string[] = [];
  let length = 0;
  for (const part of parts) {
    piece.push(part);
    length += part.length;
    if (length < size) continue;
    out.push(piece.join("\n\n"));
    piece = [];
    length = 0;
  }
  if (piece.length > 0) out.push(piece.join("\n\n"));
  return out;
}
