/**
 * Bearer tokens: who may join which job. A token is 32 random bytes, shown once; the server keeps its SHA-256 only. (A slow password hash would
 * add nothing: nobody can guess 256 random bits.)
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { fail } from "../shared/errors.ts";
import type { Refusal } from "../shared/protocol/messages.ts";

const tokenSchema = z.strictObject({
  /** For people: who holds it. Never secret. */
  id: z.string().min(1).max(64),
  /** SHA-256 of the token, lowercase hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Job that it is good for; "*" for all. */
  job: z.string().min(1).max(64).default("*"),
  /** client: takes part; observer: reads the API; admin: both. */
  role: z.enum(["client", "observer", "admin"]).default("client"),
});

const fileSchema = z.strictObject({ tokens: z.array(tokenSchema).max(10_000) });

export type TokenRecord = z.infer<typeof tokenSchema>;
export type TokenRole = TokenRecord["role"];

function digest(token: string): Buffer {
  return createHash("sha256").update(token, "utf8").digest();
}

/** A fresh token and the record to keep of it. */
export function createToken(
  id: string,
  job = "*",
  role: TokenRole = "client",
): { token: string; record: TokenRecord } {
  const token = `nb_${randomBytes(32).toString("base64url")}`;
  return { token, record: { id, sha256: digest(token).toString("hex"), job, role } };
}

/** Reads a token file: JSON, `{ "tokens": [{ "id", "sha256", "job", "role" }] }`. NB_FILE_UNREADABLE, NB_CONFIG_INVALID. */
export function readTokenFile(path: string): TokenStore {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return fail("NB_FILE_UNREADABLE", `tokens: ${path}: ${(error as Error).message}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return fail("NB_CONFIG_INVALID", `tokens: ${path} is not JSON: ${(error as Error).message}`);
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return fail("NB_CONFIG_INVALID", `tokens: ${path}: ${issue.path.join(".")}: ${issue.message}`);
  }
  return new TokenStore(parsed.data.tokens);
}

export class TokenStore {
  readonly #records: readonly { readonly record: TokenRecord; readonly hash: Buffer }[];

  constructor(records: readonly TokenRecord[]) {
    this.#records = records.map((record) => ({ record, hash: Buffer.from(record.sha256, "hex") }));
  }

  /** The record of a token, if there is one. Takes the same time whatever the token is. */
  find(token: string): TokenRecord | undefined {
    const presented = digest(token);
    let found: TokenRecord | undefined;
    for (const { record, hash } of this.#records) {
      if (timingSafeEqual(presented, hash)) found = record;
    }
    return found;
  }

  /** What is wrong with a token for joining `job`, if anything. The message does not say which of its properties is. */
  refusal(token: string, job: string, role: "client" | "observer"): Refusal | undefined {
    const record = this.find(token);
    const inScope = record !== undefined && (record.job === "*" || record.job === job);
    if (inScope && (record.role === role || record.role === "admin")) return undefined;
    const message = token === "" ? "no token was given" : "the token is not good for this";
    return { code: "NB_AUTH_REFUSED", message };
  }
}

/** The token of an `Authorization: Bearer` header, or the empty string. */
export function bearerToken(header: string | undefined): string {
  const match = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i.exec(header ?? "");
  return match?.[1] ?? "";
}
