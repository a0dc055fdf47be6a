/**
 * Config files (Node only): YAML or JSON, of which JSON is a part, holding one flat mapping.
 */
import { readFile, stat } from "node:fs/promises";
import { fail, NarrowbandError } from "../errors.ts";
import type { ConfigFile } from "./settings.ts";

/** Largest accepted config file, bytes; real ones have a few hundred. */
const MAX_BYTES = 1 << 20;

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * Reads a config file.
 *
 * @throws NB_FILE_UNREADABLE, NB_CONFIG_INVALID when it is not a mapping in YAML or JSON.
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES)
      fail("NB_CONFIG_INVALID", `${path}: ${size} bytes; accepted: up to ${MAX_BYTES} bytes`);
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof NarrowbandError) throw cause;
    throw new NarrowbandError("NB_FILE_UNREADABLE", `cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
  return parseConfig(path, text);
}

/** Parses a config file's text; see {@link readConfigFile}. */
export async function parseConfig(name: string, text: string): Promise<ConfigFile> {
  const { parse } = await import("yaml");
  let values: unknown;
  try {
    values = parse(text, { prettyErrors: true, strict: true, uniqueKeys: true });
  } catch (cause) {
    throw new NarrowbandError("NB_CONFIG_INVALID", `${name}: ${reasonOf(cause)}`, { cause });
  }
  // An empty file, or one of comments only.
  values ??= {};
  if (typeof values !== "object" || Array.isArray(values)) {
    const what = Array.isArray(values) ? "a list" : JSON.stringify(values);
    fail("NB_CONFIG_INVALID", `${name}: holds ${what}; accepted: settings as "name: value"`);
  }
  return { name, values: values as Record<string, unknown> };
}

/** A config file's text. */
export async function configText(values: Readonly<Record<string, unknown>>): Promise<string> {
  const { stringify } = await import("yaml");
  return stringify(values);
}
