/** Tokens that nobody was given. Expected: NB_AUTH_REFUSED (close 4411, or HTTP 401), one message for all, and no job state. */
import { afterEach, describe, expect, it } from "vitest";
import { createToken, TokenStore } from "../../server/tokens.ts";
import { attacked, cleanUp, expectJobCompletes, expectRefused, HELLO, RawPeer } from "../server/raw-peer.ts";

afterEach(cleanUp);

const good = createToken({ id: "alice", job: "demo" });
const tokens = new TokenStore([good.record]);

const FORGED: [string, string][] = [
  ["another random one", createToken({ id: "mallory" }).token],
  ["the hash instead of the token", good.record.sha256],
  ["the holder's name", "alice"],
  ["the token without its last character", good.token.slice(0, -1)],
  ["the token and one more character", `${good.token}A`],
  ["the token in capitals", good.token.toUpperCase()],
  ["the token and a NUL", `${good.token}\u0000`],
  ["a wildcard", "*"],
  ["a name of Object's prototype", "__proto__"],
];

describe("a forged token", () => {
  it.each(FORGED)("%s is refused in Hello", async (_, token) => {
    const { ws, job } = await attacked({ tokens });
    const peer = new RawPeer(ws);
    await peer.send({ ...HELLO, token });
    await expectRefused(peer, "NB_AUTH_REFUSED");
    expect(peer.received.at(-1)).toMatchObject({ message: "the token is not good for this" });
    expect(job.status().clients).toEqual([]);
  });

  it.each(FORGED)("%s is refused over HTTP", async (_, token) => {
    const { server } = await attacked({ tokens });
    const headers = { authorization: `Bearer ${token}` };
    const answer = await server.app.inject({ url: "/api/jobs", headers });
    expect([answer.statusCode, answer.json().code]).toEqual([401, "NB_AUTH_REFUSED"]);
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
  });

  it("longer than any token is not even looked at", async () => {
    const { ws } = await attacked({ tokens });
    const peer = new RawPeer(ws);
    await peer.send({ ...HELLO, token: "x".repeat(3_000) });
    await expectRefused(peer, "NB_FRAME_MALFORMED");
  });

  it("does not keep the holder of the real one out", async () => {
    const { ws } = await attacked({ tokens });
    for (const [, token] of FORGED) await new RawPeer(ws).send({ ...HELLO, name: "client-0", token });
    await expectJobCompletes(ws, good.token);
  });
});
