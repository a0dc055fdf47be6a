/** `narrowband token`: a token is shown once, kept as a hash, listed, revoked. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expiryOf } from "../../server/token/run.ts";
import { temporaryDirectory } from "../model/helpers.ts";
import { run } from "./helpers.ts";

const fresh = (): string => join(temporaryDirectory(), "tokens.json");
const token = (file: string, ...args: string[]) => run(["token", ...args, "--tokens", file]);

describe("narrowband token", () => {
  it("creates a token, prints it once, and keeps its hash with what it is good for", async () => {
    const file = fresh();
    const made = await token(file, "create", "--holder", "alice", "--job", "night-run", "--expires", "2h");
    expect(made.exit, made.stderr).toBe(0);
    const secret = made.stdout.trim();
    expect(secret).toMatch(/^nb_[\w-]{43}$/);
    expect(made.stderr).toContain("not shown again");
    expect(made.stderr).not.toContain(secret);
    const text = readFileSync(file, "utf8");
    expect(text).not.toContain(secret.slice(3));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const [record] = JSON.parse(text).tokens;
    expect(record).toMatchObject({ id: "alice", job: "night-run", role: "client" });
    const hours = (Date.parse(record.expires) - Date.parse(record.created)) / 3_600_000;
    expect(hours).toBeCloseTo(2, 2);
  });

  it("expires in 90 days unless it is told otherwise", async () => {
    const made = await token(fresh(), "create", "--holder", "alice", "--json");
    const { record } = made.json()[0] as { record: { created: string; expires: string } };
    const days = (Date.parse(record.expires) - Date.parse(record.created)) / 86_400_000;
    expect(days).toBeCloseTo(90, 2);
  });

  it("lists who holds which, without hashes", async () => {
    const file = fresh();
    await token(file, "create", "--holder", "alice");
    await token(file, "create", "--holder", "prometheus", "--role", "observer", "--expires", "never");
    const { sha256 } = JSON.parse(readFileSync(file, "utf8")).tokens[0];
    const listed = await token(file, "list");
    expect(listed.stdout).toMatch(/alice +client +\*/);
    expect(listed.stdout).toMatch(/prometheus +observer +\* .*never/);
    const json = await token(file, "list", "--json");
    expect(json.json()[0]).toMatchObject({
      tokens: [
        { id: "alice", expired: false },
        { id: "prometheus", role: "observer" },
      ],
    });
    for (const { stdout } of [listed, json]) expect(stdout).not.toContain(sha256);
  });

  it("revokes one, and leaves the others", async () => {
    const file = fresh();
    for (const holder of ["alice", "bob"]) await token(file, "create", "--holder", holder);
    expect((await token(file, "revoke", "--holder", "alice")).exit).toBe(0);
    const left = JSON.parse(readFileSync(file, "utf8")).tokens;
    expect(left.map(({ id }: { id: string }) => id)).toEqual(["bob"]);
    expect((await token(file, "revoke", "--holder", "alice")).stderr).toContain('no token of "alice"');
  });

  it.each([
    [["create"], /--holder: nothing was given; accepted with create/],
    [["create", "--holder", "a", "--expires", "soon"], /--expires/],
    [["create", "--holder", "a", "--expires", "2001-01-01"], /is past/],
    [["create", "--holder", "a", "--expires", "2031-02-31T99:00Z"], /no date/],
    [["create", "--holder", "a", "--job", "../x"], /--job/],
    [["create", "--holder", "a", "--role", "root"], /--role/],
    [["destroy"], /action/],
    [["list"], /NB_FILE_UNREADABLE/],
    [["revoke", "--holder", "a"], /NB_FILE_UNREADABLE/],
  ])("refuses %j", async (args, message) => {
    const ran = await token(fresh(), ...args);
    expect(ran.exit).toBe(2);
    expect(ran.stderr).toMatch(message);
  });

  it("refuses a second token of one holder", async () => {
    const file = fresh();
    await token(file, "create", "--holder", "alice");
    expect((await token(file, "create", "--holder", "alice")).stderr).toContain("revoke it first");
  });

  it("reads hours, days, dates and never", () => {
    const now = Date.parse("2030-01-01T00:00:00Z");
    expect(expiryOf("12h", now)?.toISOString()).toBe("2030-01-01T12:00:00.000Z");
    expect(expiryOf("2d", now)?.toISOString()).toBe("2030-01-03T00:00:00.000Z");
    expect(expiryOf("2030-02-01", now)?.toISOString()).toBe("2030-02-01T00:00:00.000Z");
    expect(expiryOf("never", now)).toBeUndefined();
  });
});
