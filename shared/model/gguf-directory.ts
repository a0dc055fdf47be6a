/**
 * A GGUF file seen as a model directory: its metadata as `config.json`, `tokenizer.json` and `tokenizer_config.json`, its tensors
 * under the names of Hugging Face's files. All that reads model directories thus reads GGUF files too.
 *
 * Files differ from a directory in more than names: llama's query and key rows stand in another order (ggml rotates neighbouring
 * channels, Hugging Face the halves of a head), which is undone on reading, and weights may be quantized in blocks.
 */
import { fail } from "../errors.ts";
import { type ByteSource, MemoryBytes, type ModelFiles } from "./byte-source.ts";
import type { StoredType } from "./dtype.ts";
import { type GgufHeader, type GgufTensor, type GgufValue, readGgufHeader, readGgufTensor } from "./gguf.ts";
import type { TensorSource } from "./tensor-source.ts";

/** What a directory calls its GGUF file. */
export const GGUF_WEIGHTS = "model.gguf";

const ARCHITECTURES = ["llama", "qwen2"] as const;
type Architecture = (typeof ARCHITECTURES)[number];

const OUTER_NAMES: Readonly<Record<string, string>> = {
  "token_embd.weight": "model.embed_tokens.weight",
  "output_norm.weight": "model.norm.weight",
  "output.weight": "lm_head.weight",
};
/** Within `blk.N.` and `model.layers.N.`. */
const BLOCK_NAMES: Readonly<Record<string, string>> = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

/** Metadata with types checked. */
class Metadata {
  readonly #entries: GgufHeader["metadata"];

  constructor(entries: GgufHeader["metadata"]) {
    this.#entries = entries;
  }

  optional(key: string): GgufValue | undefined {
    return this.#entries.get(key);
  }

  #missing(key: string, kind: string, given: GgufValue | undefined): never {
    const found = given === undefined ? "missing" : Array.isArray(given) ? "an array" : JSON.stringify(given);
    fail("NB_GGUF_INVALID", `${key} is ${found}; it must be ${kind}`, { field: key });
  }

  number(key: string): number {
    const value = this.#entries.get(key);
    return typeof value === "number" ? value : this.#missing(key, "a number", value);
  }

  numberOr<T>(key: string, other: T): number | T {
    return this.#entries.has(key) ? this.number(key) : other;
  }

  string(key: string): string {
    const value = this.#entries.get(key);
    return typeof value === "string" ? value : this.#missing(key, "a string", value);
  }

  strings(key: string): readonly string[] {
    const value = this.#entries.get(key);
    const all = Array.isArray(value) && value.every((entry) => typeof entry === "string");
    return all ? (value as readonly string[]) : this.#missing(key, "an array of strings", value);
  }

  numbers(key: string): readonly number[] {
    const value = this.#entries.get(key);
    const all = Array.isArray(value) && value.every((entry) => typeof entry === "number");
    return all ? (value as readonly number[]) : this.#missing(key, "an array of numbers", value);
  }
}

function architectureOf(metadata: Metadata): Architecture {
  const given = metadata.string("general.architecture");
  const known = ARCHITECTURES.find((name) => name === given);
  return (
    known ??
    fail(
      "NB_MODEL_UNSUPPORTED",
      `general.architecture is ${JSON.stringify(given)}; what is supported: ${ARCHITECTURES.join(", ")}`,
      { field: "general.architecture" },
    )
  );
}

