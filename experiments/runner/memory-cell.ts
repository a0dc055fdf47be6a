/**
 * Runs a cell in this process: the server's Job and the clients' Edges, as they are, over sockets in memory whose ledger counts what a
 * WebSocket would. Measurements happen between two steps, when every client stands at the same one.
 */
import { Edge, type EdgeStep } from "../../client/edge.ts";
import type { ClientSegments } from "../../client/edge-worker.ts";
import { Job, type TrunkStep } from "../../server/job.ts";
import { packageVersion } from "../../shared/command/package-root.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { ERRORS, type ErrorCode, fail } from "../../shared/errors.ts";
import { modelFingerprint, tokenizerFingerprint } from "../../shared/job/fingerprint.ts";
import { loadClientRunners, loadServerRunners } from "../../shared/job/runners.ts";
import { ByteLedger, type EntropySavings } from "../../shared/ledger/ledger.ts";
import { ledgerReport } from "../../shared/ledger/report.ts";
import { modelFiles, openModelDirectory } from "../../shared/model/files-node.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import { SharedTensors } from "../../shared/model/tensor-source.ts";
import { FrameChannel } from "../../shared/protocol/frame-channel.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import { MAX_HELLO_BYTES } from "../../shared/protocol/limits.ts";
import type { Phase } from "../../shared/protocol/messages.ts";
import { hasEntropyStage } from "../../shared/protocol/without-entropy.ts";
import type { NamedTensors, TokenBatch } from "../../shared/train/segments.ts";
import { type CellData, cellData, cellMeasures, clientSchedule } from "./cell-data.ts";
import { clientName, jobOf } from "./cell-job.ts";
import { countedSocketPair } from "./counted-sockets.ts";
import { Evaluator } from "./evaluator.ts";
import type { Cell } from "./experiment.ts";
import { finalRow, packedTotal, type SentBytes, splitPhases, stepRowOf } from "./row-making.ts";
import type { BareRow } from "./rows.ts";

export interface RunCellOptions {
  readonly signal?: AbortSignal;
  /** Given each row as it comes. */
  readonly onRow: (row: BareRow) => void;
}

/** Lets clients pass a step's beginning only together, and measures there when it is time. */
class Barrier {
  readonly #clients: number;
  readonly #work: (step: number) => Promise<void>;
  #waiting:
    | { step: number; count: number; done: Promise<void>; release: (work: Promise<void>) => void }
    | undefined;

  constructor(clients: number, work: (step: number) => Promise<void>) {
    this.#clients = clients;
    this.#work = work;
  }

  arrive(step: number): Promise<void> {
    if (this.#waiting === undefined) {
      let release: (work: Promise<void>) => void = () => {};
      const done = new Promise<void>((resolve) => {
        release = resolve;
      });
      this.#waiting = { step, count: 0, done, release };
    }
    const waiting = this.#waiting;
    waiting.count++;
    if (waiting.count === this.#clients) {
      this.#waiting = undefined;
      waiting.release(this.#work(step));
    }
    return waiting.done;
  }
}

/** How a client or the job ended. */
interface Outcome {
  readonly reason: string;
  readonly code?: string | undefined;
  readonly message: string;
}

class MemoryCell {
  readonly #cell: Cell;
  readonly #options: RunCellOptions;
  readonly #model: HfModel;
  readonly #engine: Engine;
  readonly #config: JobConfig;
  readonly #data: CellData;
  readonly #trunk: Awaited<ReturnType<typeof loadServerRunners>>;
  readonly #evaluator: Evaluator;
  readonly #edges: Edge[] = [];
  readonly #segments: ClientSegments[] = [];
  readonly #lastSteps: EdgeStep[] = [];
  readonly #bits = new Map<number, Partial<Record<Phase, number>>>();
  readonly #barrier: Barrier;
  #job: Job | undefined;
  #before: SentBytes | undefined;
  #tokens = 0;
  #trunkSteps = 0;

