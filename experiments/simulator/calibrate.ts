/**
 * Measures what a job's work costs on this machine: every computation of both sides on a real model with one engine thread, with the job's codecs, and
 * the bytes of each transfer (Node only).
 */
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { loadClientRunners, loadServerRunners } from "../../shared/job/runners.ts";
import { ByteLedger, sumBytes } from "../../shared/ledger/ledger.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import { makeReceiver, makeSender } from "../../shared/protocol/codecs.ts";
import { encodeFrame, frameSizes } from "../../shared/protocol/frame.ts";
import { GradientSum } from "../../shared/protocol/gradient-sum.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import { PHASES, type Phase, type TensorMessage } from "../../shared/protocol/messages.ts";
import type { SentTensor, TensorExtras } from "../../shared/protocol/tensor-stream.ts";
import { frameHeaderBytes } from "../../shared/protocol/ws-socket-node.ts";
import type { TokenBatch } from "../../shared/train/segments.ts";
import type { Costs } from "./costs.ts";

/** Micro-batches measured, after one to compile and warm up. */
const REPETITIONS = 7;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** What a piece of work takes, milliseconds. */
interface Timed {
  readonly ms: number;
  /** Of them the codec's. */
  readonly codecMs: number;
}

/**
 * Times pieces of work by name, by the processor time that this process spends on them: with one engine thread that is how long they take on a
 * machine at rest, whatever else this one does.
 */
class Stopwatch {
  readonly #times = new Map<string, Timed[]>();
  #codecMs = 0;

  /** Does a piece of work, and what is in it of the codec by {@link codec}. */
  async measure<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const start = process.cpuUsage();
    this.#codecMs = 0;
    const result = await work();
    const list = this.#times.get(name) ?? [];
    list.push({ ms: msSince(start), codecMs: this.#codecMs });
    this.#times.set(name, list);
    return result;
  }

  codec<T>(work: () => T): T {
    const start = process.cpuUsage();
    const result = work();
    this.#codecMs += msSince(start);
    return result;
  }

  /** Medians without the first, which compiled. */
  median(name: string): Timed {
    const times = this.#times.get(name)!.slice(1);
    return { ms: median(times.map(({ ms }) => ms)), codecMs: median(times.map(({ codecMs }) => codecMs)) };
  }
}

function msSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}

/** {@link calibrate} with one thread of ONNX Runtime, for micro-batches of `rows` rows of `rowTokens` tokens each. */
export async function measureCosts(
  config: JobConfig,
  model: HfModel,
  rows: number,
  rowTokens: number,
): Promise<Costs> {
  const engine = await createEngine("onnxruntime", { threads: 1 });
  try {
    const { vocabSize } = model.config;
    const ids = Int32Array.from({ length: rows * rowTokens }, (_, i) => (i * 7919) % vocabSize);
    const labels = Int32Array.from(ids, (_, i) => ids[(i + 1) % ids.length]);
    const batch = { ids, labels, lengths: new Int32Array(rows).fill(rowTokens) };
    return await calibrate(config, model, engine, batch);
  } finally {
    await engine.dispose();
  }
}

/**
 * Costs of a U-shaped job's micro-batches such as `batch`, and bytes of its transfers. The engine must have one thread. What is measured are the
 * job's last steps: widths that are annealed have come down there.
 */
