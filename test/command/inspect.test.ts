/** `narrowband inspect` says what things are. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeCheckpoint } from "../../shared/train/checkpoint-files.ts";
import { golden, temporaryDirectory } from "../model/helpers.ts";
import { run } from "./helpers.ts";

async function facts(...args: string[]): Promise<Record<string, unknown>> {
  const ran = await run(["inspect", ...args, "--json"]);
  expect(ran.exit, ran.stderr).toBe(0);
  return ran.json()[0];
}

/** What stands in golden/llama: 3 blocks, 32 channels, 64 tokens, kv heads of 16 channels, MLP of 48, head of its own. */
const BLOCK = 32 * 32 * 2 + 32 * 16 * 2 + 3 * 32 * 48 + 2 * 32;
const EMBEDDING = 64 * 32;

describe("inspect", () => {
  it("counts a model's parameters, in all and on each side of a cut", async () => {
    const model = await facts(golden("llama"), "--rank", "2");
    expect(model).toMatchObject({
      kind: "model",
      parameters: 3 * BLOCK + 2 * EMBEDDING + 32,
      bytes: 4 * 27_360,
    });
    expect(model.cut).toMatchObject({
      bottomBlocks: 1,
      topBlocks: 1,
      bottom: { blocks: "0", parameters: BLOCK + EMBEDDING },
      trunk: { blocks: "1", parameters: BLOCK },
      top: { blocks: "2", parameters: BLOCK + EMBEDDING + 32 },
      client: { blocks: "0, 2", parameters: 2 * BLOCK + 2 * EMBEDDING + 32 },
      // q and o 32 + 32, k and v 32 + 16, three of the MLP 32 + 48; times the rank.
      server: { parameters: BLOCK, adapterParameters: 2 * (2 * 64 + 2 * 48 + 3 * 80) },
    });
  });

  it("counts a tied embedding once on a client that holds both its ends", async () => {
    const { cut } = (await facts(golden("llama-tied"))) as { cut: Record<string, { parameters: number }> };
    const both = cut.bottom.parameters + cut.top.parameters;
    expect(both - cut.client.parameters).toBe(EMBEDDING);
  });

  it("takes the cut that is asked for, and refuses one that leaves the server nothing", async () => {
    expect((await facts(golden("llama"), "--bottom", "0", "--top", "2")).cut).toMatchObject({
      trunk: { blocks: "0" },
      top: { blocks: "1–2" },
    });
    const { exit, stderr } = await run(["inspect", golden("llama"), "--bottom", "2"]);
    expect(exit).toBe(2);
    expect(stderr).toContain("NB_CONFIG_INVALID");
  });

  it("reads all forms of models that there are", async () => {
    for (const name of ["gpt2", "qwen2", "llama-rope3"])
      expect(await facts(golden(name))).toMatchObject({ kind: "model" });
  });

  it("describes an adapter", async () => {
    expect(await facts(golden("gpt2", "adapter"))).toMatchObject({
      kind: "adapter",
      r: 4,
      alpha: 8,
      blocks: [0, 1, 2],
      modules: ["c_attn", "c_fc", "c_proj"],
      tensors: 24,
    });
  });

  it("lists a safetensors file's tensors when asked", async () => {
    const file = golden("llama", "model.safetensors");
    expect(await facts(file)).toMatchObject({ kind: "safetensors", elements: 27_360, tensors: 30 });
    const { tensors } = (await facts(file, "--tensors")) as { tensors: { name: string; shape: number[] }[] };
    expect(tensors).toContainEqual({ name: "model.norm.weight", dtype: "F32", shape: [32], elements: 32 });
  });

  it("describes the newest checkpoint of a directory, and says when one is torn", async () => {
    const directory = temporaryDirectory();
    const tensors = new Map([["w", { shape: [2, 3], data: new Float32Array(6) }]]);
    const meta = { step: 7, state: new Uint8Array(5) };
    await writeCheckpoint(directory, 3, { kind: "trunk", meta: { step: 3 }, tensors });
    const file = await writeCheckpoint(directory, 7, { kind: "trunk", meta, tensors });
    expect(await facts(directory)).toMatchObject({
      kind: "checkpoint",
      of: "trunk",
      meta: { step: 7, state: "5 bytes" },
      elements: 6,
    });
    writeFileSync(file, "NBCK and nothing more of it");
    const torn = await run(["inspect", file]);
    expect(torn.exit).toBe(1);
    expect(torn.stderr).toContain("NB_CHECKPOINT_INVALID");
  });

  it("says in words what it says in JSON", async () => {
    const { stdout } = await run(["inspect", golden("llama")]);
    expect(stdout).toContain("LLaMA-style language model of 27,360 parameters");
    expect(stdout).toContain("4 times with 32 numbers each: 512 B in f32, 256 B in f16, 48 B at 3 bits");
  });

  it("refuses what it does not know, and what is not there", async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, "empty"));
    writeFileSync(join(directory, "notes.txt"), "hello there, nothing to see");
    for (const path of ["empty", "notes.txt"]) {
      const { exit, stderr } = await run(["inspect", join(directory, path)]);
      expect(exit).toBe(2);
      expect(stderr).toContain("none of the known forms");
    }
    expect((await run(["inspect", join(directory, "nowhere")])).stderr).toContain("NB_FILE_UNREADABLE");
  });
});
