/** What `narrowband train` does: text, segments, connection, progress, and what is left behind at the end. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatCount } from "../../shared/command/format.ts";
import { packageVersion } from "../../shared/command/package-root.ts";
import { BatchSchedule, makeRows, type Rows } from "../../shared/data/batches.ts";
import { loadDataset } from "../../shared/data/load-node.ts";
import { splitHeldOut } from "../../shared/data/token-dataset.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { ERRORS, type ErrorCode, fail, NarrowbandError } from "../../shared/errors.ts";
import { modelFingerprint, tokenizerFingerprint } from "../../shared/job/fingerprint.ts";
import { adapterOf, loadClientRunners } from "../../shared/job/runners.ts";
import {
  forgetCheckpoints,
  restoreSideCheckpoint,
  SideCheckpoints,
  type SideSegments,
  type SideState,
} from "../../shared/job/side-checkpoint.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import { ledgerReport } from "../../shared/ledger/report.ts";
import { RunLogWriter, runLogPath } from "../../shared/ledger/run-log-node.ts";
import { directoryFiles, openModelDirectory, writeAdapterDirectory } from "../../shared/model/files-node.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import type { ClientOutcome, ClientProgress } from "../../shared/protocol/client-state.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import type { trainCommand } from "../commands/train.ts";
import { wsConnector } from "../connection.ts";
import { Edge } from "../edge.ts";
import type { ClientSegments } from "../edge-worker.ts";
import { TrainReporter } from "./reporter.ts";

export type TrainSettings = z.output<typeof trainCommand.options>;

async function loadRows(settings: TrainSettings, model: HfModel): Promise<Rows> {
  const { completionOnly, packed, heldOut } = settings;
  const all = await loadDataset(settings.data, await model.tokenizer(), { completionOnly });
  const train = heldOut === 0 ? all : splitHeldOut(all, heldOut, settings.seed).train;
  return makeRows(train, { length: Math.min(settings.length, model.config.maxPositions), packed });
}

/** One client's run, from joining to what it leaves behind. */
class ClientRun {
  readonly #settings: TrainSettings;
  readonly #context: CommandContext;
  readonly #model: HfModel;
  readonly #engine: Engine;
  readonly #schedule: BatchSchedule;
  readonly #ledger = new ByteLedger();
  readonly #reporter: TrainReporter;
  readonly #out: string;
  readonly #checkpoints: SideCheckpoints;
  #log: RunLogWriter | undefined;
  #edge: Edge | undefined;
  #job: JobConfig | undefined;
  #segments: SideSegments = {};
  #restored: SideState | undefined;
  #stepsTaken = 0;
  /** Why the run cannot go on although the server would let it. */
  #unfit: NarrowbandError | undefined;

  constructor(settings: TrainSettings, context: CommandContext, model: HfModel, engine: Engine, rows: Rows) {
    this.#settings = settings;
    this.#context = context;
    this.#model = model;
    this.#engine = engine;
    this.#schedule = new BatchSchedule(rows, settings.rows, settings.seed);
    this.#reporter = new TrainReporter(context, this.#ledger, settings.name);
    this.#out = settings.out ?? join("runs", settings.name);
    this.#checkpoints = new SideCheckpoints(join(this.#out, "checkpoints"), "client");
  }

