/**
 * Tokens whose time is over. Expected: NB_AUTH_REFUSED, also for connections that were let in while the token was good,
 * within seconds.
 */
import { afterEach, describe, expect, it } from "vitest";
import { TOKEN_RECHECK_MS } from "../../server/limits.ts";
import { createToken, TokenStore } from "../../server/tokens.ts";
import { attacked, cleanUp, expectRefused, HELLO, RawPeer } from "../server/raw-peer.ts";

afterEach(cleanUp);

describe("an expired token", () => {
  it("lets nobody in, and over HTTP neither", async () => {
    const expired = createToken({ id: "alice", role: "admin", expires: new Date(Date.now() - 1) });
    const { ws, server } = await attacked({ tokens: new TokenStore([expired.record]) });
    const peer = new RawPeer(ws);
    await peer.send({ ...HELLO, token: expired.token });
    await expectRefused(peer, "NB_AUTH_REFUSED");
    const headers = { authorization: `Bearer ${expired.token}` };
    expect((await server.app.inject({ url: "/metrics", headers })).statusCode).toBe(401);
    expect(
      (await server.app.inject({ method: "POST", url: "/api/jobs/demo/stop", headers })).statusCode,
    ).toBe(401);
  });

  it("ends the connection that it let in when it was good", async () => {
    const brief = createToken({ id: "alice", expires: new Date(Date.now() + 300) });
    const { ws, job } = await attacked({ tokens: new TokenStore([brief.record]) });
    const peer = new RawPeer(ws);
    await peer.send({ ...HELLO, token: brief.token });
    await peer.until("welcome");
    const start = performance.now();
    await expectRefused(peer, "NB_AUTH_REFUSED");
    expect(performance.now() - start).toBeLessThan(300 + 2 * TOKEN_RECHECK_MS);
    expect(job.status().clients).toMatchObject([{ connected: false }]);
  });
});
