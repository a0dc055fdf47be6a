/**
 * Our adapter files in real PEFT. Needs Python with torch, transformers and peft: NARROWBAND_PYTHON names the
 * interpreter (default python3). Where they are not to be had the tests are skipped by name.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseHfConfig } from "../../shared/model/config.ts";
import {
  directoryFiles,
  readAdapterDirectory,
  writeAdapterDirectory,
  writeMergedModel,
} from "../../shared/model/files-node.ts";
import { readSafetensors } from "../../shared/model/safetensors.ts";
import { golden, goldenJson, temporaryDirectory } from "./helpers.ts";

const python = process.env.NARROWBAND_PYTHON ?? "python3";
const script = fileURLToPath(new URL("../oracle/check_adapter.py", import.meta.url));
// find_spec looks for the packages without the seconds that importing them takes.
const probe =
  "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ('torch', 'transformers', 'peft'))))";
const available = spawnSync(python, ["-c", probe]).status === 0;

interface Result {
  logits: number[];
  mergedLogits: number[];
  warnings: string[];
  largestB: number;
}

describe.skipIf(!available)(`our files in PEFT (${python})`, () => {
  it.each(["llama", "llama-rope3", "qwen2", "gpt2"])(
    "%s: the adapter and the merged model give the logits of the golden",
    async (name) => {
      const adapter = await readAdapterDirectory(golden(name, "adapter"));
      const [adapterDirectory, merged] = [temporaryDirectory(), temporaryDirectory()];
      await writeAdapterDirectory(adapterDirectory, parseHfConfig(goldenJson(name, "config.json")), adapter);
      await writeMergedModel(merged, directoryFiles(golden(name)), adapter);
      const args = [script, golden(name), adapterDirectory, golden(name, "case.json"), "--merged", merged];
      const result: Result = JSON.parse(
        execFileSync(python, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
      );
      expect(result.warnings).toEqual([]);
      expect(result.largestB).toBeGreaterThan(0);

      const { tensors } = readSafetensors(readFileSync(join(golden(name), "expected.safetensors")));
      const expected = tensors.get("lora.logits")!.data;
      const scale = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
      for (const logits of [result.logits, result.mergedLogits]) {
        expect(logits).toHaveLength(expected.length);
        logits.forEach((value, i) => {
          expect(Math.abs(value - expected[i])).toBeLessThan(1e-5 * scale);
        });
      }
    },
    120_000,
  );
});