export async function calibrate(
  config: JobConfig,
  model: HfModel,
  engine: Engine,
  batch: TokenBatch,
): Promise<Costs> {
  const client = await loadClientRunners(config, model, engine);
  const server = await loadServerRunners(config, model, engine);
  const top = client.top!;
  const senders = Object.fromEntries(PHASES.map((phase) => [phase, makeSender(config, 0, phase)]));
  const receivers = Object.fromEntries(PHASES.map((phase) => [phase, makeReceiver(config, phase)]));
  const ledger = new ByteLedger();
  const count = (phase: Phase, message: TensorMessage): void => {
    const up = phase === "A1" || phase === "G2";
    const size = encodeFrame({ job: 1, client: 0, message }).length;
    ledger.countFrame(up ? "up" : "down", message, frameSizes(message, size), frameHeaderBytes(size, up));
  };
  const watch = new Stopwatch();
  const tokens = batch.ids.length;
  const lengths = [...batch.lengths];
  const ids = lengths.map((_, i) => i);
  const first = Math.max(0, config.steps - REPETITIONS - 1);
  try {
    for (let step = first; step <= first + REPETITIONS; step++) {
      const key = { step, attempt: 0 };
      const at = { step, microBatch: 0, training: true };
      const encode = (phase: Phase, x: Float32Array, extras: TensorExtras = {}) =>
        watch.codec(() => senders[phase].encode(x, tokens, key, 0, extras));
      const decode = (phase: Phase, message: TensorMessage) =>
        watch.codec(() => receivers[phase].decode(message));
      const learn = (sent: SentTensor, gradient: Float32Array) => watch.codec(() => sent.learn?.(gradient));
      const bottom = await watch.measure("bottom", async () => {
        const { output, saved } = await client.bottom.forward(batch, at);
        return { saved: saved!, sent: encode("A1", output, { lengths, rows: { lengths, ids } }) };
      });
      count("A1", senders.A1.toSend(bottom.sent.message));
      const forward = await watch.measure("forward", async () => {
        const input = decode("A1", bottom.sent.message);
        const { output, saved } = await server.trunk.forward(input, batch.lengths, at);
        return { saved: saved!, sent: encode("A2", output, { rows: receivers.A1.rows }) };
      });
      count("A2", senders.A2.toSend(forward.sent.message));
      const g2 = await watch.measure("top", async () => {
        const input = decode("A2", forward.sent.message);
        const { gradient } = await top.loss(input, batch.labels, batch.lengths, at);
        return encode("G2", gradient!, { tiedTo: receivers.A2 });
      });
      count("G2", senders.G2.toSend(g2.message));
      const sum = new GradientSum();
      const g1 = await watch.measure("backward", async () => {
        const gradient = decode("G2", g2.message);
        learn(forward.sent, gradient);
        const output = await server.trunk.backward(forward.saved, gradient);
        sum.take(server.trunk, tokens);
        return encode("G1", output, { tiedTo: receivers.A1 });
      });
      count("G1", senders.G1.toSend(g1.message));
      await watch.measure("bottomBackward", async () => {
        const gradient = decode("G1", g1.message);
        learn(bottom.sent, gradient);
        await client.bottom.backward(bottom.saved, gradient);
      });
      await watch.measure("addGradients", () => sum.addTo(server.trunk));
      await watch.measure("optimizer", () => server.trunk.optimizerStep(step, tokens));
      await watch.measure("apply", async () => {
        await client.bottom.optimizerStep(step, tokens);
        await top.optimizerStep(step, tokens);
      });
      for (const sender of Object.values(senders)) sender.encoder.endStep(step);
    }
    const { phases } = ledger.snapshot();
    const adapters = [...client.bottom.adapters().values(), ...top.adapters().values()];
    return {
      client: {
        bottom: watch.median("bottom").ms,
        top: watch.median("top").ms,
        backward: watch.median("bottomBackward").ms,
        apply: watch.median("apply").ms,
      },
      server: {
        forward: watch.median("forward").ms,
        backward: watch.median("backward").ms,
        addGradients: watch.median("addGradients").ms,
        optimizer: watch.median("optimizer").ms,
      },
      codec: {
        client: {
          bottom: watch.median("bottom").codecMs,
          top: watch.median("top").codecMs,
          backward: watch.median("bottomBackward").codecMs,
        },
        server: { forward: watch.median("forward").codecMs, backward: watch.median("backward").codecMs },
      },
      bytes: Object.fromEntries(
        PHASES.map((phase) => [phase, Math.round(sumBytes(phases[phase].bytes) / (REPETITIONS + 1))]),
      ) as Costs["bytes"],
      adapterBytes: adapters.reduce((n, { data }) => n + 4 * data.length, 0),
      tokens,
    };
  } finally {
    await client.bottom.dispose();
    await top.dispose();
    await server.trunk.dispose();
  }
}
