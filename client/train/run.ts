/** What `narrowband train` does: text, segments, connection, progress, and what is left behind at the end. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatCount } from "../../shared/command/format.ts";
import { packageVersion } from "../../shared/command/package-root.ts";
import type { ProgressBar } from "../../shared/command/progress.ts";
import { BatchSchedule, makeRows } from "../../shared/data/batches.ts";
import { loadDataset } from "../../shared/data/load-node.ts";
import { splitHeldOut } from "../../shared/data/token-dataset.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { ERRORS, type ErrorCode, fail } from "../../shared/errors.ts";
import { modelFingerprint, tokenizerFingerprint } from "../../shared/job/fingerprint.ts";
import { adapterOf, loadClientRunners } from "../../shared/job/runners.ts";
import {
  restoreSideCheckpoint,
  type SideSegments,
  writeSideCheckpoint,
} from "../../shared/job/side-checkpoint.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import { ledgerReport } from "../../shared/ledger/report.ts";
import { directoryFiles, openModelDirectory, writeAdapterDirectory } from "../../shared/model/files-node.ts";
import type { ClientOutcome, ClientProgress } from "../../shared/protocol/client-state.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import type { trainCommand } from "../commands/train.ts";
import { wsConnector } from "../connection.ts";
import { Edge, type EdgeStep } from "../edge.ts";

export type TrainSettings = z.output<typeof trainCommand.options>;

/** What a client's checkpoint calls itself. */
const CHECKPOINT_KIND = "client";

/** At most so many pictures of all channels' widths are told in a run. */
const WIDTH_EVENTS = 50;

/** Keeps count of the run, for the bar and for machines. */
class TrainReporter {
  readonly #context: CommandContext;
  readonly #ledger: ByteLedger;
  readonly #name: string;
  #bar: ProgressBar | undefined;
  #job: JobConfig | undefined;
  #tokens = 0;
  #firstStepAt: number | undefined;
  #lastStepAt = 0;
  #last: EdgeStep | undefined;
  /** Widths of the step under way; after its commit the encoders have moved on. */
  #bits: { readonly A1: number; readonly G2: number } | undefined;

  constructor(context: CommandContext, ledger: ByteLedger, name: string) {
    this.#context = context;
    this.#ledger = ledger;
    this.#name = name;
  }