  async run(): Promise<void> {
    const { job, name, token, model, server, tlsCa, tlsCert, tlsKey, allowPlaintextTokens } = this.#settings;
    const { signal } = this.#context;
    const ledger = this.#ledger;
    const edge = new Edge({
      job,
      name,
      token,
      modelFingerprint: await modelFingerprint(this.#model.config),
      tokenizerFingerprint: await tokenizerFingerprint(directoryFiles(model)),
      software: `narrowband/${packageVersion()} node/${process.versions.node}`,
      ledger,
      connect: wsConnector({
        url: server,
        ledger,
        caFile: tlsCa,
        certFile: tlsCert,
        keyFile: tlsKey,
        sendsToken: token !== undefined,
        allowPlaintextTokens,
      }),
      segments: (config) => this.#load(config),
      encoderStates: () => {
        if (this.#restored === undefined) return undefined;
        const { A1, G2 } = this.#restored.encoders;
        return { A1, G2 };
      },
      batches: {
        nextBatch: (step, microBatch) => this.#schedule.batch(step, microBatch, this.#job?.microBatches ?? 1),
      },
      onProgress: (progress) => this.#progress(progress),
      onStep: (step) => {
        this.#reporter.step(step);
        this.#stepsTaken = step.commit.step + 1;
      },
    });
    this.#edge = edge;
    const stop = () => edge.stop();
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    const outcome = await edge.run();
    signal.removeEventListener("abort", stop);
    (await this.#context.progress()).stop();
    this.#log?.close();
    await this.#leaveBehind(outcome);
    for (const segment of Object.values(this.#segments)) await segment?.dispose();
    this.#settle(outcome);
  }

  /** Loads the segments once the job's settings are known. */
  async #load(job: JobConfig): Promise<ClientSegments> {
    this.#job = job;
    const { bottom, top } = await loadClientRunners(job, this.#model, this.#engine);
    this.#segments = { bottom, top };
    const { directory } = this.#checkpoints;
    if (this.#settings.resume) {
      this.#restored = await restoreSideCheckpoint(directory, "client", this.#segments, job);
      this.#stepsTaken = this.#restored.step;
      this.#context.note(`Going on after step ${this.#stepsTaken}, from the checkpoint in ${directory}.`);
    } else await forgetCheckpoints(directory);
    const { job: jobName, name } = this.#settings;
    this.#log ??= new RunLogWriter(runLogPath(this.#out), jobName, name, this.#stepsTaken);
    await this.#reporter.joined(job, this.#log);
    return { bottom, top };
  }

  #progress(progress: ClientProgress): void {
    const { log } = this.#context;
    switch (progress.type) {
      case "welcomed":
        log.info({ resumed: progress.resumed }, "joined the job");
        return;
      case "disconnected":
        log.warn({ closeCode: progress.code }, "the connection dropped");
        return;
      case "stepStarted":
        this.#stepStarted(progress.key.step);
        return;
      case "stepAbandoned":
        log.warn({ ...progress.key, code: progress.code }, progress.message);
        return;
      case "averaged":
        log.info({ average: progress.average }, "took over an average");
        return;
      case "ended":
        log.info({ ...progress.outcome }, "ended");
    }
  }

  /** All earlier steps are applied here, and none of this one is. */
  #stepStarted(step: number): void {
    const { directory } = this.#checkpoints;
    if (this.#restored !== undefined && step < this.#restored.step) {
      this.#unfit = new NarrowbandError(
        "NB_CHECKPOINT_MISMATCH",
        `the checkpoint in ${directory} has taken ${this.#restored.step} steps, the server's job only ${step}: it is another job's`,
      );
      this.#edge?.stop();
      return;
    }
    this.#reporter.stepStarted(step, this.#edge?.senders);
    this.#stepsTaken = step;
    const { checkpointEvery } = this.#settings;
    if (checkpointEvery > 0 && step > 0 && step % checkpointEvery === 0) this.#save();
  }

  #save(): void {
    const senders = this.#edge?.senders;
    if (this.#job === undefined || senders === undefined) return;
    const encoders = { A1: senders.A1.encoder.save(), G2: senders.G2.encoder.save() };
    this.#checkpoints.save(this.#segments, this.#job, { step: this.#stepsTaken, encoders });
  }

  /** Writes adapter, checkpoint and result, however the run ended; what did not take part leaves nothing. */
  async #leaveBehind(outcome: ClientOutcome): Promise<void> {
    let adapter: string | undefined;
    if (this.#job !== undefined && this.#unfit === undefined) {
      const { config } = this.#model;
      const segments = Object.values(this.#segments);
      const tensors = new Map(segments.flatMap((segment) => [...(segment?.adapters() ?? [])]));
      const own = adapterOf(this.#job, config, tensors);
      if (own !== undefined) {
        await writeAdapterDirectory(this.#out, config, own);
        adapter = this.#out;
      }
      if (this.#stepsTaken > (this.#restored?.step ?? 0)) this.#save();
    }
    await this.#checkpoints.written();
    const ledger = this.#ledger.snapshot();
    await this.#context.result({
      outcome: outcome.reason,
      steps: this.#stepsTaken,
      adapter,
      ledger,
      report: ledgerReport(ledger),
      ...this.#reporter.times(),
    });
  }

  /** Turns how the run ended into the command's own end. */
  #settle({ reason, code, message }: ClientOutcome): void {
    if (this.#unfit !== undefined) throw this.#unfit;
    const where = `adapter and checkpoint are in ${this.#out}`;
    if (reason === "completed") {
      const { tokens, totalBytes, wireBitsPerElement } = ledgerReport(this.#ledger.snapshot());
      this.#context.print(
        `${this.#settings.name}: ${formatCount(this.#stepsTaken)} steps, ${formatCount(tokens)} tokens, ${formatBytes(totalBytes)} on the wire ` +
          `(${wireBitsPerElement.toFixed(2)} bits per element, everything counted); ${where}`,
      );
      return;
    }
    if (this.#context.signal.aborted) fail("NB_INTERRUPTED", `stopped; ${where}`);
    if (reason === "stopped") fail("NB_JOB_STOPPED", `${message}; ${where}`);
    // A code of a newer server may be unknown here.
    if (!Object.hasOwn(ERRORS, code)) fail("NB_INTERNAL", `${code}: ${message}`);
    fail(code as ErrorCode, message);
  }
}

export async function runTrain(settings: TrainSettings, context: CommandContext): Promise<void> {
  const model = await openModelDirectory(settings.model);
  const engine = await createEngine(settings.engine, { threads: settings.threads || availableParallelism() });
  try {
    const rows = await loadRows(settings, model);
    context.log.info({ rows: rows.begin.length, data: settings.data }, "text is ready");
    await new ClientRun(settings, context, model, engine, rows).run();
  } finally {
    await model.close();
    await engine.dispose();
  }
}
