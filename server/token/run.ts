/** What `narrowband token` does. */
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatTable } from "../../shared/command/format.ts";
import { fail } from "../../shared/errors.ts";
import type { tokenCommand } from "../commands/token.ts";
import { changeTokenFile, readTokenRecords } from "../token-file.ts";
import { createToken, type TokenRecord } from "../tokens.ts";

type TokenSettings = z.output<typeof tokenCommand.options>;

const HOUR_MS = 3_600_000;

/**
 * The time that `--expires` means; undefined for never.
 *
 * @throws NB_CONFIG_INVALID for dates that do not exist or are past.
 */
export function expiryOf(text: string, now: number): Date | undefined {
  if (text === "never") return undefined;
  const unit = text.at(-1);
  if (unit === "h" || unit === "d") {
    const hours = Number(text.slice(0, -1)) * (unit === "d" ? 24 : 1);
    return new Date(now + hours * HOUR_MS);
  }
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) fail("NB_CONFIG_INVALID", `--expires: there is no date ${text}`);
  if (date.getTime() <= now) fail("NB_CONFIG_INVALID", `--expires: ${text} is past`);
  return date;
}

/** A record as it is shown: without its hash. */
function shown({ sha256: _, ...record }: TokenRecord): Omit<TokenRecord, "sha256"> & { expired: boolean } {
  return { ...record, expired: record.expires !== undefined && Date.parse(record.expires) <= Date.now() };
}

async function create(settings: TokenSettings, context: CommandContext): Promise<void> {
  const { tokens: path, job, role, holder: id = "" } = settings;
  const made = createToken({ id, job, role, expires: expiryOf(settings.expires, Date.now()) });
  await changeTokenFile(path, true, (records) => {
    if (records.some((record) => record.id === id))
      fail("NB_CONFIG_INVALID", `--holder: ${path} has a token of ${JSON.stringify(id)}; revoke it first`);
    return [...records, made.record];
  });
  await context.result({ token: made.token, record: shown(made.record) });
  if (!context.json) context.print(made.token);
  const jobs = job === "*" ? "all jobs" : `the job ${job}`;
  const until = made.record.expires === undefined ? "until it is revoked" : `until ${made.record.expires}`;
  context.note(`For ${id}: ${role} of ${jobs}, ${until}. It is not shown again.`);
}

async function list(settings: TokenSettings, context: CommandContext): Promise<void> {
  const tokens = readTokenRecords(settings.tokens).map(shown);
  await context.result({ tokens });
  if (context.json) return;
  const head = ["holder", "role", "job", "created", "expires"];
  const rows = tokens.map(({ id, role, job, created, expires, expired }) => {
    return [id, role, job, created ?? "", expired ? `${expires} (expired)` : (expires ?? "never")];
  });
  for (const line of formatTable(head, rows)) context.print(line);
}

async function revoke(settings: TokenSettings, context: CommandContext): Promise<void> {
  const { tokens: path, holder: id = "" } = settings;
  await changeTokenFile(path, false, (records) => {
    const left = records.filter((record) => record.id !== id);
    if (left.length === records.length)
      fail("NB_CONFIG_INVALID", `--holder: ${path} has no token of ${JSON.stringify(id)}`);
    return left;
  });
  await context.result({ revoked: id });
  if (!context.json) context.print(`the token of ${id} is revoked`);
}

export function runToken(settings: TokenSettings, context: CommandContext): Promise<void> {
  return { create, list, revoke }[settings.action](settings, context);
}
