import { copyFileSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  directoryFiles,
  openModelDirectory,
  readAdapterDirectory,
  writeMergedModel,
} from "../../shared/model/files-node.ts";
import { addLowRank } from "../../shared/model/merge.ts";
import { readSafetensors, writeSafetensors } from "../../shared/model/safetensors.ts";
import { golden, temporaryDirectory } from "./helpers.ts";

describe("W + scale · B·A", () => {
  // A [2, 3], B [2, 2]: B·A = [[1·1+2·4, …], …]
  const a = Float32Array.of(1, 2, 3, 4, 5, 6);
  const b = Float32Array.of(1, 2, 3, 4);

  it("by hand, in the layout of a linear layer", () => {
    const weight = new Float32Array(6).fill(100);
    addLowRank(weight, a, b, 2, 0.5, { inFeatures: 3, outFeatures: 2, layout: "out_in" });
    expect([...weight]).toEqual([104.5, 106, 107.5, 109.5, 113, 116.5]);
  });

  it("by hand, transposed, in the layout of GPT-2's Conv1D", () => {
    const weight = new Float32Array(6).fill(100);
    addLowRank(weight, a, b, 2, 0.5, { inFeatures: 3, outFeatures: 2, layout: "in_out" });
    expect([...weight]).toEqual([104.5, 109.5, 106, 113, 107.5, 116.5]);
  });
});

describe("a merged model directory", () => {
  it.each(["llama-rope3", "qwen2", "gpt2"])(
    "%s: changes the adapted weights and nothing else",
    async (name) => {
      const directory = temporaryDirectory();
      const adapter = await readAdapterDirectory(golden(name, "adapter"));
      await writeMergedModel(directory, directoryFiles(golden(name)), adapter);
      const base = await openModelDirectory(golden(name));
      const merged = await openModelDirectory(directory);
      expect(merged.config).toEqual(base.config);
      expect([...merged.tensors.names()].sort()).toEqual([...base.tensors.names()].sort());
      let changed = 0;
      for (const tensor of base.tensors.names()) {
        const before = await base.tensors.read(tensor);
        const after = await merged.tensors.read(tensor);
        const adapted = adapter.tensors.has(
          `base_model.model.${tensor.replace(/\.weight$/, "")}.lora_A.weight`,
        );
        if (adapted) changed++;
        expect(
          after.every((value, i) => value === before[i]),
          tensor,
        ).toBe(!adapted);
      }
      expect(changed).toBe(adapter.tensors.size / 2);
      await base.close();
      await merged.close();
    },
  );

  it("carries the tokenizer over and says its element type", async () => {
    const source = temporaryDirectory();
    cpSync(golden("llama"), source, { recursive: true });
    writeFileSync(join(source, "tokenizer.json"), '{"a": 1}');
    const directory = temporaryDirectory();
    const adapter = await readAdapterDirectory(golden("llama", "adapter"));
    await writeMergedModel(directory, directoryFiles(source), adapter, { dtype: "BF16" });
    expect(readFileSync(join(directory, "tokenizer.json"), "utf8")).toBe('{"a": 1}');
    const config = JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));
    expect(config).toMatchObject({ dtype: "bfloat16", torch_dtype: "bfloat16" });
  });

  it("of files whose names leave the root module out, as the original GPT-2's do", async () => {
    const source = temporaryDirectory();
    copyFileSync(golden("gpt2", "config.json"), join(source, "config.json"));
    const { tensors } = readSafetensors(readFileSync(golden("gpt2", "model.safetensors")));
    const bare = new Map([...tensors].map(([name, tensor]) => [name.replace(/^transformer\./, ""), tensor]));
    writeFileSync(join(source, "model.safetensors"), writeSafetensors(bare));
    const adapter = await readAdapterDirectory(golden("gpt2", "adapter"));
    const [full, short] = [temporaryDirectory(), temporaryDirectory()];
    await writeMergedModel(full, directoryFiles(golden("gpt2")), adapter);
    await writeMergedModel(short, directoryFiles(source), adapter);
    const a = await openModelDirectory(full);
    const b = await openModelDirectory(short);
    const name = "h.1.mlp.c_proj.weight";
    expect(await b.tensors.read(name)).toEqual(await a.tensors.read(`transformer.${name}`));
    await a.close();
    await b.close();
  });
});