  async joined(job: JobConfig): Promise<void> {
    if (this.#job !== undefined) return;
    this.#job = job;
    this.#context.event("joined", { job });
    this.#bar = (await this.#context.progress()).bar(this.#name, job.steps);
  }

  stepStarted(step: number, senders: Edge["senders"]): void {
    this.#firstStepAt ??= performance.now();
    if (senders === undefined || this.#job === undefined) return;
    const { A1, G2 } = senders;
    this.#bits = { A1: A1.encoder.meanBits, G2: G2.encoder.meanBits };
    if (step % Math.ceil(this.#job.steps / WIDTH_EVENTS) !== 0) return;
    const widths = { A1: [...A1.encoder.widths()], G2: [...G2.encoder.widths()] };
    this.#context.event("widths", { step: step + 1, ...widths });
  }

  step(step: EdgeStep): void {
    const now = performance.now();
    const sinceLast = now - (this.#last === undefined ? (this.#firstStepAt ?? now) : this.#lastStepAt);
    this.#lastStepAt = now;
    this.#last = step;
    this.#tokens += step.tokens;
    const { totalBytes } = ledgerReport(this.#ledger.snapshot());
    const loss = step.lossSum / Math.max(1, step.supervisedTokens);
    this.#context.event("step", {
      step: step.commit.step + 1,
      loss,
      supervisedTokens: step.supervisedTokens,
      tokens: this.#tokens,
      bits: this.#bits,
      bytes: totalBytes,
      ...this.times(),
    });
    const bits = this.#bits === undefined ? 0 : (this.#bits.A1 + this.#bits.G2) / 2;
    this.#bar?.update(
      step.commit.step + 1,
      `loss ${loss.toFixed(4)} | ${bits.toFixed(2)} bits | ${formatBytes(totalBytes)} | ${formatCount((step.tokens * 1000) / sinceLast)} tokens/s`,
    );
  }

  /** Milliseconds from the first step's start to the last commit, by what they went into. */
  times(): { readonly computeMs: number; readonly codecMs: number; readonly linkMs: number } {
    const { computeMs = 0, codecMs = 0 } = this.#last ?? {};
    const all = this.#firstStepAt === undefined ? 0 : this.#lastStepAt - this.#firstStepAt;
    return { computeMs, codecMs, linkMs: Math.max(0, all - computeMs - codecMs) };
  }
}

async function loadRows(settings: TrainSettings, files: ReturnType<typeof openModelDirectory>) {
  const model = await files;
  const tokenizer = await model.tokenizer();
  const { completionOnly, packed, heldOut } = settings;
  const all = await loadDataset(settings.data, tokenizer, { completionOnly });
  const train = heldOut === 0 ? all : splitHeldOut(all, heldOut, settings.seed).train;
  const length = Math.min(settings.length, model.config.maxPositions);
  return makeRows(train, { length, packed });
}

/** Turns how the run ended into the command's own end. */
function settle(outcome: ClientOutcome, interrupted: boolean, out: string): void {
  if (outcome.reason === "completed") return;
  if (interrupted) fail("NB_INTERRUPTED", `stopped; adapter and checkpoint are in ${out}`);
  // A code of a newer server may be unknown here.
  const known = Object.hasOwn(ERRORS, outcome.code);
  if (outcome.reason === "stopped")
    fail("NB_JOB_STOPPED", `${outcome.message}; adapter and checkpoint are in ${out}`);
  fail(
    known ? (outcome.code as ErrorCode) : "NB_INTERNAL",
    known ? outcome.message : `${outcome.code}: ${outcome.message}`,
  );
}

export async function runTrain(settings: TrainSettings, context: CommandContext): Promise<void> {
  const out = settings.out ?? join("runs", settings.name);
  const checkpoints = join(out, "checkpoints");
  const model = await openModelDirectory(settings.model);
  const engine = await createEngine(settings.engine, { threads: settings.threads || availableParallelism() });
  try {
    const rows = await loadRows(settings, Promise.resolve(model));
    const schedule = new BatchSchedule(rows, settings.rows, settings.seed);
    context.log.info({ rows: rows.begin.length, data: settings.data }, "text is ready");

    const ledger = new ByteLedger();
    const reporter = new TrainReporter(context, ledger, settings.name);
    let segments: SideSegments = {};
    let job: JobConfig | undefined;
    let stepsTaken = 0;
    /** One write at a time; the last one counts. */
    let saving: Promise<unknown> = Promise.resolve();
    const save = () => {
      if (job === undefined) return;
      const position = { step: stepsTaken, job };
      saving = saving.then(() => writeSideCheckpoint(checkpoints, CHECKPOINT_KIND, segments, position));
    };

    const onProgress = (progress: ClientProgress) => {
      switch (progress.type) {
        case "welcomed":
          context.log.info({ resumed: progress.resumed }, "joined the job");
          return;
        case "disconnected":
          context.log.warn({ closeCode: progress.code }, "the connection dropped");
          return;
        case "stepStarted": {
          const { step } = progress.key;
          reporter.stepStarted(step, edge.senders);
          // All earlier steps are applied here, and none of this one is.
          stepsTaken = step;
          if (settings.checkpointEvery > 0 && step > 0 && step % settings.checkpointEvery === 0) save();
          return;
        }
        case "stepAbandoned":
          context.log.warn({ ...progress.key, code: progress.code }, progress.message);
          return;
        case "averaged":
          context.log.info({ average: progress.average }, "took over an average");
          return;
        case "ended":
          context.log.info({ ...progress.outcome }, "ended");
      }
    };

    const edge = new Edge({
      job: settings.job,
      name: settings.name,
      token: settings.token,
      modelFingerprint: await modelFingerprint(model.config),
      tokenizerFingerprint: await tokenizerFingerprint(directoryFiles(settings.model)),
      software: `narrowband/${packageVersion()} node/${process.versions.node}`,
      ledger,
      connect: wsConnector({ url: settings.server, ledger, caFile: settings.tlsCa }),
      segments: async (config) => {
        job = config;
        const { bottom, top } = await loadClientRunners(config, model, engine);
        segments = { bottom, top };
        const restored = await restoreSideCheckpoint(checkpoints, CHECKPOINT_KIND, segments, config);
        if (restored !== undefined) {
          stepsTaken = restored;
          context.note(`Going on from the checkpoint of step ${restored} in ${checkpoints}.`);
        }
        await reporter.joined(config);
        return { bottom, top };
      },
      batches: {
        nextBatch: (step, microBatch) => schedule.batch(step, microBatch, job?.microBatches ?? 1),
      },
      onProgress,
      onStep: (step) => {
        reporter.step(step);
        stepsTaken = step.commit.step + 1;
      },
    });
    const stop = () => edge.stop();
    context.signal.addEventListener("abort", stop);
    if (context.signal.aborted) stop();
    const outcome = await edge.run();
    context.signal.removeEventListener("abort", stop);
    (await context.progress()).stop();
    await finish(outcome);

    async function finish(outcome: ClientOutcome): Promise<void> {
      const adapters = new Map(
        Object.values(segments).flatMap((segment) => [...(segment?.adapters() ?? [])]),
      );
      const adapter = job === undefined ? undefined : adapterOf(job, model.config, adapters);
      if (adapter !== undefined) await writeAdapterDirectory(out, model.config, adapter);
      if (stepsTaken > 0) save();
      await saving;
      const snapshot = ledger.snapshot();
      const report = ledgerReport(snapshot);
      await context.result({
        outcome: outcome.reason,
        steps: stepsTaken,
        adapter: adapter === undefined ? undefined : out,
        ledger: snapshot,
        report,
        ...reporter.times(),
      });
      for (const segment of Object.values(segments)) await segment?.dispose();
      settle(outcome, context.signal.aborted, out);
      context.print(
        `${settings.name}: ${formatCount(stepsTaken)} steps, ${formatCount(report.tokens)} tokens, ${formatBytes(report.totalBytes)} on the wire ` +
          `(${report.wireBitsPerElement.toFixed(2)} bits per element, everything counted); adapter in ${out}`,
      );
    }
  } finally {
    await model.close();
    await engine.dispose();
  }
}
