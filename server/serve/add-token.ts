/** `narrowband serve --add-token`: makes a token, keeps its hash, and shows it once. */
import { readFile } from "node:fs/promises";
import type { CommandContext } from "../../shared/command/context.ts";
import { fail } from "../../shared/errors.ts";
import { writeJson } from "../../shared/model/files-node.ts";
import { createToken, readTokenFile, type TokenRecord } from "../tokens.ts";
import type { ServeSettings } from "./settings.ts";

const EMPTY = '{"tokens":[]}';

export async function addToken(settings: ServeSettings, context: CommandContext): Promise<void> {
  const path = settings.tokens as string;
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) =>
    error.code === "ENOENT" ? EMPTY : fail("NB_FILE_UNREADABLE", `${path}: ${error.message}`),
  );
  // Refuses a file that is not one of tokens, before anything is added to it.
  if (text !== EMPTY) readTokenFile(path);
  const { tokens } = JSON.parse(text) as { tokens: TokenRecord[] };
  const { token, record } = createToken(
    settings.addToken as string,
    settings.job === "default" ? "*" : settings.job,
  );
  await writeJson(path, { tokens: [...tokens, record] });
  await context.result({ token, record });
  context.print(token);
  context.note(
    `For ${record.id}, good for ${record.job === "*" ? "all jobs" : `the job ${record.job}`}. It is not shown again.`,
  );
}
