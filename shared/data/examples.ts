/**
 * What a data file says, before it is tokens: texts to continue, prompts with their completions, or texts with labels.
 */
import { badLine, type Line } from "./lines.ts";

/** Part of a document; all of it is learned. */
export interface TextExample {
  readonly kind: "text";
  readonly text: string;
  /** Whether the document ends here; a long file comes in several parts. */
  readonly ends: boolean;
}

/** The completion is learned, the prompt only read. */
export interface CompletionExample {
  readonly kind: "completion";
  readonly prompt: string;
  readonly completion: string;
}

export type Example = TextExample | CompletionExample;

/** Characters of a plain text file after which a part is given out. */
const PART = 1 << 20;
/** A space between two letters, where byte-level tokenizers cut whatever stands before and after. */
const CUT = /\p{L} (?=\p{L})/gu;

/** The last place at which a text may be cut without a change of its tokens; 0 when there is none. */
function lastCut(text: string): number {
  let at = 0;
  // The end of the text is searched alone: a match is nearly always there.
  for (let window = 1 << 12; at === 0; window *= 8) {
    const from = Math.max(0, text.length - window);
    CUT.lastIndex = from;
    for (let found = CUT.exec(text); found !== null; found = CUT.exec(text))
      at = found.index + found[0].length - 1;
    if (from === 0) break;
  }
  return at;
}

/**
 * A plain text file: one document, line breaks kept (as LF). An empty file gives nothing.
 */
export async function* textExamples(lines: AsyncIterable<Line>): AsyncGenerator<TextExample> {
  let text = "";
  let first = true;
  for await (const line of lines) {
    text += first ? line.text : `\n${line.text}`;
    first = false;
    if (text.length < PART) continue;
    const at = lastCut(text);
    if (at === 0) continue;
    yield { kind: "text", text: text.slice(0, at), ends: false };
    text = text.slice(at);
  }
  if (text.trim() !== "") yield { kind: "text", text, ends: true };
}

type Form = "text" | "prompt, completion" | "text, label";

/** How a text with a label is put to a language model: the label is the completion. */
export function labelled(text: string, label: string): CompletionExample {
  return { kind: "completion", prompt: `${text}\nLabel:`, completion: ` ${label}` };
}

const FIELDS = ["text", "label", "prompt", "completion"] as const;
const ACCEPTED = '{"text"}, {"prompt", "completion"} or {"text", "label"}';

function parseLine(file: string, { number, text }: Line): { form: Form; example: Example } {
  const bad = (reason: string): never => badLine(file, number, reason);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return bad(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    return bad(`is not an object; accepted: ${ACCEPTED}`);
  const present = FIELDS.filter((field) => Object.hasOwn(json, field));
  const get = (field: (typeof FIELDS)[number]): string => {
    const value = (json as Record<string, unknown>)[field];
    if (typeof value === "string") return value;
    if (field === "label" && (typeof value === "number" || typeof value === "boolean")) return String(value);
    return bad(
      `"${field}" is ${value === null ? "null" : Array.isArray(value) ? "a list" : typeof value}; expected a string`,
    );
  };
  const filled = (field: (typeof FIELDS)[number]): string => {
    const value = get(field);
    return value.trim() === "" ? bad(`"${field}" is empty`) : value;
  };
  switch (present.join(", ")) {
    case "text":
      return { form: "text", example: { kind: "text", text: filled("text"), ends: true } };
    case "text, label":
      return { form: "text, label", example: labelled(filled("text"), filled("label")) };
    case "prompt, completion":
      return {
        form: "prompt, completion",
        example: { kind: "completion", prompt: get("prompt"), completion: filled("completion") },
      };
    default:
      return bad(
        `has ${present.length === 0 ? "none of the fields" : present.map((f) => `"${f}"`).join(" and ")}; accepted: ${ACCEPTED}`,
      );
  }
}

/**
 * A JSON Lines file: one object a line, all of one form; other fields are ignored, and so are blank lines.
 *
 * @throws NB_DATA_INVALID with file, line and reason.
 */
export async function* jsonlExamples(file: string, lines: AsyncIterable<Line>): AsyncGenerator<Example> {
  let first: { form: Form; number: number } | undefined;
  for await (const line of lines) {
    if (line.text.trim() === "") continue;
    const { form, example } = parseLine(file, line);
    first ??= { form, number: line.number };
    if (form !== first.form)
      badLine(
        file,
        line.number,
        `has the form {${form}}; line ${first.number} has {${first.form}}, and a file has one form`,
      );
    yield example;
  }
}
