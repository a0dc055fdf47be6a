/**
 * Measures what a job's work costs on this machine: every computation of both sides on a real model with one engine thread, with the job's codecs, and
 * the bytes of each transfer (Node only).
 */
import type { Engine } from "../../shared/engine/engine.ts";
import { loadClientRunners, loadServerRunners } from "../../shared/job/runners.ts";
import { ByteLedger, sumBytes } from "../../shared/ledger/ledger.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import { makeReceiver, makeSender } from "../../shared/protocol/codecs.ts";
import { encodeFrame, frameSizes } from "../../shared/protocol/frame.ts";
import { GradientSum } from "../../shared/protocol/gradient-sum.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import { PHASES, type Phase, type TensorMessage } from "../../shared/protocol/messages.ts";
import { frameHeaderBytes } from "../../shared/protocol/ws-socket-node.ts";
import type { TokenBatch } from "../../shared/train/segments.ts";
import type { Costs } from "./costs.ts";

/** Micro-batches measured, after one to compile and warm up. */
const REPETITIONS = 7;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/**
 * Times pieces of work by name, by the processor time that this process spends on them: with one engine thread that is how long they take on a
 * machine at rest, whatever else this one does.
 */
class Stopwatch {
  readonly #times = new Map<string, number[]>();

  async measure<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const start = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(start);
    const list = this.#times.get(name) ?? [];
    list.push((user + system) / 1_000);
    this.#times.set(name, list);
    return result;
  }

  /** Without the first, which compiled. */
  median(name: string): number {
    return median(this.#times.get(name)!.slice(1));
  }
}

/** Costs of a U-shaped job's micro-batches such as `batch`. The engine must have one thread. */
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
  try {
    for (let step = 0; step <= REPETITIONS; step++) {
      const key = { step, attempt: 0 };
      const at = { step, microBatch: 0, training: true };
      const encode = (phase: Phase, x: Float32Array, lengths: readonly number[] = []) =>
        senders[phase].encode(x, tokens, key, 0, { lengths });
      const bottom = await watch.measure("bottom", async () => {
        const { output, saved } = await client.bottom.forward(batch, at);
        return { saved: saved!, output, sent: encode("A1", output, [...batch.lengths]) };
      });
      count("A1", bottom.sent.message);
      const forward = await watch.measure("forward", async () => {
        const input = receivers.A1.decode(bottom.sent.message);
        const { output, saved } = await server.trunk.forward(input, batch.lengths, at);
        return { saved: saved!, output, sent: encode("A2", output) };
      });
      count("A2", forward.sent.message);
      const g2 = await watch.measure("top", async () => {
        const input = receivers.A2.decode(forward.sent.message);
        const { gradient } = await top.loss(input, batch.labels, batch.lengths, at);
        return encode("G2", gradient!);
      });
      count("G2", g2.message);
      const sum = new GradientSum();
      const g1 = await watch.measure("backward", async () => {
        const gradient = receivers.G2.decode(g2.message);
        const { output, sent, saved } = forward;
        senders.A2.encoder.observe(output, sent.reconstruction, gradient, tokens);
        const result = encode("G1", await server.trunk.backward(saved, gradient));
        sum.take(server.trunk, tokens);
        return result;
      });
      count("G1", g1.message);
      await watch.measure("bottomBackward", async () => {
        const gradient = receivers.G1.decode(g1.message);
        const { output, sent, saved } = bottom;
        senders.A1.encoder.observe(output, sent.reconstruction, gradient, tokens);
        await client.bottom.backward(saved, gradient);
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
        bottom: watch.median("bottom"),
        top: watch.median("top"),
        backward: watch.median("bottomBackward"),
        apply: watch.median("apply"),
      },
      server: {
        forward: watch.median("forward"),
        backward: watch.median("backward"),
        addGradients: watch.median("addGradients"),
        optimizer: watch.median("optimizer"),
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