/** f32 metadata such as 9.999999747378752e-06 as the decimal that was meant. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return rounded;
  }
  return value;
}

function ropeScaling(metadata: Metadata, architecture: Architecture): Record<string, unknown> | null {
  const key = `${architecture}.rope.scaling.type`;
  const type = metadata.optional(key) ?? "none";
  if (type === "none") return null;
  if (type === "linear")
    return { rope_type: "linear", factor: shortest(metadata.number(`${architecture}.rope.scaling.factor`)) };
  return fail("NB_MODEL_UNSUPPORTED", `${key} is ${JSON.stringify(type)}; what is supported: none, linear`, {
    field: key,
  });
}

/** The `config.json` that a file's metadata amount to. */
function configOf({ metadata: entries, tensors }: GgufHeader): Record<string, unknown> {
  const metadata = new Metadata(entries);
  const architecture = architectureOf(metadata);
  const of = (name: string): string => `${architecture}.${name}`;
  if (tensors.has("rope_freqs.weight"))
    fail(
      "NB_MODEL_UNSUPPORTED",
      "rope_freqs.weight: rotary frequencies that come as a tensor (Llama 3.1's) are not read from GGUF; use the model's safetensors",
    );
  const heads = metadata.number(of("attention.head_count"));
  const hidden = metadata.number(of("embedding_length"));
  const headDim = metadata.numberOr(of("attention.key_length"), hidden / heads);
  const rotated = metadata.numberOr(of("rope.dimension_count"), headDim);
  if (rotated !== headDim)
    fail(
      "NB_MODEL_UNSUPPORTED",
      `${of("rope.dimension_count")} is ${rotated} of ${headDim} channels; what is supported: all`,
    );
  const vocabulary = tensors.get("token_embd.weight")?.shape[0];
  return {
    architectures: [architecture === "llama" ? "LlamaForCausalLM" : "Qwen2ForCausalLM"],
    model_type: architecture,
    vocab_size: vocabulary ?? metadata.number(of("vocab_size")),
    hidden_size: hidden,
    intermediate_size: metadata.number(of("feed_forward_length")),
    num_hidden_layers: metadata.number(of("block_count")),
    num_attention_heads: heads,
    num_key_value_heads: metadata.numberOr(of("attention.head_count_kv"), heads),
    head_dim: headDim,
    hidden_act: "silu",
    max_position_embeddings: metadata.number(of("context_length")),
    rms_norm_eps: shortest(metadata.number(of("attention.layer_norm_rms_epsilon"))),
    rope_theta: shortest(metadata.numberOr(of("rope.freq_base"), 10_000)),
    rope_scaling: ropeScaling(metadata, architecture),
    tie_word_embeddings: !tensors.has("output.weight"),
    bos_token_id: metadata.numberOr("tokenizer.ggml.bos_token_id", null),
    eos_token_id: metadata.numberOr("tokenizer.ggml.eos_token_id", null),
  };
}

const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
/** How each named pre-tokenizer of ggml's byte-level BPE is written in tokenizer.json. */
const PRE_TOKENIZERS: Readonly<Record<string, { pre: object; normalizer: object | null }>> = {
  "gpt-2": { pre: BYTE_LEVEL, normalizer: null },
  smollm: {
    pre: { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, BYTE_LEVEL] },
    normalizer: null,
  },
  qwen2: {
    pre: {
      type: "Sequence",
      pretokenizers: [
        {
          type: "Split",
          pattern: {
            Regex:
              "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
          },
          behavior: "Isolated",
          invert: false,
        },
        { ...BYTE_LEVEL, use_regex: false },
      ],
    },
    normalizer: { type: "NFC" },
  },
};

/** Kinds of tokens in `tokenizer.ggml.token_type` that are found in a text before it is cut up. */
const CONTROL = 3;
const USER_DEFINED = 4;

/** The `tokenizer.json` and `tokenizer_config.json` that a file's metadata amount to. */
function tokenizerOf({ metadata: entries }: GgufHeader): { tokenizer: unknown; config: unknown } {
  const metadata = new Metadata(entries);
  const model = metadata.string("tokenizer.ggml.model");
  const pre = metadata.string("tokenizer.ggml.pre");
  const known = Object.hasOwn(PRE_TOKENIZERS, pre) ? PRE_TOKENIZERS[pre] : undefined;
  if (model !== "gpt2" || known === undefined)
    return fail(
      "NB_TOKENIZER_INVALID",
      `the tokenizer of the GGUF file is ${model}/${pre}; what is read: gpt2/${Object.keys(PRE_TOKENIZERS).join(", gpt2/")}. ` +
        "Put the model's tokenizer.json beside the file, which then is used",
    );
  const tokens = metadata.strings("tokenizer.ggml.tokens");
  const types = metadata.numbers("tokenizer.ggml.token_type");
  const vocab: [string, number][] = tokens.map((token, id) => [token, id]);
  const added = tokens.flatMap((content, id) => {
    const special = types[id] === CONTROL;
    if (!special && types[id] !== USER_DEFINED) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
  const named = (key: string): string | null => {
    const id = metadata.numberOr(`tokenizer.ggml.${key}`, undefined);
    return id === undefined ? null : (tokens[id] ?? null);
  };
  return {
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: added,
      normalizer: known.normalizer,
      pre_tokenizer: known.pre,
      post_processor: null,
      decoder: BYTE_LEVEL,
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        // fromEntries defines own properties, so that a token called __proto__ is a token.
        vocab: Object.fromEntries(vocab),
        merges: metadata.strings("tokenizer.ggml.merges"),
      },
    },
    config: { bos_token: named("bos_token_id"), eos_token: named("eos_token_id") },
  };
}

/** The name in Hugging Face's files of a tensor, or undefined for one that they do not have. */
function huggingFaceName(name: string): string | undefined {
  if (Object.hasOwn(OUTER_NAMES, name)) return OUTER_NAMES[name];
  const block = /^blk\.(\d{1,4})\.([a-z_]+)\.(weight|bias)$/.exec(name);
  if (block === null || !Object.hasOwn(BLOCK_NAMES, block[2]!)) return undefined;
  return `model.layers.${block[1]}.${BLOCK_NAMES[block[2]!]}.${block[3]}`;
}

