/**
 * The frame of every page that is written here: self-contained, nothing fetched, no script run, and the numbers behind it inside as JSON.
 */
import { STYLE } from "./style.ts";

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => ESCAPES[c]);
}

export interface Page {
  /** Plain text. */
  readonly title: string;
  /** CSS beside the common one. */
  readonly style?: string;
  /** HTML of the page below its title. */
  readonly body: string;
  /** Id of the element that holds `data` as JSON. */
  readonly id: string;
  readonly data: unknown;
}

export function htmlPage({ title, style = "", body, id, data }: Page): string {
  // Inside a script element only "<" could end it.
  const json = JSON.stringify(data).replace(/</g, "\\u003c");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escapeHtml(title)}</title>
<style>${STYLE}${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
<script type="application/json" id="${id}">${json}</script>
</body>
</html>
`;
}
