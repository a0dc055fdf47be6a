/** An index that points outside its directory, or at what is no weight file. */
import { describe, it } from "vitest";
import { memoryFiles } from "../../shared/model/byte-source.ts";
import { openModel } from "../../shared/model/hf-directory.ts";
import { failure } from "../model/helpers.ts";

const CONFIG = { model_type: "gpt2", vocab_size: 10, n_embd: 8, n_layer: 1, n_head: 1 };

function withIndex(index: string) {
  const bytes = (text: string) => new TextEncoder().encode(text);
  return memoryFiles(
    "dir",
    new Map([
      ["config.json", bytes(JSON.stringify(CONFIG))],
      ["model.safetensors.index.json", bytes(index)],
    ]),
  );
}

describe("model.safetensors.index.json", () => {
  it.each([
    "../secret.safetensors",
    "..\\secret.safetensors",
    "/etc/secret.safetensors",
    "C:\\secret.safetensors",
    "sub/model.safetensors",
    "..",
    ".safetensors",
    ".hidden.safetensors",
    "model.safetensors\u0000.txt",
    "model.safetensors/",
    "passwd",
    "",
    "http://other.example/model.safetensors",
    `${"a".repeat(300)}.safetensors`,
  ])("a shard called %j is refused", async (file) => {
    await failure("NB_MODEL_INVALID", () =>
      openModel(withIndex(JSON.stringify({ weight_map: { x: file } }))),
    );
  });

  it.each([
    '{"weight_map":{"x":1}}',
    '{"weight_map":{"__proto__":"../secret.safetensors"}}',
    '{"weight_map":[]}',
    '{"weight_map":null}',
    "{}",
    "[]",
    "null",
  ])("%s is refused", async (index) => {
    await failure("NB_MODEL_INVALID", () => openModel(withIndex(index)));
  });

  it("more shards than any model has are refused before one is opened", async () => {
    const weights = Object.fromEntries(
      Array.from({ length: 1001 }, (_, i) => [`t${i}`, `m${i}.safetensors`]),
    );
    await failure("NB_MODEL_INVALID", () => openModel(withIndex(JSON.stringify({ weight_map: weights }))));
  });
});
