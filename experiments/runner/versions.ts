/**
 * What a row's result hangs on besides chance: the cell's settings, the model and data that it reads, and the code that ran. Both are
 * written into every row as short hashes, and rows of other hashes are never taken for this run's.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { packageVersion } from "../../shared/data/packages-node.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { canonicalJson } from "../../shared/job/fingerprint.ts";
import { taskNamed } from "../tasks/registry.ts";
import { type Cell, placeless } from "./experiment.ts";

/** Hexadecimal digits of a hash: 64 bits tell apart all runs that anybody makes. */
const DIGITS = 16;

/** What a cell reads. */
export interface CellInputs {
  /** Of the model's weights, settings and tokenizer. */
  readonly model: string;
  /** Package and version of the task's text. */
  readonly data: string;
  /** Package and version of what computes. */
  readonly engine: string;
}

export function digestOf(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex").slice(0, DIGITS);
}

function hashFiles(root: string, files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) {
    hash.update(`${relative(root, file).replaceAll("\\", "/")}\0`);
    hash.update(readFileSync(file));
    hash.update("\0");
  }
  return hash.digest("hex").slice(0, DIGITS);
}

/** What lies beside a GGUF file and is read with it: these are preferred to the tokenizer within. */
const BESIDE_GGUF = ["tokenizer.json", "tokenizer_config.json"];

/** The files that a run reads of a model: of a directory, or a GGUF file and the tokenizer that may lie beside it. */
function modelFilesOf(path: string): { readonly root: string; readonly files: readonly string[] } {
  if (!/\.gguf$/i.test(path)) {
    const files = readdirSync(path).filter((file) => /\.(safetensors|json|gguf)$/.test(file));
    return { root: path, files: files.toSorted().map((file) => join(path, file)) };
  }
  const root = dirname(path);
  const tokenizer = existsSync(join(root, BESIDE_GGUF[0])) ? BESIDE_GGUF : [];
  const beside = tokenizer.map((file) => join(root, file)).filter((file) => existsSync(file));
  return { root, files: [path, ...beside] };
}

/** Hash of the files that a run reads of a model, a directory or a GGUF file. NB_FILE_UNREADABLE when they cannot be read. */
export function modelDigest(path: string): string {
  try {
    const { root, files } = modelFilesOf(path);
    return hashFiles(root, files);
  } catch (cause) {
    throw new NarrowbandError(
      "NB_FILE_UNREADABLE",
      `model: ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

const ENGINE_PACKAGES = {
  onnxruntime: "onnxruntime-node",
  "tfjs-cpu": "@tensorflow/tfjs-backend-cpu",
  "tfjs-wasm": "@tensorflow/tfjs-backend-wasm",
  "tfjs-node": "@tensorflow/tfjs-node",
} as const;

/** What a cell reads. Models are hashed once for all cells of `digests`. */
export function inputsOf(cell: Cell, digests: Map<string, string>): CellInputs {
  let model = digests.get(cell.model);
  if (model === undefined) {
    model = modelDigest(cell.model);
    digests.set(cell.model, model);
  }
  const engine = ENGINE_PACKAGES[cell.engine];
  return { model, data: taskNamed(cell.task).version(), engine: `${engine}@${packageVersion(engine)}` };
}

/** Hash of a cell and of what it reads. Where the model stands does not matter, what it is does. */
export function configHash(cell: Cell, inputs: CellInputs): string {
  return digestOf(canonicalJson({ ...placeless(cell), inputs }));
}

/** Parts of the program that can change a result. Reports and the simulator only read rows. */
const PARTS = [
  "shared",
  "client",
  "server",
  "proto/generated",
  "experiments/runner",
  "experiments/tasks",
  "experiments/pretrain",
  "experiments/link",
];
const LEFT_OUT = /^shared\/command\/|^client\/(?:commands|local)\/|\/web\/|\.d\.ts$|\.map$/;

/** Hash of the program that runs: its sources, or what was compiled from them. */
export function codeHash(): string {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  const files: string[] = [];
  const walk = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) walk(path);
      else files.push(path);
    }
  };
  for (const part of PARTS) walk(join(root, part));
  const kept = files.filter((file) => !LEFT_OUT.test(relative(root, file).replaceAll("\\", "/")));
  return hashFiles(root, kept.toSorted());
}
