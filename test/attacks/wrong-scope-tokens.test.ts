/** Tokens that are good for something else. Expected: NB_AUTH_REFUSED with the message that an unknown token gets. */
import { afterEach, describe, expect, it } from "vitest";
import { createToken, TokenStore } from "../../server/tokens.ts";
import { tinyJob } from "../server/harness.ts";
import { attacked, cleanUp, expectRefused, HELLO, RawPeer } from "../server/raw-peer.ts";

afterEach(cleanUp);

const client = createToken({ id: "client", job: "demo" });
const elsewhere = createToken({ id: "elsewhere", job: "other" });
const observer = createToken({ id: "observer", job: "demo", role: "observer" });
const admin = createToken({ id: "admin", job: "demo", role: "admin" });
const everywhere = createToken({ id: "everywhere", role: "observer" });
const all = [client, elsewhere, observer, admin, everywhere];
const tokens = new TokenStore(all.map(({ record }) => record));

async function start() {
  const made = await attacked({ tokens });
  made.server.addJob(tinyJob({}, {}, { name: "other", number: 2 }).job);
  return made;
}

describe("a token of another scope", () => {
  it.each([
    ["of another job", elsewhere.token],
    ["of an observer", observer.token],
    ["of an observer of all jobs", everywhere.token],
  ])("%s does not let a client in", async (_, token) => {
    const { ws } = await start();
    const peer = new RawPeer(ws);
    await peer.send({ ...HELLO, token });
    await expectRefused(peer, "NB_AUTH_REFUSED");
    expect(peer.received.at(-1)).toMatchObject({ message: "the token is not good for this" });
  });

  /** Who may do what: [request, client, observer of the job, observer of all, admin of the job]. */
  const MATRIX: [string, number, number, number, number][] = [
    ["GET /api/jobs/demo", 401, 200, 200, 200],
    ["GET /api/jobs/other", 401, 401, 200, 401],
    ["GET /api/jobs/constructor", 401, 401, 404, 401],
    ["GET /api/jobs", 401, 200, 200, 200],
    ["GET /metrics", 401, 401, 200, 401],
    ["POST /api/jobs/other/stop", 401, 401, 401, 401],
    ["POST /api/jobs/demo/stop", 401, 401, 401, 202],
    ["GET /healthz", 200, 200, 200, 200],
    ["GET /readyz", 200, 200, 200, 200],
  ];

  it.each(MATRIX)("%s is answered by role and job", async (line, ...expected) => {
    const { server } = await start();
    const [method, url] = line.split(" ") as ["GET" | "POST", string];
    const statuses: number[] = [];
    for (const { token } of [client, observer, everywhere, admin]) {
      const headers = { authorization: `Bearer ${token}` };
      statuses.push((await server.app.inject({ method, url, headers })).statusCode);
    }
    expect(statuses).toEqual(expected);
  });

  it("lists only the jobs that it is good for", async () => {
    const { server } = await start();
    const list = async (token: string): Promise<string[]> => {
      const headers = { authorization: `Bearer ${token}` };
      const { jobs } = (await server.app.inject({ url: "/api/jobs", headers })).json();
      return jobs.map(({ name }: { name: string }) => name);
    };
    expect(await list(observer.token)).toEqual(["demo"]);
    expect(await list(everywhere.token)).toEqual(["demo", "other"]);
  });

  it("stops no job on a server without tokens", async () => {
    const { server } = await attacked();
    const answer = await server.app.inject({ method: "POST", url: "/api/jobs/demo/stop" });
    expect(answer.statusCode).toBe(401);
    expect((await server.app.inject("/api/jobs/demo")).statusCode).toBe(200);
  });
});
