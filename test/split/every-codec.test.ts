/** Every registered codec carries a real split job: all four tensors of every step, over the protocol, in memory. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EdgeStep } from "../../client/edge.ts";
import type { BatchSource } from "../../client/edge-worker.ts";
import { CODECS } from "../../shared/codec/registry.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { parseFrame } from "../../shared/protocol/frame.ts";
import { MAX_FRAME_BYTES } from "../../shared/protocol/limits.ts";
import type { TensorMessage } from "../../shared/protocol/messages.ts";
import type { Connector } from "../../shared/protocol/transport.ts";
import { type Golden, loadGolden } from "../model/golden-cases.ts";
import { jobConfig, splitJob, textOf } from "./split-job.ts";

const STEPS = 4;

let engine: Engine;
let golden: Golden;
let exact: number[];
beforeAll(async () => {
  engine = await createEngine("onnxruntime", { threads: 1 });
  golden = await loadGolden("llama");
  exact = (await train("f32", "f32")).losses;
});
afterAll(() => engine.dispose());

/** Two batches in turn, so that rows come again. */
function epochs(): BatchSource {
  const text = textOf(golden, 0);
  return {
    async nextBatch(step, microBatch) {
      const batch = await text.nextBatch(step % 2, microBatch);
      return { ...batch, rowIds: Uint32Array.of(10 * (step % 2), 10 * (step % 2) + 1) };
    },
  };
}

/** Losses of a job, and the tensors that its client sent. */
async function train(activations: string, gradients: string, dropAfter?: number) {
  const losses: number[] = [];
  const sent: TensorMessage[] = [];
  let frames = 0;
  const wrap =
    (connect: Connector): Connector =>
    async () => {
      const socket = await connect();
      const send = socket.send.bind(socket);
      socket.send = (bytes) => {
        const { message } = parseFrame(Uint8Array.from(bytes), MAX_FRAME_BYTES);
        if (message.type === "tensor") {
          sent.push(message);
          if (++frames === dropAfter) {
            socket.close(1001, "");
            return;
          }
        }
        send(bytes);
      };
      return socket;
    };
  const codecs = { A1: activations, A2: activations, G2: gradients, G1: gradients };
  const config = jobConfig(golden, { steps: STEPS, codecs });
  const onStep = ({ lossSum, supervisedTokens }: EdgeStep): void => {
    losses.push(lossSum / supervisedTokens);
  };
  const edge = { onStep, batches: epochs(), backoff: { baseMs: 1, capMs: 5, attempts: 5 } };
  const { run, dispose } = splitJob(golden, engine, config, 1, { wrap, edge });
  await run();
  await dispose();
  return { losses, sent };
}

function worst(losses: readonly number[]): number {
  return Math.max(...losses.map((loss, step) => Math.abs(loss - exact[step]!)));
}

/** Largest distance of a step's loss from that with f32, nats; codecs of 8 and more bits are close. */
const CLOSE = 0.1;
const FAR = 1.5;
const CLOSE_CODECS = ["f32", "f16", "bf16", "fp8", "int8", "amaq"];

describe("a split job", () => {
  it.each(CODECS.map((codec) => [codec.name, codec.examples[0]] as const))(
    "completes with %s, as %s, near the losses of f32",
    async (name, text) => {
      const { losses, sent } = await train(text, text);
      expect(losses.length).toBe(STEPS);
      expect(worst(losses)).toBeLessThan(CLOSE_CODECS.includes(name) ? CLOSE : FAR);
      const wireId = CODECS.find((codec) => codec.name === name)!.wireId;
      expect(new Set(sent.map((message) => message.codec))).toEqual(new Set([wireId]));
    },
  );

  it("with aqsgd sends changes once rows come again, in both directions of activations", async () => {
    const { sent, losses } = await train("aqsgd:8", "fixpoint:8");
    const bytes = sent.filter((m) => m.phase === "A1").map((m) => m.payload.length / (m.tokens * m.channels));
    expect(bytes).toEqual([2, 2, 1, 1]);
    expect(worst(losses)).toBeLessThan(CLOSE);
  });

  it("with aqsgd keeps its caches over connections of the same run", async () => {
    const { sent, losses } = await train("aqsgd:8", "fixpoint:8", 6);
    const kinds = sent.filter((m) => m.phase === "A1").map((m) => m.scales[2]);
    // Step 2 is a change of what step 0 sent; the connection drops in it, and the same message is sent again.
    expect(kinds).toEqual([0, 0, 1, 1, 1]);
    expect(losses.length).toBe(STEPS);
    expect(worst(losses)).toBeLessThan(CLOSE);
  });

  it("with aqsgd for A2 alone is refused: the server would not know which rows come again", () => {
    const codecs = { A1: "f16", A2: "aqsgd:4", G2: "f16", G1: "f16" };
    expect(() => splitJob(golden, engine, jobConfig(golden, { codecs }), 1)).toThrow(/aqsgd.*A1/);
  });
});
