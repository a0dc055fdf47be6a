/** Experiments on a model that is one GGUF file instead of a directory. */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cellsOf, parseExperiment } from "../../experiments/runner/experiment.ts";
import { runMemoryCell } from "../../experiments/runner/memory-cell.ts";
import type { BareRow } from "../../experiments/runner/rows.ts";
import { modelDigest } from "../../experiments/runner/versions.ts";
import { failure, golden, temporaryDirectory } from "../model/helpers.ts";

const FILE = golden("gguf", "model.gguf");

describe("the hash of a model", () => {
  it("that is a GGUF file is of that file, wherever it stands and whatever lies beside it", () => {
    const directory = temporaryDirectory();
    const path = join(directory, "model.gguf");
    copyFileSync(FILE, path);
    expect(modelDigest(path)).toMatch(/^[0-9a-f]{16}$/);
    expect(modelDigest(path)).toBe(modelDigest(FILE));
    writeFileSync(join(directory, "notes.json"), "{}");
    expect(modelDigest(path)).toBe(modelDigest(FILE));
    writeFileSync(path, "GGUF");
    expect(modelDigest(path)).not.toBe(modelDigest(FILE));
  });

  it("that is a GGUF file covers the tokenizer beside it, which is read instead of the file's own", () => {
    const directory = temporaryDirectory();
    const path = join(directory, "model.gguf");
    copyFileSync(FILE, path);
    writeFileSync(join(directory, "tokenizer_config.json"), "{}");
    expect(modelDigest(path)).toBe(modelDigest(FILE));
    writeFileSync(join(directory, "tokenizer.json"), "{}");
    const withBoth = modelDigest(path);
    expect(withBoth).not.toBe(modelDigest(FILE));
    writeFileSync(join(directory, "tokenizer_config.json"), "[]");
    expect(modelDigest(path)).not.toBe(withBoth);
  });

  it("that is a directory is of the files that are read of it", () => {
    const directory = temporaryDirectory();
    copyFileSync(FILE, join(directory, "model.gguf"));
    const before = modelDigest(directory);
    writeFileSync(join(directory, "README.md"), "about it");
    expect(modelDigest(directory)).toBe(before);
    writeFileSync(join(directory, "config.json"), "{}");
    expect(modelDigest(directory)).not.toBe(before);
  });

  it("needs the file", async () => {
    expect(await failure("NB_FILE_UNREADABLE", () => modelDigest("nowhere/model.gguf"))).toContain(
      "nowhere/model.gguf",
    );
  });
});

it("a cell trains and measures a GGUF file's model", async () => {
  const [cell] = cellsOf(
    await parseExperiment(
      "x.yaml",
      `
name: gguf
models: ["${FILE}"]
seeds: [1]
settings: { steps: 2, clients: 2, rows: 2, length: 16, testTokens: 64, learningRate: 0.01, evaluateEvery: 2, bottom: 0, top: 0 }
tasks: [moby-dick]
arms: [{ name: three, activations: "fixed:3", gradients: "fixed:3" }]
`,
    ),
  );
  const rows: BareRow[] = [];
  await runMemoryCell(cell, { onRow: (row) => rows.push(row) });
  const losses = rows.flatMap((row) => (row.row === "evaluation" ? [row.metrics.loss] : []));
  expect(losses.length).toBe(2);
  expect(losses.every((loss) => loss > 0 && loss < 20)).toBe(true);
  expect(losses[1]).not.toBe(losses[0]);
}, 30_000);
