/** What `narrowband generate` does. */
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { fail } from "../../shared/errors.ts";
import type { Tokenizer } from "../../shared/model/tokenizer.ts";
import type { WholeModel } from "../../shared/train/whole-model.ts";
import type { generateCommand } from "../commands/generate.ts";
import { openLocalModel } from "./model.ts";
import { type SamplingSettings, sampleToken, tokenUniform } from "./sampling.ts";

type GenerateSettings = z.output<typeof generateCommand.options>;

export interface GenerateOptions extends SamplingSettings {
  readonly maxTokens: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

export interface GeneratedToken {
  readonly id: number;
  /** What it adds to the text; empty while a character is not complete. */
  readonly text: string;
}

/** Why a generation ended. */
export type Finish = "end-of-text" | "max-tokens" | "longest-sequence";

/** Ids that a prompt becomes: with BOS where the tokenizer puts one; an empty prompt is the beginning of a document. */
export function promptIds(tokenizer: Tokenizer, prompt: string): Int32Array {
  const ids = tokenizer.encode(prompt, { addSpecialTokens: true });
  if (ids.length > 0) return ids;
  const first = tokenizer.bosId ?? tokenizer.eosId;
  if (first === undefined)
    fail(
      "NB_CONFIG_INVALID",
      "prompt: nothing was given; accepted: a text, as this tokenizer has no token that begins one",
    );
  return Int32Array.of(first);
}

/** A character whose bytes are not all there yet. */
const INCOMPLETE = "\ufffd";

/**
 * Gives the tokens that the model writes after the prompt, as they come, and returns why it ended. The whole sequence
 * is run anew for each token: nothing is cached, so time grows with the length.
 *
 * @throws NB_DATA_TOO_LONG when the prompt alone is longer than the model takes; the signal's reason when it is aborted.
 */
export async function* generateTokens(
  {
    config,
    tokenizer,
    runner,
  }: Pick<WholeModel, "config" | "tokenizer"> & {
    runner: Pick<WholeModel["runner"], "lastLogitsOf">;
  },
  prompt: Int32Array,
  options: GenerateOptions,
): AsyncGenerator<GeneratedToken, Finish> {
  if (prompt.length > config.maxPositions)
    fail(
      "NB_DATA_TOO_LONG",
      `the prompt has ${prompt.length} tokens; the model takes up to ${config.maxPositions}`,
    );
  const ends = new Set(config.eosTokenIds);
  if (tokenizer.eosId !== undefined) ends.add(tokenizer.eosId);
  const ids = [...prompt];
  let shown = tokenizer.decode(ids);
  for (let n = 0; n < options.maxTokens; n++) {
    if (ids.length >= config.maxPositions) return "longest-sequence";
    options.signal?.throwIfAborted();
    const logits = await runner.lastLogitsOf(Int32Array.from(ids), Int32Array.of(ids.length));
    const id = sampleToken(logits, options, tokenUniform(options.seed, n));
    if (ends.has(id)) return "end-of-text";
    ids.push(id);
    const whole = tokenizer.decode(ids);
    const text = whole.endsWith(INCOMPLETE) && n + 1 < options.maxTokens ? "" : whole.slice(shown.length);
    if (text !== "") shown = whole;
    yield { id, text };
  }
  return "max-tokens";
}

export async function runGenerate(settings: GenerateSettings, context: CommandContext): Promise<void> {
  const model = await openLocalModel(settings);
  try {
    const prompt = promptIds(model.tokenizer, settings.prompt);
    context.write(settings.prompt);
    const tokens = generateTokens(model, prompt, { ...settings, signal: context.signal });
    const started = performance.now();
    let text = "";
    let count = 0;
    let next = await tokens.next();
    for (; !next.done; next = await tokens.next()) {
      count++;
      text += next.value.text;
      context.event("token", { ...next.value });
      context.write(next.value.text);
    }
    const seconds = (performance.now() - started) / 1000;
    context.print("");
    await context.result({
      prompt: settings.prompt,
      text,
      promptTokens: prompt.length,
      tokens: count,
      finish: next.value,
      seed: settings.seed,
      tokensPerSecond: count / seconds,
    });
    if (next.value === "longest-sequence")
      context.note(`Ended at ${model.config.maxPositions} tokens, the longest sequence of this model.`);
  } finally {
    await model.close();
  }
}
