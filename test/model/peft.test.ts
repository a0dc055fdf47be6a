import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ModelConfig, parseHfConfig } from "../../shared/model/config.ts";
import { readAdapterDirectory, writeAdapterDirectory } from "../../shared/model/files-node.ts";
import {
  type Adapter,
  adaptedLayers,
  adapterConfigJson,
  checkAdapter,
  parseAdapter,
} from "../../shared/model/peft.ts";
import { writeSafetensors } from "../../shared/model/safetensors.ts";
import { failure, golden, goldenJson, temporaryDirectory } from "./helpers.ts";

const NAMES = ["llama", "llama-tied", "llama-rope3", "qwen2", "gpt2"];
const configOf = (name: string): ModelConfig => parseHfConfig(goldenJson(name, "config.json"));

describe("an adapter that PEFT wrote", () => {
  it.each(NAMES)("%s: is read, fits its model, and is written as it was", async (name) => {
    const config = configOf(name);
    const adapter = await readAdapterDirectory(golden(name, "adapter"));
    checkAdapter(config, adapter);
    expect(adapter.lora).toMatchObject({ r: 4, alpha: 8, dropout: 0 });

    const directory = temporaryDirectory();
    await writeAdapterDirectory(directory, config, { ...adapter, baseModel: "some/model" });
    const again = await readAdapterDirectory(directory);
    expect(again).toEqual({ ...adapter, baseModel: "some/model" });

    const theirs = goldenJson<Record<string, unknown>>(name, "adapter", "adapter_config.json");
    const ours = JSON.parse(readFileSync(join(directory, "adapter_config.json"), "utf8"));
    for (const field of Object.keys(ours).filter((f) => f !== "base_model_name_or_path"))
      expect(ours[field], field).toEqual(
        field === "target_modules" ? (theirs[field] as string[]).toSorted() : theirs[field],
      );
    expect(readFileSync(join(directory, "README.md"), "utf8")).toContain('base_model: "some/model"');
  });
});

describe("an adapter's settings", () => {
  const config = configOf("gpt2");

  it("say fan_in_fan_out for GPT-2 and name modules instead of all-linear", async () => {
    const adapter = await readAdapterDirectory(golden("gpt2", "adapter"));
    const json = adapterConfigJson(config, {
      ...adapter,
      lora: { ...adapter.lora, targetModules: "all-linear" },
    });
    expect(json).toMatchObject({
      peft_type: "LORA",
      task_type: "CAUSAL_LM",
      fan_in_fan_out: true,
      inference_mode: true,
      bias: "none",
      target_modules: ["c_attn", "c_fc", "c_proj"],
    });
  });

  it("list the blocks of one side of a split model", async () => {
    const adapter = await readAdapterDirectory(golden("gpt2", "adapter"));
    const own = new Map([...adapter.tensors].filter(([key]) => !key.includes(".h.1.")));
    const layers = adaptedLayers(config, adapter.lora, own.keys());
    expect(layers).toEqual([0, 2]);
    expect(adaptedLayers(config, adapter.lora, adapter.tensors.keys())).toBeUndefined();
    const directory = temporaryDirectory();
    await writeAdapterDirectory(directory, config, { lora: adapter.lora, layers, tensors: own });
    const read = await readAdapterDirectory(directory);
    expect(read.layers).toEqual([0, 2]);
    checkAdapter(config, read);
  });
});

describe("an adapter that would compute something else is refused", () => {
  const json = goldenJson<Record<string, unknown>>("llama", "adapter", "adapter_config.json");
  const weights = new Uint8Array(readFileSync(golden("llama", "adapter", "adapter_model.safetensors")));

  it.each([
    ["use_rslora", true],
    ["use_dora", true],
    ["lora_bias", true],
    ["bias", "all"],
    ["modules_to_save", ["lm_head"]],
    ["rank_pattern", { q_proj: 8 }],
    ["alpha_pattern", { q_proj: 8 }],
    ["exclude_modules", ["v_proj"]],
    ["layer_replication", [[0, 1]]],
    ["target_parameters", ["x"]],
    ["trainable_token_indices", [1]],
  ])("%s", async (field, value) => {
    expect(
      await failure("NB_ADAPTER_INVALID", () => parseAdapter({ ...json, [field]: value }, weights)),
    ).toContain(field);
  });

  it.each([
    ["peft_type", "IA3"],
    ["r", 0],
    ["r", 2.5],
    ["lora_alpha", 0],
    ["lora_dropout", 1],
    ["target_modules", ".*proj"],
    ["layers_to_transform", [-1]],
  ])("%s %j", async (field, value) => {
    expect(
      await failure("NB_ADAPTER_INVALID", () => parseAdapter({ ...json, [field]: value }, weights)),
    ).toContain(field);
  });

  it("keys without PEFT's prefix, which PEFT itself would ignore", async () => {
    const tensors = new Map([
      ["model.layers.0.self_attn.q_proj.lora_A.weight", { shape: [1], data: new Float32Array(1) }],
    ]);
    expect(
      await failure("NB_ADAPTER_INVALID", () => parseAdapter(json, writeSafetensors(tensors))),
    ).toContain("base_model.model.");
  });
});

describe("an adapter that is not of the model is refused", () => {
  const config = configOf("llama");
  const change = async (
    edit: (tensors: Map<string, { shape: readonly number[]; data: Float32Array }>) => void,
  ) => {
    const adapter = await readAdapterDirectory(golden("llama", "adapter"));
    const tensors = new Map(adapter.tensors);
    edit(tensors);
    return { ...adapter, tensors } satisfies Adapter;
  };
  const key = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";

  it("a tensor is missing", async () => {
    const adapter = await change((tensors) => tensors.delete(key));
    expect(await failure("NB_ADAPTER_INVALID", () => checkAdapter(config, adapter))).toContain(key);
  });

  it("a tensor has another shape", async () => {
    const adapter = await change((tensors) =>
      tensors.set(key, { shape: [32, 4], data: new Float32Array(128) }),
    );
    expect(await failure("NB_ADAPTER_INVALID", () => checkAdapter(config, adapter))).toContain("[32, 4]");
  });

  it("a tensor belongs to no layer of it", async () => {
    const foreign = "base_model.model.model.layers.9.self_attn.q_proj.lora_A.weight";
    const adapter = await change((tensors) => tensors.set(foreign, tensors.get(key)!));
    expect(await failure("NB_ADAPTER_INVALID", () => checkAdapter(config, adapter))).toContain(foreign);
  });

  it("its blocks are beyond the model's", async () => {
    const adapter = await readAdapterDirectory(golden("llama", "adapter"));
    await failure("NB_ADAPTER_INVALID", () => checkAdapter(config, { ...adapter, layers: [0, 7] }));
  });

  it("it is of another family", async () => {
    const adapter = await readAdapterDirectory(golden("gpt2", "adapter"));
    await failure("NB_CONFIG_INVALID", () => checkAdapter(config, adapter));
  });
});
