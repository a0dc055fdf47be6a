/** `narrowband generate`, on a model that knows the alphabet. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Finish, generateTokens } from "../../client/local/generate.ts";
import type { Tokenizer } from "../../shared/model/tokenizer.ts";
import { temporaryDirectory } from "../model/helpers.ts";
import { run, SUCCESSOR_CONFIG, writeSuccessorModel } from "./helpers.ts";

const model = () => writeSuccessorModel(join(temporaryDirectory(), "model"));

describe("generate", () => {
  it("goes on with the prompt, the likeliest token each time, to the end of the text", async () => {
    const ran = await run([
      "generate",
      "--model",
      await model(),
      "--temperature",
      "0",
      "--threads",
      "1",
      "uvw",
    ]);
    expect(ran).toMatchObject({ exit: 0, stdout: "uvwxyz\n" });
  });

  it("ends after --max-tokens", async () => {
    const flags = ["--temperature", "0", "--max-tokens", "4", "--threads", "1", "--json"];
    const ran = await run(["generate", "--model", await model(), ...flags, "abc"]);
    expect(ran.json().at(-1)).toMatchObject({
      text: "defg",
      tokens: 4,
      promptTokens: 3,
      finish: "max-tokens",
    });
    const texts = ran.json().filter(({ event }) => event === "token");
    expect(texts.map(({ text }) => text).join("")).toBe("defg");
    expect(ran.stderr).toContain("abcdefg");
  });

  it("ends at the model's longest sequence", async () => {
    const prompt = "a".repeat(SUCCESSOR_CONFIG.maxPositions - 2);
    const flags = ["--temperature", "0", "--threads", "1", "--json"];
    const ran = await run(["generate", "--model", await model(), ...flags, prompt]);
    expect(ran.json().at(-1)).toMatchObject({ text: "bc", finish: "longest-sequence" });
    const longer = await run(["generate", "--model", await model(), prompt + prompt]);
    expect(longer.exit).toBe(2);
    expect(longer.stderr).toContain("NB_DATA_TOO_LONG");
  });

  it("gives the same text for the same seed, and another for another", async () => {
    const directory = await model();
    const text = async (seed: string) => {
      const flags = ["--temperature", "1", "--max-tokens", "12", "--seed", seed, "--threads", "1", "--json"];
      return (await run(["generate", "--model", directory, ...flags, "a"])).json().at(-1)?.text;
    };
    expect(await text("1")).toBe(await text("1"));
    expect(await text("1")).not.toBe(await text("2"));
  });

  it("gives a character only when all of its bytes are there", async () => {
    // Ids are bytes; the model, so to speak, writes "aé🙂b".
    const bytes = [...new TextEncoder().encode("aé🙂b")];
    const tokenizer: Tokenizer = {
      vocabSize: 256,
      bosId: undefined,
      eosId: undefined,
      addsBos: false,
      encode: (text) => Int32Array.from(new TextEncoder().encode(text)),
      decode: (ids) => new TextDecoder().decode(Uint8Array.from(ids)),
    };
    const runner = {
      async lastLogitsOf(ids: Float32Array | Int32Array) {
        const logits = new Float32Array(256);
        logits[bytes[ids.length - 1]] = 1;
        return logits;
      },
    };
    const options = { temperature: 0, topK: 0, topP: 1, seed: 0, maxTokens: bytes.length };
    const config = { ...SUCCESSOR_CONFIG, eosTokenIds: [] };
    const tokens = generateTokens({ config, tokenizer, runner }, Int32Array.of(32), options);
    const texts: string[] = [];
    let next = await tokens.next();
    for (; !next.done; next = await tokens.next()) texts.push(next.value.text);
    expect(texts).toEqual(["a", "", "é", "", "", "", "🙂", "b"]);
    expect(next.value satisfies Finish).toBe("max-tokens");
  });
});
