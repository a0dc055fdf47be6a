/**
 * An old session played again, byte for byte, by someone who saw it. Expected: its Hello does not displace the client that is there, and its messages
 * change nothing: the trunk ends as without it.
 */
import { afterEach, describe, expect, it } from "vitest";
import { wsConnector } from "../../client/connection.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import type { Connector } from "../../shared/protocol/transport.ts";
import { socketClient, TINY } from "../server/harness.ts";
import { attacked, cleanUp, expectRefused, RawPeer } from "../server/raw-peer.ts";

afterEach(cleanUp);

/** A connector that keeps a copy of all that the client sends. */
function recording(url: string): { connect: Connector; sent: Uint8Array[]; ledger: ByteLedger } {
  const ledger = new ByteLedger();
  const sent: Uint8Array[] = [];
  const inner = wsConnector({ url, ledger });
  const connect: Connector = async () => {
    const socket = await inner();
    const send = socket.send.bind(socket);
    socket.send = (bytes) => {
      sent.push(bytes.slice());
      send(bytes);
    };
    return socket;
  };
  return { connect, sent, ledger };
}

async function calmTrunk(): Promise<Float32Array> {
  const { ws, trunk } = await attacked({}, { config: { steps: 3 } });
  expect((await socketClient(0, ws).edge.run()).reason).toBe("completed");
  return trunk.scale;
}

describe("an old session", () => {
  it("played again while its client is there is turned away at its Hello", async () => {
    const expected = await calmTrunk();
    const { ws, trunk, job } = await attacked({}, { config: { steps: 3 } });
    const { connect, sent, ledger } = recording(ws);
    const replays: RawPeer[] = [];
    const { edge } = socketClient(0, ws, TINY, {
      connect,
      ledger,
      onStep: () => {
        const replay = new RawPeer(ws);
        replays.push(replay);
        void replay.opened.then(() => {
          for (const bytes of sent) replay.ws.send(bytes);
        });
      },
    });
    expect((await edge.run()).reason).toBe("completed");
    // Whatever comes first of the replayed messages that may not, none of it is let in.
    for (const replay of replays) {
      await replay.closed;
      expect(replay.received.map(({ type }) => type)).not.toContain("welcome");
    }
    expect(replays.length).toBe(3);
    expect(trunk.scale).toEqual(expected);
    expect(job.status().outcome?.reason).toBe("completed");
  });

  it("with its Hello alone gets a code that says why", async () => {
    const { ws } = await attacked({}, { policy: { minClients: 2 } });
    const { connect, sent, ledger } = recording(ws);
    const { edge } = socketClient(0, ws, TINY, { connect, ledger });
    const run = edge.run();
    while (edge.config === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    const replay = new RawPeer(ws);
    await replay.sendBytes(sent[0]);
    await expectRefused(replay, "NB_CLIENT_REPLACED");
    edge.stop();
    await run;
  });
});
