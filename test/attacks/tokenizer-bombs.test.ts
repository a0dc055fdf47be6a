/**
 * Tokenizer files that are small and ask for much: ids near 2^53, deep nesting, sizes beyond the limit. Expected: NB_TOKENIZER_INVALID, or a tokenizer
 * whose memory follows the file's size, never a number in it.
 */
import { ftruncateSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openModelDirectory } from "../../shared/model/files-node.ts";
import { loadTokenizer } from "../../shared/model/tokenizer.ts";
import { byteTokenizer } from "../command/helpers.ts";
import { failure, temporaryDirectory } from "../model/helpers.ts";

const CONFIG = { model_type: "gpt2", vocab_size: 10, n_embd: 8, n_layer: 1, n_head: 1 };

function tokenizerOf(vocab: Record<string, unknown>, added: unknown[] = [], rest: object = {}): unknown {
  return { model: { type: "BPE", vocab, merges: [] }, added_tokens: added, ...rest };
}

async function modelWith(tokenizer: string | number): Promise<string> {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "config.json"), JSON.stringify(CONFIG));
  // An empty safetensors file: the model is not read here.
  writeFileSync(join(directory, "model.safetensors"), Buffer.from("0200000000000000" + "7b7d", "hex"));
  const path = join(directory, "tokenizer.json");
  if (typeof tokenizer === "string") writeFileSync(path, tokenizer);
  else ftruncateSync(openSync(path, "w"), tokenizer);
  return directory;
}

describe("a tokenizer file", () => {
  it("larger than any vocabulary is refused before it is read", async () => {
    const model = await openModelDirectory(await modelWith(129 << 20));
    const before = process.memoryUsage().rss;
    expect(await failure("NB_MODEL_INVALID", () => model.tokenizer())).toContain("bytes; accepted");
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
    await model.close();
  });

  it.each([
    ["a hundred thousand nested lists", `{"model":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
    ["a hundred thousand nested objects", `${'{"model":'.repeat(100_000)}1${"}".repeat(100_000)}`],
    ["half a file", '{"model":{"type":"BPE","vocab":{"a":'],
    ["no object", "[]"],
  ])("of %s is refused", async (_, text) => {
    const model = await openModelDirectory(await modelWith(text));
    await failure("NB_TOKENIZER_INVALID", () => model.tokenizer());
    await model.close();
  });

  it.each([2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER])(
    "that names the id %d allocates nothing for it",
    async (id) => {
      const before = process.memoryUsage().rss;
      for (const json of [
        tokenizerOf({ a: 0, b: id }),
        tokenizerOf({ a: 0 }, [{ id, content: "<x>", special: true }]),
      ]) {
        try {
          loadTokenizer(json).encode("a");
        } catch (error) {
          expect(error).toMatchObject({ code: "NB_TOKENIZER_INVALID" });
        }
      }
      expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
    },
  );

  it.each([
    ["an id below zero", tokenizerOf({}, [{ id: -1, content: "x" }])],
    ["an id that is no number", tokenizerOf({}, [{ id: "1", content: "x" }])],
    ["a fractional id", tokenizerOf({}, [{ id: 0.5, content: "x" }])],
    ["a model from Object's prototype", { model: { type: "constructor" }, added_tokens: [] }],
    ["no added tokens", { model: { type: "BPE", vocab: {}, merges: [] } }],
  ])("with %s is refused", async (_, json) => {
    await failure("NB_TOKENIZER_INVALID", () => loadTokenizer(json));
  });

  it("reads a text of one endless word in a time that grows with it", () => {
    const tokenizer = byteTokenizer();
    const word = "a".repeat(200_000);
    const start = performance.now();
    expect(tokenizer.encode(word).length).toBe(word.length);
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});
