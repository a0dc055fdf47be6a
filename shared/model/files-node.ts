/**
 * Model directories on disk (Node only): positioned reads of weight files, and writing that leaves either the old file or
 * the whole new one.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fail, NarrowbandError } from "../errors.ts";
import { makeDirectory, writeFileAtomically, writeText } from "../output-node.ts";
import type { ByteSource, ModelFiles } from "./byte-source.ts";
import { type ModelConfig, type TorchDtype, toHfConfig } from "./config.ts";
import { bytesFromFloats, elementCount, type FloatDtype } from "./dtype.ts";
import { ggufFiles } from "./gguf-directory.ts";
import { type HfModel, openModel } from "./hf-directory.ts";
import { mergedTensors } from "./merge.ts";
import { type Adapter, adapterFiles, readAdapter } from "./peft.ts";
import { type NamedTensor, safetensorsHead, type WriteOptions } from "./safetensors.ts";
import type { LazyTensor } from "./tensor-source.ts";

function unreadable(path: string, cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new NarrowbandError("NB_FILE_UNREADABLE", `cannot read ${path}: ${reason}`, { cause });
}

class FileBytes implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #file: FileHandle;

  constructor(name: string, size: number, file: FileHandle) {
    this.name = name;
    this.size = size;
    this.#file = file;
  }

  async read(begin: number, end: number): Promise<Uint8Array> {
    if (end > this.size) fail("NB_FILE_UNREADABLE", `${this.name}: ends before byte ${end}`);
    const out = new Uint8Array(end - begin);
    for (let at = 0; at < out.length; ) {
      const { bytesRead } = await this.#file.read(out, at, out.length - at, begin + at);
      if (bytesRead === 0) fail("NB_FILE_UNREADABLE", `${this.name}: became shorter while it was read`);
      at += bytesRead;
    }
    return out;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Opens a file for reading in parts; undefined when there is none. */
export async function openFile(path: string): Promise<ByteSource | undefined> {
  try {
    // Without O_NONBLOCK, opening a pipe waits for somebody to write into it. Windows has neither.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await file.stat();
    if (!stats.isFile()) {
      await file.close();
      fail("NB_FILE_UNREADABLE", `cannot read ${path}: it is no file`);
    }
    return new FileBytes(path, stats.size, file);
  } catch (cause) {
    if (cause instanceof NarrowbandError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    unreadable(path, cause);
  }
}

/** The files of a directory on disk, by plain name. */
export function directoryFiles(directory: string): ModelFiles {
  return {
    name: directory,
    open(file) {
      if (basename(file) !== file) fail("NB_INTERNAL", `${JSON.stringify(file)} is not a plain file name`);
      return openFile(join(directory, file));
    },
  };
}

/** The files of a model on disk: of a directory, or of a GGUF file with the tokenizer.json that may lie beside it. */
export function modelFiles(path: string): ModelFiles {
  if (!/\.gguf$/i.test(path)) return directoryFiles(path);
  return ggufFiles(path, () => openFile(path), directoryFiles(dirname(path)));
}

/** Opens a model on disk, a directory or a GGUF file; see {@link openModel}. */
export function openModelDirectory(path: string): Promise<HfModel> {
  return openModel(modelFiles(path));
}

/** Writes a JSON file, atomically, ended by a line feed. */
export function writeJson(path: string, json: unknown): Promise<void> {
  return writeText(path, `${JSON.stringify(json, null, 2)}\n`);
}

/** Writes a safetensors file, holding one tensor in memory at a time. The order of the map is the order in the file. */
export function writeSafetensorsFile(
  path: string,
  tensors: ReadonlyMap<string, LazyTensor>,
  options: WriteOptions = {},
): Promise<void> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield safetensorsHead(tensors, options);
    for (const [name, tensor] of tensors) {
      const data = await tensor.load();
      if (data.length !== elementCount(tensor.shape))
        fail(
          "NB_INTERNAL",
          `tensor ${JSON.stringify(name)} has ${data.length} values for shape [${tensor.shape.join(", ")}]`,
        );
      yield bytesFromFloats(data, options.dtype ?? "F32");
    }
  }
  return writeFileAtomically(path, chunks());
}

/** Names of element types in config.json. */
export const TORCH_DTYPES: Readonly<Record<FloatDtype, TorchDtype>> = {
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
};

/** Writes `config.json` and `model.safetensors` into a directory, which is made when missing. */
export async function writeModelDirectory(
  directory: string,
  config: ModelConfig,
  tensors: ReadonlyMap<string, NamedTensor>,
  dtype: FloatDtype = "F32",
): Promise<void> {
  makeDirectory(directory);
  const lazy = new Map<string, LazyTensor>();
  for (const name of [...tensors.keys()].sort()) {
    const { shape, data } = tensors.get(name)!;
    lazy.set(name, { shape, load: async () => data });
  }
  await writeSafetensorsFile(join(directory, "model.safetensors"), lazy, { dtype });
  await writeJson(join(directory, "config.json"), toHfConfig(config, TORCH_DTYPES[dtype]));
}

/** Writes an adapter's three files into a directory, which is made when missing; see {@link adapterFiles}. */
export async function writeAdapterDirectory(
  directory: string,
  config: ModelConfig,
  adapter: Adapter,
): Promise<void> {
  makeDirectory(directory);
  for (const [file, bytes] of adapterFiles(config, adapter))
    await writeFileAtomically(join(directory, file), [bytes]);
}

/** Reads an adapter directory; see {@link readAdapter}. */
export function readAdapterDirectory(directory: string): Promise<Adapter> {
  return readAdapter(directoryFiles(directory));
}

/** Files that go with a model unchanged. */
const CARRIED = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "generation_config.json",
  "vocab.json",
  "merges.txt",
];

/**
 * Writes the model that a base model and its adapter make together, as a plain directory without adapter: each
 * adapted weight becomes W + (alpha / r) · B·A, everything else stays as it was.
 *
 * @throws NB_ADAPTER_INVALID when the adapter is not of this model.
 */
export async function writeMergedModel(
  directory: string,
  files: ModelFiles,
  adapter: Adapter,
  options: { dtype?: FloatDtype } = {},
): Promise<void> {
  const model = await openModel(files);
  try {
    const { dtype = "F32" } = options;
    const tensors = await mergedTensors(model.tensors, model.config, adapter);
    makeDirectory(directory);
    await writeSafetensorsFile(join(directory, "model.safetensors"), tensors, { dtype });
    const json = {
      ...(model.configJson as object),
      dtype: TORCH_DTYPES[dtype],
      torch_dtype: TORCH_DTYPES[dtype],
    };
    await writeJson(join(directory, "config.json"), json);
    for (const name of CARRIED) {
      const file = await files.open(name);
      if (file === undefined) continue;
      await writeFileAtomically(join(directory, name), [await file.read(0, file.size)]);
      await file.close();
    }
  } finally {
    await model.close();
  }
}
