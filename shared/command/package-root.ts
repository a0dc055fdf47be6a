/**
 * Where this package is installed (Node only): its version, and the model that it brings with it. The compiled program
 * stands one directory deeper than its source, so the place is looked for, not assumed.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fail } from "../errors.ts";

const NAME = "narrowband";

interface PackageJson {
  readonly name?: unknown;
  readonly version?: unknown;
}

function find(): { root: string; json: PackageJson } {
  let directory = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    try {
      const json: PackageJson = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
      if (json.name === NAME) return { root: directory, json };
    } catch {
      // No package.json here.
    }
    const parent = dirname(directory);
    if (parent === directory) fail("NB_INTERNAL", `the package.json of ${NAME} is nowhere above this file`);
    directory = parent;
  }
}

/** The directory of the package. */
export function packageRoot(): string {
  return find().root;
}

/** The package's version. */
export function packageVersion(): string {
  return String(find().json.version);
}
