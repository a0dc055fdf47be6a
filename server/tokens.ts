/**
 * Bearer tokens: who may join which job, and who may look. A token is 32 random bytes, shown once; the server keeps its SHA-256 only. (A slow
 * password hash would add nothing: nobody can guess 256 random bits.)
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Refusal } from "../shared/protocol/messages.ts";

export const TOKEN_ROLES = ["client", "observer", "admin"] as const;

/** Names of jobs as the wire has them, or "*". */
export const TOKEN_JOB = /^(\*|[A-Za-z0-9_-][A-Za-z0-9._-]{0,63})$/;

export const tokenSchema = z.strictObject({
  /** For people: who holds it. Never secret; unique in a file. */
  id: z.string().min(1).max(64),
  /** SHA-256 of the token, lowercase hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Job that it is good for; "*" for all. */
  job: z.string().regex(TOKEN_JOB).default("*"),
  /** client: takes part; observer: reads the API and the metrics; admin: both, and may stop jobs. */
  role: z.enum(TOKEN_ROLES).default("client"),
  /** When it was made and when it ceases to be good, ISO 8601 in UTC. Without `expires` it stays good until it is revoked. */
  created: z.iso.datetime().optional(),
  expires: z.iso.datetime().optional(),
});

export type TokenRecord = z.infer<typeof tokenSchema>;
export type TokenRole = TokenRecord["role"];

export interface NewToken {
  readonly id: string;
  /** "*", all jobs, by default. */
  readonly job?: string;
  /** client by default. */
  readonly role?: TokenRole;
  /** Never, by default. */
  readonly expires?: Date;
}

/** SHA-256 of a token, by which all else knows it. */
export function tokenDigest(token: string): Buffer {
  return createHash("sha256").update(token, "utf8").digest();
}

/** A fresh token and the record to keep of it. */
export function createToken(wanted: NewToken): { readonly token: string; readonly record: TokenRecord } {
  const { id, job = "*", role = "client", expires } = wanted;
  const token = `nb_${randomBytes(32).toString("base64url")}`;
  const record = { id, sha256: tokenDigest(token).toString("hex"), job, role };
  const created = new Date().toISOString();
  return {
    token,
    record:
      expires === undefined ? { ...record, created } : { ...record, created, expires: expires.toISOString() },
  };
}

/** Where a store's records come from. */
export interface TokenSource {
  /** The records as they are now; the same array while nothing has changed. Throws a NarrowbandError when they cannot be had. */
  records(): readonly TokenRecord[];
}

interface Held {
  readonly record: TokenRecord;
  readonly hash: Buffer;
  /** Milliseconds since 1970; infinity when the token does not expire. */
  readonly expiresAt: number;
}

export class TokenStore {
  readonly #source: TokenSource;
  readonly #now: () => number;
  readonly #onProblem: (error: unknown) => void;
  #read: readonly TokenRecord[] | undefined;
  #held: readonly Held[] = [];

  /**
   * `onProblem` is told when the source cannot be read; nobody is let in while that is so.
   */
  constructor(
    source: TokenSource | readonly TokenRecord[],
    options: { readonly now?: () => number; readonly onProblem?: (error: unknown) => void } = {},
  ) {
    this.#source = "records" in source ? source : { records: () => source };
    this.#now = options.now ?? Date.now;
    this.#onProblem = options.onProblem ?? (() => {});
  }

  /** The record of a token, if there is one. Takes the same time whatever the token is. */
  find(token: string): TokenRecord | undefined {
    return this.#find(tokenDigest(token))?.record;
  }

  /** What is wrong with a token for this role in `job`, if anything; see {@link ANY_JOB}. */
  refusal(token: string, job: string, role: TokenRole): Refusal | undefined {
    if (token === "") return { code: "NB_AUTH_REFUSED", message: "no token was given" };
    return this.refusalOfDigest(tokenDigest(token), job, role);
  }

  /**
   * {@link refusal} for a token that is known by its digest only. Only who holds a token is told that it has expired; all else has one
   * message, which does not say what was wrong.
   */
  refusalOfDigest(digest: Buffer, job: string, role: TokenRole): Refusal | undefined {
    const held = this.#find(digest);
    const code = "NB_AUTH_REFUSED";
    if (held === undefined || !inScope(held.record, job, role))
      return { code, message: "the token is not good for this" };
    if (held.expiresAt <= this.#now())
      return { code, message: `the token expired at ${held.record.expires}` };
    return undefined;
  }

  #find(presented: Buffer): Held | undefined {
    this.#refresh();
    let found: Held | undefined;
    for (const held of this.#held) if (timingSafeEqual(presented, held.hash)) found = held;
    return found;
  }

  #refresh(): void {
    let records: readonly TokenRecord[];
    try {
      records = this.#source.records();
    } catch (error) {
      // Whoever broke the file may have meant to revoke a token.
      this.#read = undefined;
      this.#held = [];
      this.#onProblem(error);
      return;
    }
    if (records === this.#read) return;
    this.#read = records;
    this.#held = records.map((record) => ({
      record,
      hash: Buffer.from(record.sha256, "hex"),
      expiresAt: record.expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(record.expires),
    }));
  }
}

/** Stands for any job, in questions. No job can have this name. */
export const ANY_JOB = "any job";

function inScope(record: TokenRecord, job: string, role: TokenRole): boolean {
  if (record.role !== role && record.role !== "admin") return false;
  return record.job === "*" || job === ANY_JOB || record.job === job;
}

/** The token of an `Authorization: Bearer` header, or the empty string. */
export function bearerToken(header: string | undefined): string {
  const match = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i.exec(header ?? "");
  return match?.[1] ?? "";
}
