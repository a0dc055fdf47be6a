/** Runs commands in this process, and makes models whose answers can be worked out by hand. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { COMMANDS } from "../../commands.ts";
import type { CommandDefinition } from "../../shared/command/definition.ts";
import type { SignalSource } from "../../shared/command/interrupt.ts";
import { runProgram } from "../../shared/command/program.ts";
import { toTokenizerConfigJson, toTokenizerJson, trainBpe } from "../../shared/data/bpe-trainer.ts";
import { type ModelConfig, parseHfConfig } from "../../shared/model/config.ts";
import { wholeModel } from "../../shared/model/cut.ts";
import { writeModelDirectory } from "../../shared/model/files-node.ts";
import type { NamedTensor } from "../../shared/model/safetensors.ts";
import { loadTokenizer, type Tokenizer } from "../../shared/model/tokenizer.ts";
import { initialWeight } from "../../shared/train/initial-weights.ts";
import { segmentShapes } from "../../shared/train/segment-weights.ts";

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as one JSON object a line. */
  json(): Record<string, unknown>[];
}

export interface RunOptions {
  readonly commands?: readonly CommandDefinition[];
  readonly env?: Record<string, string>;
  readonly signals?: SignalSource;
  readonly onExit?: (code: number) => void;
  /** Told of everything on stdout as it comes. */
  readonly onStdout?: (text: string) => void;
}

const NO_SIGNALS: SignalSource = { on: () => {}, off: () => {} };

/** Runs the program with these arguments. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  let stdout = "";
  let stderr = "";
  const exit = await runProgram(options.commands ?? COMMANDS, args, {
    description: "test",
    version: "1.2.3",
    io: {
      stdout: {
        write: (text) => {
          stdout += text;
          options.onStdout?.(text);
        },
      },
      stderr: { write: (text) => (stderr += text) },
      env: options.env ?? {},
    },
    signals: options.signals ?? NO_SIGNALS,
    exit: options.onExit ?? (() => {}),
  });
  return {
    exit,
    stdout,
    stderr,
    json: () =>
      stdout
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

/** Ends a document; id 0. */
export const END = "<|endoftext|>";

/** Vocabulary of the bytes and END, without a merge. */
const VOCABULARY = 257;

export function byteTokenizer(): Tokenizer {
  return loadTokenizer(...tokenizerFiles());
}

function tokenizerFiles(): [Record<string, unknown>, Record<string, unknown>] {
  const vocabulary = trainBpe(new Map(), { vocabSize: VOCABULARY, specialTokens: [END] });
  return [toTokenizerJson(vocabulary), toTokenizerConfigJson(END, 64)];
}

export const SUCCESSOR_CONFIG: ModelConfig = parseHfConfig({
  model_type: "llama",
  vocab_size: VOCABULARY,
  hidden_size: 272,
  intermediate_size: 8,
  num_hidden_layers: 3,
  num_attention_heads: 17,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: false,
  bos_token_id: 0,
  eos_token_id: 0,
});

/**
 * A model that gives the character after a given one ("a" then "b") half of the probability, and every other token an equal
 * share of the rest; after "z" the half is END's. So the alphabet costs ln 2 nats a token.
 *
 * Blocks are all zero and change nothing; embeddings are unit vectors, which the norm scales to √272, and the head's
 * rows are unit vectors as long as makes that logit ln 256.
 */
export function successorTensors(): Map<string, NamedTensor> {
  const { hiddenSize, normEps } = SUCCESSOR_CONFIG;
  const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
  for (const [name, shape] of segmentShapes(SUCCESSOR_CONFIG, wholeModel(SUCCESSOR_CONFIG)))
    tensors.set(name, { shape: [...shape], data: new Float32Array(shape.reduce((n, d) => n * d, 1)) });
  for (const [name, { shape, data }] of tensors)
    if (shape.length === 1 || name.includes("norm")) data.fill(1);
  const embedding = tensors.get("model.embed_tokens.weight")!.data;
  const head = tensors.get("lm_head.weight")!.data;
  const scale = Math.log(VOCABULARY - 1) * Math.sqrt(1 / hiddenSize + normEps);
  const tokenizer = byteTokenizer();
  for (let id = 0; id < VOCABULARY; id++) embedding[id * hiddenSize + id] = 1;
  for (let c = 97; c <= 122; c++) {
    const [id] = tokenizer.encode(String.fromCharCode(c));
    const next = c === 122 ? 0 : tokenizer.encode(String.fromCharCode(c + 1))[0];
    head[next * hiddenSize + id] = scale;
  }
  return tensors;
}

/** Writes the model of {@link successorTensors} and its tokenizer into a directory. */
export function writeSuccessorModel(directory: string): Promise<string> {
  return writeModel(directory, successorTensors());
}

/** Writes a model of the same form with random weights, which, unlike the other's, pass gradients on. */
export function writeRandomModel(directory: string): Promise<string> {
  const config = { ...SUCCESSOR_CONFIG, initializerRange: 0.1 };
  const tensors = new Map(
    [...successorTensors()].map(([name, { shape }]) => [
      name,
      { shape, data: initialWeight(config, name, shape, 1) },
    ]),
  );
  return writeModel(directory, tensors);
}

async function writeModel(directory: string, tensors: Map<string, NamedTensor>): Promise<string> {
  await writeModelDirectory(directory, SUCCESSOR_CONFIG, tensors, "F32");
  const [tokenizer, config] = tokenizerFiles();
  await writeFile(join(directory, "tokenizer.json"), JSON.stringify(tokenizer));
  await writeFile(join(directory, "tokenizer_config.json"), JSON.stringify(config));
  return directory;
}
