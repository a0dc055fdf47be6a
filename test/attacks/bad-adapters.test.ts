/**
 * Adapters with NaN or infinities in them, sent to be averaged with everybody's. Expected: NB_TENSOR_NOT_FINITE for who sent them; the average is that of
 * the others, and the job goes on.
 */
import { afterEach, describe, expect, it } from "vitest";
import { wsConnector } from "../../client/connection.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import { encodeFrame, parseFrame } from "../../shared/protocol/frame.ts";
import type { Connector } from "../../shared/protocol/transport.ts";
import { socketClient, TINY } from "../server/harness.ts";
import { attacked, cleanUp } from "../server/raw-peer.ts";

afterEach(cleanUp);

const CONFIG = { ...TINY, aggregation: "fedavg" as const, averageEvery: 2, steps: 4 };

/** A connector whose client's adapters are overwritten on their way. */
function poisoned(url: string, value: number): { connect: Connector; ledger: ByteLedger } {
  const ledger = new ByteLedger();
  const inner = wsConnector({ url, ledger });
  const connect: Connector = async () => {
    const socket = await inner();
    const send = socket.send.bind(socket);
    socket.send = (bytes) => {
      const frame = parseFrame(bytes, 1e8);
      const { message } = frame;
      if (message.type !== "adapterChunk") {
        send(bytes);
        return;
      }
      const data = message.data.slice();
      new DataView(data.buffer).setFloat32(4, value, true);
      send(encodeFrame({ ...frame, message: { ...message, data } }));
    };
    return socket;
  };
  return { connect, ledger };
}

describe("adapters that are to be averaged", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "with %s in them are refused, and left out of the average",
    async (value) => {
      const { ws, job } = await attacked({}, { config: CONFIG, policy: { minClients: 3 } });
      const honest = [0, 1].map((index) => socketClient(index, ws, CONFIG));
      const bad = socketClient(2, ws, CONFIG, poisoned(ws, value));
      const [a, b, outcome] = await Promise.all([...honest, bad].map(({ edge }) => edge.run()));
      expect([a.reason, b.reason]).toEqual(["completed", "completed"]);
      expect(outcome).toMatchObject({ reason: "failed", code: "NB_TENSOR_NOT_FINITE" });
      expect(job.status().averages).toBe(2);
      // The honest two end with the same, finite, adapters.
      const [first, second] = honest.map(({ bottom }) => bottom.scale);
      expect(first).toEqual(second);
      expect(first.every(Number.isFinite)).toBe(true);
    },
  );
});
