/**
 * Text to token ids and back, by `@huggingface/tokenizers` reading the model's own `tokenizer.json`.
 *
 * The wrapper fixes what training data needs: no cleaning up of spaces when decoding (it would break the round trip),
 * no special tokens unless asked for, typed errors, and long texts cut at places where no tokenizer of
 * byte-level kind would join the two sides, so that a whole book does not become one array of strings.
 */
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { z } from "zod";
import { fail } from "../errors.ts";

export interface Tokenizer {
  /** Ids in the vocabulary, added tokens included: one above the highest id. */
  readonly vocabSize: number;
  /** Begins a text, where tokenizer_config.json names such a token. */
  readonly bosId: number | undefined;
  /** Ends a text. */
  readonly eosId: number | undefined;
  /** Whether the tokenizer itself puts BOS in front of a text (LLaMA's does, GPT-2's does not). */
  readonly addsBos: boolean;
  /**
   * Ids of a text; the array is the caller's. A special token spelled out in the text becomes its id, as everywhere
   * with this format. `addSpecialTokens` (default false) adds what the tokenizer's post-processor adds, e.g. BOS.
   */
  encode(text: string, options?: { addSpecialTokens?: boolean }): Int32Array;
  /** The text of some ids. Ids that cut a UTF-8 character give U+FFFD there. */
  decode(ids: ArrayLike<number>, options?: { skipSpecialTokens?: boolean }): string;
}

const tokenContent = z.union([z.string(), z.looseObject({ content: z.string() })]);
const configSchema = z.looseObject({
  bos_token: tokenContent.nullish(),
  eos_token: tokenContent.nullish(),
});

const tokenizerSchema = z.looseObject({
  model: z.looseObject({ type: z.string().optional() }),
  added_tokens: z.array(
    z.looseObject({ id: z.int().min(0), content: z.string(), special: z.boolean().optional() }),
  ),
  normalizer: z.unknown().optional(),
  pre_tokenizer: z.unknown().optional(),
  post_processor: z.unknown().optional(),
  decoder: z.unknown().optional(),
});

/** Characters after which a cut is looked for. Long enough to make calls rare, short enough to keep arrays small. */
const CHUNK = 1 << 16;
/** A space between two letters: GPT-2's pattern starts a new pre-token there whatever came before. */
const CUT = /\p{L} (?=\p{L})/gu;
/** GPT-2's pre-tokens: a word with its leading space, a number, a run of punctuation, or white space. */
export const GPT2_PRE_TOKEN = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
/** Pre-tokens whose ids are remembered, so that each is encoded once; some 50 MB, then it begins again. */
const MAX_REMEMBERED = 1 << 18;

function invalid(file: string, reason: string): never {
  fail("NB_TOKENIZER_INVALID", `${file}: ${reason}`);
}

/**
 * Makes a tokenizer from the parsed `tokenizer.json` and, where there is one, the parsed `tokenizer_config.json`.
 * Without the second file the BOS and EOS ids are known only when the first names exactly one special token, which
 * then is both.
 *
 * @throws NB_TOKENIZER_INVALID when the files are not of this format or use a part that the package has not.
 */
export function loadTokenizer(tokenizerJson: unknown, tokenizerConfigJson?: unknown): Tokenizer {
  const parsed = tokenizerSchema.safeParse(tokenizerJson);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    invalid("tokenizer.json", `${issue.path.join(".") || "the document"}: ${issue.message}`);
  }
  const config = configSchema.safeParse(tokenizerConfigJson ?? {});
  if (!config.success) invalid("tokenizer_config.json", config.error.issues[0].message);

  const { data } = parsed;
  // The package wants these keys present, null where they are not used.
  const complete = {
    ...data,
    normalizer: data.normalizer ?? null,
    pre_tokenizer: data.pre_tokenizer ?? null,
    post_processor: data.post_processor ?? null,
    decoder: data.decoder ?? null,
  };
  refuseSparseIds(data);
  let inner: HuggingFaceTokenizer;
  try {
    inner = new HuggingFaceTokenizer(complete, config.data);
  } catch (error) {
    invalid("tokenizer.json", error instanceof Error ? error.message : String(error));
  }
  const special = data.added_tokens.filter((token) => token.special);
  const only = special.length === 1 ? special[0].content : undefined;
  const idOf = (given: z.infer<typeof tokenContent> | null | undefined): number | undefined => {
    const content = typeof given === "string" ? given : (given?.content ?? undefined);
    const name = content ?? (tokenizerConfigJson === undefined ? only : undefined);
    return name === undefined ? undefined : inner.token_to_id(name);
  };
  return new PackageTokenizer(
    inner,
    splittingOf(complete),
    data.added_tokens.map((token) => token.content),
    idOf(config.data.bos_token),
    idOf(config.data.eos_token),
  );
}

/** Ids that any vocabulary may have, and how many times its size the ids of a large one may reach. Real ones leave small gaps. */
const FREE_IDS = 1 << 18;
const MAX_SPREAD = 4;

/**
 * Refuses ids far beyond the number of tokens: the package keeps tokens in an array by id, and a file of a few bytes could ask for one of
 * gigabytes.
 */
function refuseSparseIds({ model, added_tokens: added }: z.infer<typeof tokenizerSchema>): void {
  const vocab = typeof model.vocab === "object" && model.vocab !== null ? Object.values(model.vocab) : [];
  const most = Math.max(FREE_IDS, MAX_SPREAD * (vocab.length + added.length));
  const check = (id: unknown): void => {
    if (typeof id === "number" && !(id >= 0 && id < most))
      invalid("tokenizer.json", `the id ${id} among ${vocab.length} tokens; accepted: below ${most}`);
  };
  for (const id of vocab) check(id);
  for (const { id } of added) check(id);
}

