/** What crosses the network in a U-shape holds no text: neither token ids nor labels, in any form that they are kept in. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { parseFrame } from "../../shared/protocol/frame.ts";
import { MAX_FRAME_BYTES } from "../../shared/protocol/limits.ts";
import type { Message } from "../../shared/protocol/messages.ts";
import type { Connector, FrameSocket } from "../../shared/protocol/transport.ts";
import type { TokenBatch } from "../../shared/train/segments.ts";
import { type Golden, loadGolden } from "../model/golden-cases.ts";
import { jobConfig, splitJob, textOf } from "./split-job.ts";

let engine: Engine;
let golden: Golden;
beforeAll(async () => {
  engine = await createEngine("onnxruntime", { threads: 1 });
  golden = await loadGolden("llama");
});
afterAll(() => engine.dispose());

const STEPS = 3;

/** Everything that a client sends. */
async function record(split: "u-shape" | "vanilla"): Promise<Buffer[]> {
  const sent: Buffer[] = [];
  const wrap =
    (connect: Connector): Connector =>
    async () => {
      const socket: FrameSocket = await connect();
      const send = socket.send.bind(socket);
      socket.send = (bytes) => {
        sent.push(Buffer.from(bytes));
        send(bytes);
      };
      return socket;
    };
  const config = jobConfig(golden, { split, steps: STEPS });
  const { run, dispose } = splitJob(golden, engine, config, 1, { wrap });
  await run();
  await dispose();
  return sent;
}

/** A run of ids in each of the forms in which integers are written down: 1, 2, 4 and 8 bytes, both ends first, f32, varint. */
function writings(ids: Int32Array): Buffer[] {
  const forms: ((view: DataView, at: number, id: number) => void)[] = [
    (view, at, id) => view.setUint8(at, id),
    (view, at, id) => view.setUint16(at, id, true),
    (view, at, id) => view.setUint16(at, id, false),
    (view, at, id) => view.setUint32(at, id, true),
    (view, at, id) => view.setUint32(at, id, false),
    (view, at, id) => view.setBigUint64(at, BigInt(id), true),
    (view, at, id) => view.setFloat32(at, id, true),
    // Zigzag varints; plain ones of ids below 128 are the bytes of the first form.
    (view, at, id) => view.setUint8(at, (id << 1) & 0xff),
  ];
  const sizes = [1, 2, 2, 4, 4, 8, 4, 1];
  return forms.map((write, form) => {
    const view = new DataView(new ArrayBuffer(ids.length * sizes[form]));
    ids.forEach((id, i) => {
      write(view, i * sizes[form], id);
    });
    return Buffer.from(view.buffer);
  });
}

/** Every run of six tokens or labels of the text that was trained on. */
function* runs(): Generator<Int32Array> {
  for (let step = 0; step < STEPS; step++) {
    const { ids, labels } = textOf(golden, 0).nextBatch(step, 0) as TokenBatch;
    for (const values of [ids, labels]) {
      for (let i = 0; i + 6 <= values.length; i++) {
        const run = values.subarray(i, i + 6);
        if (run.every((id) => id >= 0)) yield run;
      }
    }
  }
}

function found(traffic: Buffer): number {
  let count = 0;
  for (const run of runs()) for (const written of writings(run)) if (traffic.includes(written)) count++;
  return count;
}

describe("the traffic of a client", () => {
  it("holds the labels in a vanilla split: the search below finds what is there", async () => {
    expect(found(Buffer.concat(await record("vanilla")))).toBeGreaterThan(0);
  });

  it("holds no run of token ids or labels in a U-shape, and no labels section", async () => {
    const sent = await record("u-shape");
    expect(found(Buffer.concat(sent))).toBe(0);
    const messages = sent.map((bytes): Message => parseFrame(bytes, MAX_FRAME_BYTES).message);
    const tensors = messages.filter((m) => m.type === "tensor");
    expect(tensors.map((m) => m.phase)).toEqual(Array.from({ length: STEPS }, () => ["A1", "G2"]).flat());
    expect(tensors.every((m) => m.labels === undefined)).toBe(true);
    const others = new Set(messages.map((m) => m.type).filter((type) => type !== "tensor"));
    expect([...others]).toEqual(["hello", "ready", "stepDone", "goodbye"]);
  });
});