  constructor(
    cell: Cell,
    options: RunCellOptions,
    parts: {
      readonly model: HfModel;
      readonly engine: Engine;
      readonly config: JobConfig;
      readonly data: CellData;
      readonly trunk: Awaited<ReturnType<typeof loadServerRunners>>;
      readonly evaluator: Evaluator;
    },
  ) {
    this.#cell = cell;
    this.#options = options;
    this.#model = parts.model;
    this.#engine = parts.engine;
    this.#config = parts.config;
    this.#data = parts.data;
    this.#trunk = parts.trunk;
    this.#evaluator = parts.evaluator;
    this.#barrier = new Barrier(cell.clients, () => this.#evaluate(false));
  }

  async run(started: number): Promise<void> {
    const { signal } = this.#options;
    const { policy } = jobOf(this.#cell, this.#model.config, { model: "", tokenizer: "" });
    const job = new Job({
      name: "default",
      number: 1,
      config: this.#config,
      policy,
      ...this.#trunk,
      onProgress: (progress) => {
        if (progress.type !== "roundStarted") return;
        for (const client of progress.clients) {
          const { A2, G1 } = job.senders(client);
          this.#bits.set(client, {
            ...this.#bits.get(client),
            A2: A2.encoder.meanBits,
            G1: G1.encoder.meanBits,
          });
        }
      },
      onStep: (step) => this.#stepped(step),
      onError: (error) => {
        throw error;
      },
    });
    this.#job = job;
    const stop = () => void job.stop();
    signal?.addEventListener("abort", stop);
    try {
      const schedules = await Promise.all(
        this.#data.train.map((_, client) => clientSchedule(this.#cell, this.#data, client, this.#model)),
      );
      let bad: Outcome | undefined;
      const end = (outcome: Outcome) => {
        if (outcome.reason === "completed" || bad !== undefined) return;
        // Without this client the job would wait for it in vain, and then end for the lost quorum: not what happened.
        bad = outcome;
        void job.stop();
      };
      await Promise.all(
        schedules.map((schedule, client) =>
          this.#edge(job, client, (step, microBatch) =>
            schedule.batch(step, microBatch, this.#cell.microBatches),
          )
            .run()
            .then(end),
        ),
      );
      end(await job.done);
      signal?.throwIfAborted();
      if (bad !== undefined) failAs(bad);
      await this.#evaluate(true);
      const ms = this.#times();
      const peakMemory = process.resourceUsage().maxRSS * 1024;
      const seconds = (performance.now() - started) / 1000;
      this.#options.onRow(
        finalRow(job.ledger.snapshot(), { steps: this.#trunkSteps, ms, seconds, peakMemory }, this.#saved()),
      );
    } finally {
      signal?.removeEventListener("abort", stop);
      job.terminate();
      for (const { bottom, top } of this.#segments) {
        await bottom.dispose();
        await top?.dispose();
      }
    }
  }

  #edge(job: Job, client: number, batch: (step: number, microBatch: number) => TokenBatch): Edge {
    const { evaluateEvery } = this.#cell;
    const ledger = new ByteLedger();
    const edge: Edge = new Edge({
      job: "default",
      name: clientName(client),
      modelFingerprint: this.#config.model.fingerprint,
      tokenizerFingerprint: this.#config.model.tokenizerFingerprint,
      software: `narrowband/${packageVersion()} node/${process.versions.node}`,
      ledger,
      connect: async () => {
        const [own, server] = countedSocketPair(ledger, job.ledger);
        const handlers = { frame: () => {}, refused: () => {}, closed: () => {} };
        job.attach(new FrameChannel(server, job.ledger, "down", MAX_HELLO_BYTES, handlers));
        return own;
      },
      segments: async (config) => {
        const segments = await loadClientRunners(config, this.#model, this.#engine);
        this.#segments[client] = segments;
        return segments;
      },
      batches: {
        nextBatch: async (step, microBatch) => {
          if (microBatch === 0 && evaluateEvery > 0 && step % evaluateEvery === 0)
            await this.#barrier.arrive(step);
          return batch(step, microBatch);
        },
      },
      onProgress: (progress) => {
        if (progress.type !== "stepStarted") return;
        const { A1, G2 } = edge.senders!;
        const bits = { A1: A1.encoder.meanBits, G2: G2.encoder.meanBits };
        this.#bits.set(client, { ...this.#bits.get(client), ...bits });
      },
      onStep: (step) => {
        this.#lastSteps[client] = step;
      },
    });
    this.#edges[client] = edge;
    return edge;
  }

