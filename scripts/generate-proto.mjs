/**
 * Generates static JavaScript and its declarations from every proto/*.proto into proto/generated/, which is committed:
 * users and browsers then need no generator and no reflection, and never load a schema that a peer sent.
 *
 *   node scripts/generate-proto.mjs           writes proto/generated/
 *   node scripts/generate-proto.mjs --check   regenerates elsewhere and exits with 1 if the committed files differ
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pbjs from "protobufjs-cli/pbjs.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const protoDirectory = join(root, "proto");
const generatedDirectory = join(protoDirectory, "generated");

/** onnx.proto keeps ONNX's own snake_case, so that the code reads like ONNX's specification. */
const extraFlags = { onnx: ["--keep-case"] };

const runPbjs = promisify(pbjs.main);

/** Generates all of proto/*.proto into `directory`; returns the names of the files it wrote. */
async function generate(directory) {
  const written = [];
  const sources = readdirSync(protoDirectory).filter((name) => name.endsWith(".proto"));
  for (const source of sources.sort()) {
    const name = basename(source, ".proto");
    const output = join(directory, `${name}.js`);
    const flags = [
      "--target",
      "static-module",
      "--wrap",
      "esm",
      "--root",
      `narrowband_${name}`,
      "--force-number",
    ];
    flags.push("--no-create", "--no-verify", "--no-delimited", "--no-typeurl", "--no-service");
    flags.push(...(extraFlags[name] ?? []));
    await runPbjs([...flags, "--dts", "--out", output, join(protoDirectory, source)]);
    written.push(`${name}.d.ts`, `${name}.js`);
  }
  return written;
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

if (process.argv.includes("--check")) {
  const directory = mkdtempSync(join(tmpdir(), "narrowband-proto-"));
  try {
    const expected = await generate(directory);
    const present = readdirSync(generatedDirectory);
    const problems = [
      ...expected
        .filter((name) => read(join(directory, name)) !== read(join(generatedDirectory, name)))
        .map(
          (name) =>
            `proto/generated/${name} is ${present.includes(name) ? "not what the .proto gives" : "missing"}`,
        ),
      ...present
        .filter((name) => !expected.includes(name))
        .map((name) => `proto/generated/${name} has no .proto`),
    ];
    if (problems.length > 0) {
      console.error(`${problems.join("\n")}\nRun "npm run generate" and commit the result.`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
} else {
  mkdirSync(generatedDirectory, { recursive: true });
  console.log(`proto/generated: ${(await generate(generatedDirectory)).join(", ")}`);
}
