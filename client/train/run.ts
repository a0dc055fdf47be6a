/** What `narrowband train` does: text, segments, connection, progress, and what is left behind at the end. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import { writeCapture } from "../../shared/capture/capture-node.ts";
import { CaptureRecorder } from "../../shared/capture/recorder.ts";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatCount } from "../../shared/command/format.ts";
import { packageVersion } from "../../shared/command/package-root.ts";
import { BatchSchedule, makeRows, type Rows } from "../../shared/data/batches.ts";
import { loadDataset } from "../../shared/data/load-node.ts";
import { splitHeldOut } from "../../shared/data/token-dataset.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { ERRORS, type ErrorCode, fail } from "../../shared/errors.ts";
import { modelFingerprint, tokenizerFingerprint } from "../../shared/job/fingerprint.ts";
import { adapterOf, loadClientRunners } from "../../shared/job/runners.ts";
import type { SideSegments } from "../../shared/job/side-checkpoint.ts";
import { DirectoryStorage } from "../../shared/job/storage-node.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import { ledgerReport } from "../../shared/ledger/report.ts";
import { RunLogWriter, runLogPath } from "../../shared/ledger/run-log-node.ts";
import { modelFiles, openModelDirectory, writeAdapterDirectory } from "../../shared/model/files-node.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import type { ClientOutcome, ClientProgress } from "../../shared/protocol/client-state.ts";
import { codecSpecOf, phasesOf } from "../../shared/protocol/codecs.ts";
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
  #log: RunLogWriter | undefined;
  #edge: Edge | undefined;
  #job: JobConfig | undefined;
  #segments: SideSegments = {};
  #capture: CaptureRecorder | undefined;

  constructor(settings: TrainSettings, context: CommandContext, model: HfModel, engine: Engine, rows: Rows) {
    this.#settings = settings;
    this.#context = context;
    this.#model = model;
    this.#engine = engine;
    this.#schedule = new BatchSchedule(rows, settings.rows, settings.seed);
    this.#reporter = new TrainReporter(context, this.#ledger, settings.name);
    this.#out = settings.out ?? join("runs", settings.name);
  }

  async run(): Promise<void> {
    const { job, name, token, model, server, resume, checkpointEvery } = this.#settings;
    const { tlsCa, tlsCert, tlsKey, allowPlaintextTokens } = this.#settings;
    const { signal, log } = this.#context;
    const storage = new DirectoryStorage(join(this.#out, "checkpoints"));
    const ledger = this.#ledger;
    const edge = new Edge({
      job,
      name,
      token,
      modelFingerprint: await modelFingerprint(this.#model.config),
      tokenizerFingerprint: await tokenizerFingerprint(modelFiles(model)),
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
      journal: { storage, resume, every: checkpointEvery, onNote: (text) => log.warn(text) },
      batches: {
        nextBatch: (step, microBatch) => this.#schedule.batch(step, microBatch, this.#job?.microBatches ?? 1),
      },
      capture: (config) => this.#startCapture(config),
      onProgress: (progress) => this.#progress(progress),
      onStep: (step) => this.#reporter.step(step),
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
    return { bottom, top };
  }

  #startCapture(job: JobConfig): CaptureRecorder | undefined {
    const { capture, captureEvery, captureSteps, captureMegabytes } = this.#settings;
    if (capture === undefined) return undefined;
    const phases = phasesOf(job);
    const inexact = phases.filter((phase) => codecSpecOf(job.codecs[phase]).codec !== "f32");
    if (inexact.length > 0) {
      const list = inexact.map((phase) => `${phase} ${job.codecs[phase]}`).join(", ");
      this.#context.note(`The capture holds what the job's codecs leave of the tensors (${list}).`);
    }
    this.#capture = new CaptureRecorder({
      wants: (step) => (captureSteps.length > 0 ? captureSteps.includes(step) : step % captureEvery === 0),
      maxBytes: captureMegabytes * 1e6,
      tensorsPerMicroBatch: phases.length,
    });
    return this.#capture;
  }

  /** Writes the capture, if one was asked for, and says what is in it. */
  async #leaveCapture(): Promise<string | undefined> {
    const { capture: path } = this.#settings;
    const [job, recorder] = [this.#job, this.#capture];
    if (path === undefined || job === undefined || recorder === undefined) return undefined;
    const { hidden, name, bottomBlocks, trunkBlocks, topBlocks } = job.model;
    // Of a path only the last part: captures are passed on.
    const model = name.split(/[\\/]/).findLast((part) => part !== "") ?? "a model";
    const note = `${model}, ${bottomBlocks} + ${trunkBlocks} + ${topBlocks} blocks, ${job.split}`;
    const codecs = Object.fromEntries(phasesOf(job).map((phase) => [phase, job.codecs[phase]]));
    const capture = recorder.finish({ note, channels: hidden, codecs });
    const bytes = await writeCapture(path, capture, this.#settings.captureValues);
    const steps = new Set(capture.tensors.map((tensor) => tensor.step)).size;
    const bound = recorder.full ? "; later ones did not fit --capture-megabytes" : "";
    this.#context.print(
      `${path}: ${formatCount(capture.tensors.length)} tensors of ${formatCount(steps)} steps, ${formatBytes(bytes)}${bound}`,
    );
    return path;
  }

  #progress(progress: ClientProgress): void {
    const { log } = this.#context;
    switch (progress.type) {
      case "welcomed":
        log.info({ resumed: progress.resumed }, "joined the job");
        this.#welcomed(progress.config);
        return;
      case "disconnected":
        log.warn({ closeCode: progress.code }, "the connection dropped");
        return;
      case "stepStarted":
        this.#reporter.stepStarted(progress.key.step, this.#edge?.senders);
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

  /** The run log begins, or goes on, once it is known which steps are taken. */
  #welcomed(config: JobConfig): void {
    if (this.#log !== undefined) return;
    const { job, name, resume } = this.#settings;
    const taken = this.#edge?.stepsTaken ?? 0;
    if (resume)
      this.#context.note(`Going on after step ${taken}, from what is in ${join(this.#out, "checkpoints")}.`);
    this.#log = new RunLogWriter(runLogPath(this.#out), job, name, taken);
    void this.#reporter.joined(config, this.#log, this.#edge?.senders);
  }

  /** Writes adapter and result, however the run ended; what did not take part, or could not be kept, leaves nothing. */
  async #leaveBehind(outcome: ClientOutcome): Promise<void> {
    let adapter: string | undefined;
    if (this.#job !== undefined && this.#edge?.isKept) {
      const { config } = this.#model;
      const segments = Object.values(this.#segments);
      const tensors = new Map(segments.flatMap((segment) => [...(segment?.adapters() ?? [])]));
      const own = adapterOf(this.#job, config, tensors);
      if (own !== undefined) {
        await writeAdapterDirectory(this.#out, config, own);
        adapter = this.#out;
      }
    }
    const capture = await this.#leaveCapture();
    const ledger = this.#ledger.snapshot();
    await this.#context.result({
      outcome: outcome.reason,
      steps: this.#edge?.stepsTaken ?? 0,
      adapter,
      capture,
      ledger,
      report: ledgerReport(ledger),
      ...this.#reporter.times(),
    });
  }

  /** Turns how the run ended into the command's own end. */
  #settle({ reason, code, message }: ClientOutcome): void {
    const where = `adapter and checkpoint are in ${this.#out}`;
    if (reason === "completed") {
      const { tokens, totalBytes, wireBitsPerElement } = ledgerReport(this.#ledger.snapshot());
      this.#context.print(
        `${this.#settings.name}: ${formatCount(this.#edge?.stepsTaken ?? 0)} steps, ${formatCount(tokens)} tokens, ${formatBytes(totalBytes)} on the wire ` +
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
