/** `narrowband eval`, on a model whose losses can be worked out by hand. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeAdapterDirectory } from "../../shared/model/files-node.ts";
import { adaptedLinears, initialLora, loraNames, loraSchema } from "../../shared/model/lora.ts";
import type { NamedTensor } from "../../shared/model/safetensors.ts";
import { temporaryDirectory } from "../model/helpers.ts";
import { run, SUCCESSOR_CONFIG, writeSuccessorModel } from "./helpers.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz";

async function evaluate(
  data: string,
  extension: string,
  ...flags: string[]
): Promise<Record<string, unknown>> {
  const directory = temporaryDirectory();
  const model = await writeSuccessorModel(join(directory, "model"));
  const file = join(directory, `data${extension}`);
  writeFileSync(file, data);
  const ran = await run(["eval", "--model", model, "--data", file, "--json", "--threads", "1", ...flags]);
  expect(ran.exit, ran.stderr).toBe(0);
  return ran.json()[0];
}

describe("eval", () => {
  it("gives ln 2 nats a token on the alphabet, which this model half expects", async () => {
    const { loss, perplexity, bitsPerByte, tokens } = await evaluate(ALPHABET, ".txt");
    // b … z and the end are predicted; a is only read.
    expect(tokens).toBe(26);
    expect(loss).toBeCloseTo(Math.LN2, 5);
    expect(perplexity).toBeCloseTo(2, 4);
    // 26 letters are 27 tokens with the end of the text: one bit a token.
    expect(bitsPerByte).toBeCloseTo(27 / 26, 5);
  });

  it("gives ln 512 nats for tokens among the rest", async () => {
    // After any letter, a letter that does not follow has half of 1/256.
    const { loss } = await evaluate("aaaa", ".txt", "--length", "3");
    expect(loss).toBeCloseTo(Math.log(512), 4);
  });

  it("counts the loss of completions only, unless prompts are asked for", async () => {
    const line = JSON.stringify({ prompt: "aa", completion: "b" });
    const completion = await evaluate(`${line}\n`, ".jsonl");
    // b after a: ln 2; the end after b: ln 512.
    expect(completion.tokens).toBe(2);
    expect(completion.loss).toBeCloseTo((Math.log(2) + Math.log(512)) / 2, 4);
    const both = await evaluate(`${line}\n`, ".jsonl", "--no-completion-only");
    expect(both.tokens).toBe(3);
    expect(both.loss).toBeCloseTo((2 * Math.log(512) + Math.log(2)) / 3, 4);
  });

  it("measures the held-out part alone, and the rest with it makes the whole", async () => {
    const documents = Array.from({ length: 30 }, (_, i) =>
      JSON.stringify({ text: ALPHABET.slice(i % 5) }),
    ).join("\n");
    const tokens = async (...flags: string[]) =>
      Number((await evaluate(documents, ".jsonl", "--no-packed", ...flags)).tokens);
    const heldOut = await tokens("--part", "held-out", "--held-out", "0.2");
    const train = await tokens("--part", "train", "--held-out", "0.2");
    expect(heldOut).toBeGreaterThan(0);
    expect(heldOut + train).toBe(await tokens());
  });

  it("ends at the limit", async () => {
    expect(await evaluate(ALPHABET, ".txt", "--length", "4", "--limit", "9")).toMatchObject({ tokens: 8 });
  });

  it("finds the right completion where the model does, and says what guessing would reach", async () => {
    const pairs = ["ab", "bc", "ab", "bc", "ac"];
    const lines = pairs.map(([prompt, completion]) => JSON.stringify({ prompt, completion })).join("\n");
    const result = await evaluate(lines, ".jsonl", "--accuracy");
    expect(result).toMatchObject({ right: 4, questions: 5, choices: 2, commonest: 0.6, accuracy: 0.8 });
  });

  it("applies adapters", async () => {
    const directory = temporaryDirectory();
    const model = await writeSuccessorModel(join(directory, "model"));
    const lora = loraSchema.parse({ r: 2, targetModules: ["down_proj", "up_proj", "gate_proj"] });
    const tensors = new Map<string, NamedTensor>();
    for (const { path, inFeatures, outFeatures } of adaptedLinears(SUCCESSOR_CONFIG, lora, 0, 3)) {
      const { a, b } = loraNames(path);
      tensors.set(a, { shape: [2, inFeatures], data: initialLora(a, [2, inFeatures], 1) });
      tensors.set(b, { shape: [outFeatures, 2], data: new Float32Array(2 * outFeatures).fill(0.5) });
    }
    await writeAdapterDirectory(join(directory, "adapter"), SUCCESSOR_CONFIG, { lora, tensors });
    const file = join(directory, "data.txt");
    writeFileSync(file, ALPHABET);
    const flags = ["eval", "--model", model, "--data", file, "--json", "--threads", "1"];
    const [base] = (await run(flags)).json();
    const [tuned] = (await run([...flags, "--adapter", join(directory, "adapter")])).json();
    expect(Math.abs(Number(tuned.loss) - Number(base.loss))).toBeGreaterThan(0.01);
  });

  it("refuses accuracy of data that have no prompts", async () => {
    const directory = temporaryDirectory();
    const model = await writeSuccessorModel(join(directory, "model"));
    const file = join(directory, "data.txt");
    writeFileSync(file, ALPHABET);
    const { exit, stderr } = await run(["eval", "--model", model, "--data", file, "--accuracy"]);
    expect(exit).toBe(2);
    expect(stderr).toContain("NB_DATA_INVALID");
  });
});
