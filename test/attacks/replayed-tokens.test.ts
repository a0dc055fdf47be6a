/**
 * Tokens that were good, or are somebody else's. Expected: a revoked token lets nobody in and ends what it let in; a token's holder cannot take the
 * place of another holder's client.
 */
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { changeTokenFile, TokenFile } from "../../server/token-file.ts";
import { createToken, TokenStore } from "../../server/tokens.ts";
import { temporaryDirectory } from "../model/helpers.ts";
import { attacked, cleanUp, expectRefused, HELLO, RawPeer } from "../server/raw-peer.ts";

afterEach(cleanUp);

const alice = createToken({ id: "alice" });
const mallory = createToken({ id: "mallory" });

describe("a replayed token", () => {
  it("that was revoked is refused by the running server, which also ends its connections", async () => {
    const file = join(temporaryDirectory(), "tokens.json");
    await changeTokenFile(file, true, () => [alice.record, mallory.record]);
    const { ws } = await attacked({ tokens: new TokenStore(new TokenFile(file)) });
    const before = new RawPeer(ws);
    await before.send({ ...HELLO, token: mallory.token });
    await before.until("welcome");
    await changeTokenFile(file, false, () => [alice.record]);
    const after = new RawPeer(ws);
    await after.send({ ...HELLO, name: "again", process: "another-process-0001", token: mallory.token });
    await expectRefused(after, "NB_AUTH_REFUSED");
    await expectRefused(before, "NB_AUTH_REFUSED");
  });

  it("of one holder does not take over the client of another", async () => {
    const tokens = new TokenStore([alice.record, mallory.record]);
    const { ws, job } = await attacked({ tokens });
    const victim = new RawPeer(ws);
    await victim.send({ ...HELLO, name: "alice", token: alice.token });
    await victim.until("welcome");
    const thief = new RawPeer(ws);
    await thief.send({ ...HELLO, name: "alice", process: "another-process-0001", token: mallory.token });
    await expectRefused(thief, "NB_AUTH_REFUSED");
    expect(victim.ws.readyState).toBe(victim.ws.OPEN);
    expect(job.status().clients).toMatchObject([{ name: "alice", connected: true }]);
  });

  it("of the same holder moves the client to its new connection", async () => {
    const { ws } = await attacked({ tokens: new TokenStore([alice.record]) });
    const old = new RawPeer(ws);
    await old.send({ ...HELLO, name: "alice", token: alice.token });
    await old.until("welcome");
    const fresh = new RawPeer(ws);
    await fresh.send({ ...HELLO, name: "alice", connection: 2, token: alice.token });
    await fresh.until("welcome");
    await expectRefused(old, "NB_CLIENT_REPLACED");
  });
});
