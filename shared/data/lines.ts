/**
 * Bytes to numbered lines of text, a chunk at a time, so that a file of any size can be read and a fault in it can
 * be named by its line.
 */
import { fail } from "../errors.ts";

/** Longest accepted line, bytes: a JSON line this long holds some three million words. */
export const MAX_LINE_BYTES = 16 << 20;

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its line feed, and without a carriage return before it. */
  readonly text: string;
}

/** Throws NB_DATA_INVALID in the form `file:line: reason`. */
export function badLine(file: string, line: number, reason: string): never {
  fail("NB_DATA_INVALID", `${file}:${line}: ${reason}`, { file, line, reason });
}

const LF = 10;

/** The chunks of a web stream (a File's, a response's); for runtimes whose streams are not iterable. */
export async function* streamChunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

/**
 * Lines of UTF-8 text. A byte order mark in front is dropped; a last line without a line feed counts, an empty one
 * after the last line feed does not.
 *
 * @throws NB_DATA_INVALID for a line that is not UTF-8, holds a NUL (the file is binary or UTF-16), or is too long.
 */
export async function* readLines(
  file: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Line> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let number = 0;
  let parts: Uint8Array[] = [];
  let pending = 0;

  const finish = (last: Uint8Array): Line => {
    number++;
    const bytes = parts.length === 0 ? last : concat([...parts, last], pending + last.length);
    parts = [];
    pending = 0;
    if (bytes.includes(0)) badLine(file, number, "contains a NUL byte; expected UTF-8 text");
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch {
      badLine(file, number, "is not valid UTF-8");
    }
    if (number === 1 && text.startsWith("\ufeff")) text = text.slice(1);
    return { number, text: text.endsWith("\r") ? text.slice(0, -1) : text };
  };

  for await (const chunk of chunks) {
    let from = 0;
    for (;;) {
      const at = chunk.indexOf(LF, from);
      const end = at < 0 ? chunk.length : at;
      if (pending + end - from > MAX_LINE_BYTES)
        badLine(file, number + 1, `is longer than ${MAX_LINE_BYTES} bytes`);
      if (at < 0) break;
      yield finish(chunk.subarray(from, at));
      from = at + 1;
    }
    if (from < chunk.length) {
      // The reader may reuse its buffer for the next chunk.
      parts.push(new Uint8Array(chunk.subarray(from)));
      pending += chunk.length - from;
    }
  }
  if (pending > 0) yield finish(new Uint8Array(0));
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