const preTokenizerStep = z.looseObject({
  type: z.string(),
  add_prefix_space: z.boolean().optional(),
  use_regex: z.boolean().optional(),
  individual_digits: z.boolean().optional(),
});
const preTokenizer = z.union([
  z.looseObject({ type: z.literal("Sequence"), pretokenizers: z.array(preTokenizerStep) }),
  preTokenizerStep,
]);

/**
 * What may be done to a text before the package sees it, with the same ids as a result: "pieces", its GPT-2
 * pre-tokens one by one; "digits", each digit and the GPT-2 pre-tokens of what lies between; "cut", cutting it at {@link CUT};
 * "whole", nothing.
 */
type Splitting = "pieces" | "digits" | "cut" | "whole";

/** What a pre-tokenizer `Digits` with `individual_digits` makes of a text, as the package reads it. */
const DIGIT_OR_REST = /[^\d]+|\d/gu;

function splittingOf(tokenizer: { normalizer: unknown; pre_tokenizer: unknown }): Splitting {
  const parsed = preTokenizer.safeParse(tokenizer.pre_tokenizer);
  if (!parsed.success || tokenizer.normalizer !== null) return "whole";
  const given = parsed.data;
  const steps =
    "pretokenizers" in given ? (given.pretokenizers as z.infer<typeof preTokenizerStep>[]) : [given];
  const gpt2 = (s: (typeof steps)[number]) =>
    s.type === "ByteLevel" && s.add_prefix_space !== true && s.use_regex !== false;
  const [first, second] = steps;
  if (steps.length === 1 && gpt2(first)) return "pieces";
  if (steps.length === 2 && first.type === "Digits" && first.individual_digits === true && gpt2(second))
    return "digits";
  return steps.every((s) => gpt2(s) || s.type === "Digits") && steps.some(gpt2) ? "cut" : "whole";
}

class PackageTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  readonly addsBos: boolean;
  readonly #inner: HuggingFaceTokenizer;
  readonly #splitting: Splitting;
  readonly #added: readonly string[];
  readonly #remembered = new Map<string, readonly number[]>();

  constructor(
    inner: HuggingFaceTokenizer,
    splitting: Splitting,
    added: readonly string[],
    bosId: number | undefined,
    eosId: number | undefined,
  ) {
    this.#inner = inner;
    this.#splitting = splitting;
    this.#added = added;
    this.bosId = bosId;
    this.eosId = eosId;
    let highest = -1;
    for (const id of inner.get_vocab().values()) highest = Math.max(highest, id);
    this.vocabSize = highest + 1;
    this.addsBos = bosId !== undefined && inner.encode("a", { add_special_tokens: true }).ids[0] === bosId;
  }

  encode(text: string, options: { addSpecialTokens?: boolean } = {}): Int32Array {
    if (options.addSpecialTokens)
      return Int32Array.from(this.#inner.encode(text, { add_special_tokens: true }).ids);
    if (this.#splitting === "whole") return Int32Array.from(this.#plain(text));
    let out = new Int32Array(Math.ceil(text.length / 2) + 16);
    let length = 0;
    for (const part of cut(text)) {
      const ids = this.#part(part);
      if (length + ids.length > out.length) {
        const larger = new Int32Array(2 * (length + ids.length));
        larger.set(out.subarray(0, length));
        out = larger;
      }
      out.set(ids, length);
      length += ids.length;
    }
    return out.slice(0, length);
  }

  #plain(text: string): number[] {
    return text === "" ? [] : this.#inner.encode(text, { add_special_tokens: false }).ids;
  }

  #part(text: string): ArrayLike<number> {
    const splitting = this.#splitting;
    // Added tokens are found before the text is cut into pre-tokens.
    if (
      (splitting !== "pieces" && splitting !== "digits") ||
      this.#added.some((token) => text.includes(token))
    )
      return this.#plain(text);
    const ids: number[] = [];
    if (splitting === "pieces") this.#pieces(text, ids);
    else for (const part of text.match(DIGIT_OR_REST) ?? []) this.#pieces(part, ids);
    return ids;
  }

  /** Adds the ids of a text's GPT-2 pre-tokens. */
  #pieces(text: string, ids: number[]): void {
    for (const piece of text.match(GPT2_PRE_TOKEN) ?? []) {
      let known = this.#remembered.get(piece);
      if (known === undefined) {
        known = this.#plain(piece);
        if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
        this.#remembered.set(piece, known);
      }
      for (const id of known) ids.push(id);
    }
  }

  decode(ids: ArrayLike<number>, options: { skipSpecialTokens?: boolean } = {}): string {
    if (ids.length === 0) return "";
    return this.#inner.decode(Array.from(ids), {
      skip_special_tokens: options.skipSpecialTokens ?? false,
      clean_up_tokenization_spaces: false,
    });
  }
}

/** Cuts a text into pieces of at least CHUNK characters, each but the first beginning with the space of {@link CUT}. */
function* cut(text: string): Generator<string> {
  let start = 0;
  while (text.length - start > CHUNK) {
    CUT.lastIndex = start + CHUNK;
    const found = CUT.exec(text);
    if (found === null) break;
    const at = found.index + found[0].length - 1;
    yield text.slice(start, at);
    start = at;
  }
  yield text.slice(start);
}
