/**
 * Opens a data set by what a user writes (Node only): a path to a `.txt` or `.jsonl` file, or `npm:NAME`.
 */
import { createReadStream } from "node:fs";
import { basename, extname } from "node:path";
import { fail, NarrowbandError } from "../errors.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { type Example, jsonlExamples, textExamples } from "./examples.ts";
import { readLines } from "./lines.ts";
import { npmExamples } from "./npm-datasets-node.ts";
import { type TokenDataset, tokenizeExamples } from "./token-dataset.ts";

async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  const stream = createReadStream(path, { highWaterMark: 1 << 20 });
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NarrowbandError("NB_FILE_UNREADABLE", `cannot read ${path}: ${reason}`, { cause });
  } finally {
    stream.destroy();
  }
}

const NPM = "npm:";

/**
 * The examples of a data set, read as they are asked for.
 *
 * @param spec a path that ends in .txt, .jsonl or .ndjson, or `npm:NAME`
 * @throws NB_CONFIG_INVALID, and while reading NB_FILE_UNREADABLE, NB_DATA_INVALID, NB_DATASET_MISSING.
 */
export function openExamples(spec: string): AsyncIterable<Example> | Iterable<Example> {
  if (spec.startsWith(NPM)) return npmExamples(spec.slice(NPM.length));
  const lines = () => readLines(spec, fileChunks(spec));
  switch (extname(spec).toLowerCase()) {
    case ".txt":
      return textExamples(lines());
    case ".jsonl":
    case ".ndjson":
      return jsonlExamples(spec, lines());
    default:
      fail(
        "NB_CONFIG_INVALID",
        `data: ${JSON.stringify(spec)} given; accepted: a file .txt or .jsonl, or npm:NAME`,
      );
  }
}

/** Reads and tokenizes a data set; see {@link openExamples} and {@link tokenizeExamples}. */
export function loadDataset(
  spec: string,
  tokenizer: Tokenizer,
  options: { completionOnly?: boolean } = {},
): Promise<TokenDataset> {
  const name = spec.startsWith(NPM) ? spec : basename(spec);
  return tokenizeExamples(name, openExamples(spec), tokenizer, options);
}
