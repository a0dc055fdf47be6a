/** docs/cli.md ends with the reference that the definitions make; `npx vitest run test/command -u` writes it anew. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../commands.ts";
import { commandReference } from "../../shared/command/markdown.ts";

const PAGE = fileURLToPath(new URL("../../docs/cli.md", import.meta.url));
const MARK = "<!-- From here on made from the commands' definitions: npx vitest run test/command -u -->\n";

describe("docs/cli.md", () => {
  it("says what the commands' help says", async () => {
    const [written] = readFileSync(PAGE, "utf8").split(MARK);
    await expect(`${written}${MARK}\n${commandReference(COMMANDS)}`).toMatchFileSnapshot(PAGE);
  });

  it("has a section for every command", () => {
    const page = readFileSync(PAGE, "utf8");
    for (const { name } of COMMANDS) expect(page).toContain(`\n## narrowband ${name}\n`);
  });
});
