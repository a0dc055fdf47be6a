/** The file of tokens: what is in it, who may write it, and what a server makes of its changes. */
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { changeTokenFile, readTokenRecords, TokenFile } from "../../server/token-file.ts";
import { createToken, TokenStore } from "../../server/tokens.ts";
import { temporaryDirectory } from "../model/helpers.ts";

const alice = createToken({ id: "alice", job: "demo" });
const bob = createToken({ id: "bob", role: "admin" });

async function fileOf(...made: (typeof alice)[]): Promise<string> {
  const path = join(temporaryDirectory(), "tokens.json");
  await changeTokenFile(path, true, () => made.map(({ record }) => record));
  return path;
}

describe("a token file", () => {
  it("holds hashes, and is its owner's alone", async () => {
    const path = await fileOf(alice);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, "utf8")).not.toContain(alice.token.slice(3));
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ tokens: [alice.record] });
    expect(new TokenStore(new TokenFile(path)).find(alice.token)).toEqual(alice.record);
  });

  it("loses none of many changes at once, and leaves nothing behind", async () => {
    const path = await fileOf();
    const makes = Array.from({ length: 20 }, (_, i) => createToken({ id: `holder-${i}` }).record);
    await Promise.all(makes.map((record) => changeTokenFile(path, true, (all) => [...all, record])));
    expect(
      readTokenRecords(path)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(makes.map(({ id }) => id).sort());
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it("is replaced where a link leads, and the link stays", async () => {
    const path = await fileOf(alice);
    const link = join(temporaryDirectory(), "link.json");
    symlinkSync(path, link);
    await changeTokenFile(link, false, (all) => [...all, bob.record]);
    expect(readTokenRecords(path).length).toBe(2);
  });

  it("is refused when others may write it, is no JSON, is not of tokens, names a holder twice, or is not there", async () => {
    const path = await fileOf(alice);
    const refused = (code: string, message: RegExp): void =>
      expect(() => readTokenRecords(path)).toThrowError(
        expect.objectContaining({ code, message: expect.stringMatching(message) }),
      );
    chmodSync(path, 0o622);
    refused("NB_CONFIG_INVALID", /written by others/);
    chmodSync(path, 0o600);
    for (const [text, message] of [
      ["{", /not JSON/],
      ["[]", /tokens/],
      [JSON.stringify({ tokens: [{ ...alice.record, sha256: "abc" }] }), /tokens\.0\.sha256/],
      [JSON.stringify({ tokens: [{ ...alice.record, job: "../x" }] }), /tokens\.0\.job/],
      [JSON.stringify({ tokens: [{ ...alice.record, expires: "soon" }] }), /tokens\.0\.expires/],
      [JSON.stringify({ tokens: [alice.record, { ...bob.record, id: "alice" }] }), /two tokens of "alice"/],
      [`{"tokens":[],"pad":"${"x".repeat(5_000_000)}"}`, /bytes; accepted/],
    ] as const) {
      writeFileSync(path, text);
      refused("NB_CONFIG_INVALID", message);
    }
    expect(() => readTokenRecords(`${path}.none`)).toThrowError(
      expect.objectContaining({ code: "NB_FILE_UNREADABLE" }),
    );
  });
});

describe("a store that follows a file", () => {
  it("lets in who is added and refuses who is revoked, from that moment on", async () => {
    const path = await fileOf(alice);
    const store = new TokenStore(new TokenFile(path));
    expect(store.refusal(alice.token, "demo", "client")).toBeUndefined();
    expect(store.refusal(bob.token, "demo", "client")?.code).toBe("NB_AUTH_REFUSED");
    await changeTokenFile(path, false, () => [bob.record]);
    expect(store.refusal(alice.token, "demo", "client")?.code).toBe("NB_AUTH_REFUSED");
    expect(store.refusal(bob.token, "demo", "client")).toBeUndefined();
  });

  it("lets nobody in while its file cannot be read, and says so", async () => {
    const path = await fileOf(alice);
    const problems: unknown[] = [];
    const store = new TokenStore(new TokenFile(path), { onProblem: (error) => problems.push(error) });
    writeFileSync(path, "{");
    expect(store.refusal(alice.token, "demo", "client")?.code).toBe("NB_AUTH_REFUSED");
    expect(problems).toEqual([expect.objectContaining({ code: "NB_CONFIG_INVALID" })]);
    writeFileSync(path, JSON.stringify({ tokens: [alice.record] }));
    expect(store.refusal(alice.token, "demo", "client")).toBeUndefined();
  });

  it("knows jobs, roles and expiry", () => {
    let now = Date.parse("2030-01-01T00:00:00Z");
    const brief = createToken({ id: "brief", expires: new Date(now + 1_000) });
    const observer = createToken({ id: "observer", role: "observer" });
    const store = new TokenStore(
      [alice, bob, brief, observer].map(({ record }) => record),
      {
        now: () => now,
      },
    );
    const good = (token: string, job: string, role: "client" | "observer" | "admin"): boolean =>
      store.refusal(token, job, role) === undefined;
    expect([good(alice.token, "demo", "client"), good(alice.token, "other", "client")]).toEqual([
      true,
      false,
    ]);
    expect([good(alice.token, "demo", "observer"), good(alice.token, "demo", "admin")]).toEqual([
      false,
      false,
    ]);
    expect([good(observer.token, "demo", "observer"), good(observer.token, "demo", "client")]).toEqual([
      true,
      false,
    ]);
    for (const role of ["client", "observer", "admin"] as const)
      expect(good(bob.token, "any", role)).toBe(true);
    expect(good(brief.token, "demo", "client")).toBe(true);
    now += 1_000;
    expect(store.refusal(brief.token, "demo", "client")?.message).toContain("expired");
    expect(store.refusal("", "demo", "client")?.message).toBe("no token was given");
    expect(store.refusal("nb_x", "demo", "client")?.message).toBe(
      store.refusal(alice.token, "other", "client")?.message,
    );
  });
});
