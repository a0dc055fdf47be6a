/** The table of attacks lists the files that there are. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("the table of attacks has a row for each file, and for no other", () => {
  const directory = fileURLToPath(new URL(".", import.meta.url));
  const table = readFileSync(`${directory}/README.md`, "utf8");
  const rows = [...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  const files = readdirSync(directory)
    .filter((name) => name.endsWith(".test.ts") && name !== "readme.test.ts")
    .map((name) => name.replace(/\.test\.ts$/, ""));
  expect(rows.toSorted()).toEqual(files.toSorted());
});
