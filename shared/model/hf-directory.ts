/**
 * A model directory as Hugging Face lays it out: `config.json`, `model.safetensors` or shards behind
 * `model.safetensors.index.json`, `tokenizer.json`, `tokenizer_config.json`. The same code reads it from disk
 * (files-node.ts), over HTTP in a browser, and from memory.
 */
import { z } from "zod";
import { type ErrorCode, fail, NarrowbandError } from "../errors.ts";
import type { ModelFiles } from "./byte-source.ts";
import { type ModelConfig, parseHfConfig } from "./config.ts";
import { GGUF_WEIGHTS, GgufTensors } from "./gguf-directory.ts";
import { SafetensorsFile, ShardedTensors, type TensorSource } from "./tensor-source.ts";
import { loadTokenizer, type Tokenizer } from "./tokenizer.ts";

/** Largest accepted config.json, bytes; real ones are a few kilobytes. */
const MAX_CONFIG_BYTES = 1 << 20;
/** Largest accepted tokenizer.json or index, bytes; a vocabulary of 256,000 takes about 35 MB. */
const MAX_JSON_BYTES = 128 << 20;
/** Most shards of one model. */
const MAX_SHARDS = 1000;

const CONFIG = "config.json";
const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const TOKENIZER = "tokenizer.json";
const TOKENIZER_CONFIG = "tokenizer_config.json";

export interface HfModel {
  readonly config: ModelConfig;
  /** config.json as it stands, for writing a changed model back. */
  readonly configJson: unknown;
  readonly tensors: TensorSource;
  /** Reads the tokenizer, which a side that sees no text does not need; the same one every time. */
  tokenizer(): Promise<Tokenizer>;
  close(): Promise<void>;
}

async function readText(files: ModelFiles, file: string, limit: number): Promise<string | undefined> {
  const bytes = await files.open(file);
  if (bytes === undefined) return undefined;
  try {
    if (bytes.size > limit)
      fail("NB_MODEL_INVALID", `${bytes.name} has ${bytes.size} bytes; accepted: up to ${limit}`);
    return new TextDecoder().decode(await bytes.read(0, bytes.size));
  } finally {
    await bytes.close();
  }
}

/** A JSON file, parsed; undefined when there is none. */
async function readJson(
  files: ModelFiles,
  file: string,
  limit: number,
  code: ErrorCode = "NB_MODEL_INVALID",
): Promise<unknown> {
  const text = await readText(files, file, limit);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NarrowbandError(code, `${files.name}/${file} is not JSON: ${reason}`, { cause });
  }
}

const indexSchema = z.looseObject({ weight_map: z.looseObject({}) });
/** A plain file name: no separator, no leading dot, so that an index cannot point outside its directory. */
const SHARD = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,250}\.safetensors$/;

function shardMap(name: string, json: unknown): Map<string, string> {
  const parsed = indexSchema.safeParse(json);
  if (!parsed.success) fail("NB_MODEL_INVALID", `${name}: ${parsed.error.issues[0].message}`);
  const fileOf = new Map<string, string>();
  const shards = new Set<unknown>();
  for (const [tensor, file] of Object.entries((json as { weight_map: object }).weight_map)) {
    if (typeof file !== "string" || !SHARD.test(file))
      fail(
        "NB_MODEL_INVALID",
        `${name}: the file of ${JSON.stringify(tensor)} is ${JSON.stringify(file)}; accepted: a plain name that ends in .safetensors`,
      );
    fileOf.set(tensor, file);
    shards.add(file);
  }
  if (shards.size > MAX_SHARDS)
    fail("NB_MODEL_INVALID", `${name}: ${shards.size} shards; accepted: up to ${MAX_SHARDS}`);
  return fileOf;
}

async function openWeights(files: ModelFiles): Promise<TensorSource> {
  const openShard = async (file: string) => {
    const bytes = await files.open(file);
    if (bytes === undefined)
      fail("NB_FILE_UNREADABLE", `${files.name}: there is no ${file}, which ${INDEX} names`);
    return SafetensorsFile.open(bytes);
  };
  const single = await files.open(SINGLE);
  if (single !== undefined) return SafetensorsFile.open(single);
  const gguf = await files.open(GGUF_WEIGHTS);
  if (gguf !== undefined) return GgufTensors.open(gguf);
  const index = await readJson(files, INDEX, MAX_JSON_BYTES);
  if (index === undefined)
    fail("NB_FILE_UNREADABLE", `${files.name}: there is neither ${SINGLE} nor ${INDEX}`);
  const name = `${files.name}/${INDEX}`;
  return new ShardedTensors(name, shardMap(name, index), openShard);
}

/**
 * Reads a directory's config, without its weights.
 *
 * @throws NB_FILE_UNREADABLE, NB_MODEL_INVALID, NB_MODEL_UNSUPPORTED
 */
export async function readConfig(files: ModelFiles): Promise<{ config: ModelConfig; configJson: unknown }> {
  const configJson = await readJson(files, CONFIG, MAX_CONFIG_BYTES);
  if (configJson === undefined) fail("NB_FILE_UNREADABLE", `${files.name}: there is no ${CONFIG}`);
  return { config: parseHfConfig(configJson), configJson };
}

/**
 * Reads a directory's tokenizer.
 *
 * @throws NB_FILE_UNREADABLE, NB_TOKENIZER_INVALID
 */
export async function readTokenizer(files: ModelFiles): Promise<Tokenizer> {
  const json = await readJson(files, TOKENIZER, MAX_JSON_BYTES, "NB_TOKENIZER_INVALID");
  if (json === undefined) fail("NB_FILE_UNREADABLE", `${files.name}: there is no ${TOKENIZER}`);
  return loadTokenizer(
    json,
    await readJson(files, TOKENIZER_CONFIG, MAX_CONFIG_BYTES, "NB_TOKENIZER_INVALID"),
  );
}

/**
 * Opens a model directory. The weights' headers are read, their data only when a tensor is asked for.
 *
 * @throws NB_FILE_UNREADABLE, NB_MODEL_INVALID, NB_MODEL_UNSUPPORTED, NB_SAFETENSORS_*
 */
export async function openModel(files: ModelFiles): Promise<HfModel> {
  const { config, configJson } = await readConfig(files);
  const tensors = await openWeights(files);
  let tokenizer: Promise<Tokenizer> | undefined;
  return {
    config,
    configJson,
    tensors,
    tokenizer: () => {
      tokenizer ??= readTokenizer(files);
      return tokenizer;
    },
    close: () => tensors.close(),
  };
}
