/** `narrowband --help` reads descriptions, and no engine: what cli.ts imports before a command runs stays small. */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Files and packages that are loaded with `entry`, by static imports of values. */
function loadedWith(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const source = readFileSync(file, "utf8");
    for (const [, clause, from] of source.matchAll(/^(?:import|export)\s+([^;]*?\bfrom\s+)?"([^"]+)";/gms)) {
      if (/^type\s/.test(clause ?? "")) continue;
      if (from.startsWith(".")) visit(join(dirname(file), from));
      else if (!from.startsWith("node:")) packages.add(from);
    }
  };
  visit(join(ROOT, entry));
  return { files, packages };
}

describe("cli.ts", () => {
  it("loads commander and zod and no other package before a command runs", () => {
    expect([...loadedWith("cli.ts").packages].sort()).toEqual(["commander", "zod"]);
  });

  it("loads descriptions, and no module that does the work", () => {
    const files = [...loadedWith("cli.ts").files].map((file) => relative(ROOT, file));
    expect(files.filter((file) => /^shared\/(graph|model|train|data|codec)\//.test(file))).toEqual([]);
    expect(
      files.filter((file) => file.startsWith("client/") && !file.startsWith("client/commands/")),
    ).toEqual([]);
  });
});
