/** A table in Markdown. */

const escapeBars = (text: string) => text.replaceAll("|", "\\|");

/** @param left columns of text; the others are numbers and stand at the right */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left: ReadonlySet<number>,
): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeBars).join(" | ")} |`;
  return [
    line(head),
    `|${head.map((_, i) => (left.has(i) ? "---" : "--:")).join("|")}|`,
    ...rows.map(line),
  ].join("\n");
}