  /** What the entropy stages of both ends have saved, where any codec has one. Each end knows it of what it sends. */
  #saved(): EntropySavings | undefined {
    if (!Object.values(this.#cell.codecs).some(hasEntropyStage)) return undefined;
    const parts = [this.#job!, ...this.#edges].map(({ ledger }) => ledger.entropySavings());
    const sum = (of: (part: EntropySavings) => number) => parts.reduce((n, part) => n + of(part), 0);
    return {
      up: sum(({ up }) => up),
      down: sum(({ down }) => down),
      phases: {
        A1: sum(({ phases }) => phases.A1),
        A2: sum(({ phases }) => phases.A2),
        G2: sum(({ phases }) => phases.G2),
        G1: sum(({ phases }) => phases.G1),
      },
    };
  }

  #times() {
    const { computeMs, codecMs } = this.#job!.status().times;
    const sum = (of: (step: EdgeStep) => number) => this.#lastSteps.reduce((n, step) => n + of(step), 0);
    return {
      clientCompute: sum((step) => step.computeMs),
      clientCodec: sum((step) => step.codecMs),
      serverCompute: computeMs,
      serverCodec: codecMs,
    };
  }

  #stepped(step: TrunkStep): void {
    const now = { ...this.#job!.ledger.snapshot(), saved: this.#saved() };
    this.#trunkSteps = step.group.trunkStep + 1;
    this.#tokens += step.group.members.reduce((sum, { tokens }) => sum + tokens, 0);
    const members = step.group.members.map((member) => ({
      name: clientName(member.client),
      ...member,
      bits: this.#bits.get(member.client) ?? {},
    }));
    const at = {
      step: this.#trunkSteps,
      gradientNorm: step.gradientNorm,
      tokens: this.#tokens,
      ms: this.#times(),
      peakMemory: process.resourceUsage().maxRSS * 1024,
    };
    const phases = splitPhases(this.#config.split);
    this.#options.onRow(stepRowOf(members, now, this.#before, at, phases));
    this.#before = now;
  }

  async #evaluate(final: boolean): Promise<void> {
    const trunk = [...this.#trunk.trunk.adapters(), ...(this.#trunk.top?.adapters() ?? [])];
    const adapters = this.#segments.map(
      ({ bottom, top }): NamedTensors =>
        new Map([...bottom.adapters(), ...trunk, ...(top?.adapters() ?? [])]),
    );
    const ledger = this.#job!.ledger.snapshot();
    const saved = this.#saved();
    const { metrics, clients } = await this.#evaluator.evaluate(adapters, { final });
    this.#options.onRow({
      row: "evaluation",
      step: this.#trunkSteps,
      totalBytes: ledgerReport(ledger).totalBytes,
      ...(saved === undefined ? {} : { packedBytes: packedTotal(ledger, saved) }),
      metrics,
      clients: [...clients],
    });
  }
}

function failAs({ code, message }: Outcome): never {
  return fail(
    code !== undefined && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : "NB_INTERNAL",
    message,
  );
}

/**
 * Runs a training cell with one engine thread.
 *
 * @throws the signal's reason when it is aborted, the error that ended the job, and whatever reading model and data throws.
 */
export async function runMemoryCell(cell: Cell, options: RunCellOptions): Promise<void> {
  const started = performance.now();
  const opened = await openModelDirectory(cell.model);
  // Server, clients and evaluator train adapters alone: one copy of the weights serves them all.
  const model = { ...opened, tensors: new SharedTensors(opened.tensors) };
  const engine = await createEngine(cell.engine, { threads: 1, keepMemory: false });
  try {
    const { config } = jobOf(cell, model.config, {
      model: await modelFingerprint(model.config),
      tokenizer: await tokenizerFingerprint(modelFiles(cell.model)),
    });
    const data = cellData(cell, model.config.maxPositions);
    const measures = await cellMeasures(cell, data, model, options.signal);
    const evaluator = await Evaluator.open(config, model, engine, measures);
    const trunk = await loadServerRunners(config, model, engine);
    try {
      await new MemoryCell(cell, options, { model, engine, config, data, trunk, evaluator }).run(started);
    } finally {
      await evaluator.dispose();
      await trunk.trunk.dispose();
      await trunk.top?.dispose();
    }
  } finally {
    await model.tensors.close();
    await engine.dispose();
  }
}
