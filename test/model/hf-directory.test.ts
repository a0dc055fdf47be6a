import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { memoryFiles } from "../../shared/model/byte-source.ts";
import { wholeModel } from "../../shared/model/cut.ts";
import { outerNames } from "../../shared/model/families.ts";
import { directoryFiles, openModelDirectory, writeModelDirectory } from "../../shared/model/files-node.ts";
import { openModel } from "../../shared/model/hf-directory.ts";
import { adaptedLinears } from "../../shared/model/lora.ts";
import { readTensor } from "../../shared/model/tensor-source.ts";
import { failure, golden, temporaryDirectory } from "./helpers.ts";

const ALL = { r: 1, alpha: 1, dropout: 0, targetModules: "all-linear" } as const;

describe("a model directory", () => {
  it.each(["llama", "llama-tied", "llama-rope3", "qwen2", "gpt2"])(
    "%s: holds every weight in the shape that its config gives it",
    async (name) => {
      const { config, tensors, close } = await openModelDirectory(golden(name));
      const { embedding, head, finalNorm } = outerNames(config);
      const table = [config.vocabSize, config.hiddenSize];
      await readTensor(tensors, embedding, table);
      await readTensor(tensors, head, table);
      await readTensor(tensors, `${finalNorm.path}.weight`, [config.hiddenSize]);
      const { from, to } = wholeModel(config);
      for (const { path, inFeatures, outFeatures, layout } of adaptedLinears(config, ALL, from, to)) {
        const shape = layout === "out_in" ? [outFeatures, inFeatures] : [inFeatures, outFeatures];
        const weight = await readTensor(tensors, `${path}.weight`, shape);
        expect(weight.every(Number.isFinite)).toBe(true);
      }
      await close();
    },
  );

  it("reads a tensor when all shards but its own are deleted", async () => {
    const directory = temporaryDirectory();
    cpSync(golden("llama-rope3"), directory, { recursive: true });
    const model = await openModelDirectory(directory);
    const name = "model.layers.1.mlp.up_proj.weight";
    const whole = await model.tensors.read(name);
    await model.close();
    // Which shard it is in, is found by deleting: with one left, the tensor is read or its shard is missed.
    let read = 0;
    for (const keep of [1, 2, 3]) {
      const copy = temporaryDirectory();
      cpSync(directory, copy, { recursive: true });
      for (const shard of [1, 2, 3])
        if (shard !== keep) rmSync(join(copy, `model-0000${shard}-of-00003.safetensors`));
      const part = await openModelDirectory(copy);
      try {
        expect(await part.tensors.read(name)).toEqual(whole);
        read++;
      } catch (error) {
        expect(String(error)).toContain("there is no model-0000");
      }
      await part.close();
    }
    expect(read).toBe(1);
  });

  it("is written and read back in bf16 within its rounding", async () => {
    const model = await openModelDirectory(golden("gpt2"));
    const tensors = new Map();
    for (const name of model.tensors.names())
      tensors.set(name, { shape: await model.tensors.shape(name), data: await model.tensors.read(name) });
    const directory = temporaryDirectory();
    await writeModelDirectory(directory, model.config, tensors, "BF16");
    const copy = await openModelDirectory(directory);
    expect(copy.config).toEqual(model.config);
    expect([...copy.tensors.names()].sort()).toEqual([...tensors.keys()].sort());
    for (const [name, { data }] of tensors) {
      expect(await copy.tensors.dtype(name)).toBe("BF16");
      (await copy.tensors.read(name)).forEach((value, i) => {
        expect(Math.abs(value - data[i])).toBeLessThanOrEqual(Math.abs(data[i]) * 2 ** -8);
      });
    }
    await copy.close();
    await model.close();
  });
});

describe("a directory that lacks something says what", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const CONFIG = bytes(
    JSON.stringify({
      model_type: "gpt2",
      vocab_size: 10,
      n_embd: 8,
      n_layer: 1,
      n_head: 1,
    }),
  );

  it("config.json", async () => {
    const message = await failure("NB_FILE_UNREADABLE", () => openModel(memoryFiles("dir", new Map())));
    expect(message).toBe("dir: there is no config.json");
  });

  it("config.json that is not JSON", async () => {
    const files = memoryFiles("dir", new Map([["config.json", bytes("{")]]));
    expect(await failure("NB_MODEL_INVALID", () => openModel(files))).toContain(
      "dir/config.json is not JSON",
    );
  });

  it("weights", async () => {
    const files = memoryFiles("dir", new Map([["config.json", CONFIG]]));
    expect(await failure("NB_FILE_UNREADABLE", () => openModel(files))).toContain(
      "neither model.safetensors nor",
    );
  });

  it("a shard", async () => {
    const index = bytes(JSON.stringify({ weight_map: { x: "model-1.safetensors" } }));
    const files = memoryFiles(
      "dir",
      new Map([
        ["config.json", CONFIG],
        ["model.safetensors.index.json", index],
      ]),
    );
    const model = await openModel(files);
    expect(await failure("NB_FILE_UNREADABLE", () => model.tensors.read("x"))).toContain(
      "model-1.safetensors",
    );
  });

  it("tokenizer.json", async () => {
    const model = await openModelDirectory(golden("gpt2"));
    expect(await failure("NB_FILE_UNREADABLE", () => model.tokenizer())).toContain("tokenizer.json");
    await model.close();
  });

  it("a directory that is a file, and a path that is none", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "file"), "x");
    await failure("NB_FILE_UNREADABLE", () => openModelDirectory(join(directory, "file")));
    await failure("NB_FILE_UNREADABLE", () => openModelDirectory(join(directory, "none")));
    await failure("NB_INTERNAL", () => directoryFiles(directory).open("../x"));
  });
});