/**
 * Rows of a query or key weight [heads · headDim, in] (or of its bias, in = 1) from ggml's order, in which the two channels of a rotated
 * pair are neighbours, to Hugging Face's, in which they are half a head apart.
 */
function halvesApart(values: Float32Array, heads: number, headDim: number): Float32Array {
  const out = new Float32Array(values.length);
  const width = values.length / (heads * headDim);
  const half = headDim / 2;
  for (let head = 0; head < heads; head++)
    for (let pair = 0; pair < half; pair++)
      for (let side = 0; side < 2; side++) {
        const from = (head * headDim + 2 * pair + side) * width;
        out.set(values.subarray(from, from + width), (head * headDim + side * half + pair) * width);
      }
  return out;
}

interface NamedEntry {
  readonly tensor: GgufTensor;
  /** Heads whose channels are to be put in order; 0 for other tensors. */
  readonly heads: number;
}

/** A GGUF file's tensors under Hugging Face's names. */
export class GgufTensors implements TensorSource {
  readonly #source: ByteSource;
  readonly #entries: ReadonlyMap<string, NamedEntry>;
  readonly #headDim: number;

  private constructor(source: ByteSource, header: GgufHeader) {
    this.#source = source;
    const config = configOf(header);
    this.#headDim = config.head_dim as number;
    const llama = config.model_type === "llama";
    const entries = new Map<string, NamedEntry>();
    for (const [name, tensor] of header.tensors) {
      const known = huggingFaceName(name);
      if (known === undefined)
        fail(
          "NB_MODEL_UNSUPPORTED",
          `tensor ${JSON.stringify(name)} has no place in a ${config.model_type} model`,
        );
      let heads = 0;
      if (llama && /\.attn_q\./.test(name)) heads = config.num_attention_heads as number;
      if (llama && /\.attn_k\./.test(name)) heads = config.num_key_value_heads as number;
      if (heads > 0 && (tensor.shape[0] !== heads * this.#headDim || this.#headDim % 2 !== 0))
        fail(
          "NB_GGUF_INVALID",
          `tensor ${JSON.stringify(name)} has shape [${tensor.shape.join(", ")}]; it has ${heads} heads of ${this.#headDim}`,
        );
      entries.set(known, { tensor, heads });
    }
    this.#entries = entries;
  }

  /** Takes the byte source over: closes it when this source is closed, or at once when the file is refused. */
  static async open(source: ByteSource): Promise<GgufTensors> {
    try {
      return new GgufTensors(source, await readGgufHeader(source));
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  names(): Iterable<string> {
    return this.#entries.keys();
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  #entry(name: string): NamedEntry {
    return (
      this.#entries.get(name) ??
      fail("NB_TENSOR_MISSING", `tensor ${JSON.stringify(name)} is not in ${this.#source.name}`, {
        tensor: name,
      })
    );
  }

  async shape(name: string): Promise<readonly number[]> {
    return this.#entry(name).tensor.shape;
  }

  async dtype(name: string): Promise<StoredType> {
    return this.#entry(name).tensor.type;
  }

  async read(name: string): Promise<Float32Array> {
    const { tensor, heads } = this.#entry(name);
    const values = await readGgufTensor(this.#source, tensor);
    return heads === 0 ? values : halvesApart(values, heads, this.#headDim);
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}

/**
 * A GGUF file as the files of a model directory. `open` opens the file, and may be asked more than once; tokenizer files
 * that lie `beside` it are preferred to its own metadata.
 */
export function ggufFiles(
  name: string,
  open: () => Promise<ByteSource | undefined>,
  beside?: ModelFiles,
): ModelFiles {
  let header: Promise<GgufHeader> | undefined;
  const readHeader = async (): Promise<GgufHeader> => {
    const source = (await open()) ?? fail("NB_FILE_UNREADABLE", `${name}: there is no such file`);
    try {
      return await readGgufHeader(source);
    } finally {
      await source.close();
    }
  };
  const json = (file: string, value: unknown): ByteSource =>
    new MemoryBytes(`${name}/${file}`, new TextEncoder().encode(JSON.stringify(value)));
  return {
    name,
    async open(file) {
      if (file === GGUF_WEIGHTS) return open();
      if (file === "config.json") {
        header ??= readHeader();
        return json(file, configOf(await header));
      }
      if (file !== "tokenizer.json" && file !== "tokenizer_config.json") return undefined;
      // Both or neither: the two files belong together.
      const own = await beside?.open("tokenizer.json");
      if (own !== undefined) {
        if (file === "tokenizer.json") return own;
        await own.close();
        return beside!.open(file);
      }
      header ??= readHeader();
      const { tokenizer, config } = tokenizerOf(await header);
      return json(file, file === "tokenizer.json" ? tokenizer : config);
    },
  };
}
