/** What `narrowband serve` does: the trunk, the job, the door, progress, and what is left behind at the end. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatCount } from "../../shared/command/format.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { asNarrowbandError, fail, NarrowbandError } from "../../shared/errors.ts";
import { modelFingerprint, tokenizerFingerprint } from "../../shared/job/fingerprint.ts";
import { adapterOf, clientAdapterOutline, loadServerRunners } from "../../shared/job/runners.ts";
import { DirectoryStorage } from "../../shared/job/storage-node.ts";
import { ledgerReport } from "../../shared/ledger/report.ts";
import { RunLogWriter, runLogPath } from "../../shared/ledger/run-log-node.ts";
import { modelFiles, openModelDirectory, writeAdapterDirectory } from "../../shared/model/files-node.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import type { JobOutcome } from "../../shared/protocol/server-state.ts";
import type { TopSegment, TrunkSegment } from "../../shared/train/segments.ts";
import { tokenCheck } from "../app.ts";
import { Job } from "../job.ts";
import { UnloadingTop, UnloadingTrunk } from "../unloading.ts";
import { jobSettings } from "./jobs.ts";
import { ServeReporter } from "./reporter.ts";
import { jobConfigOf, jobPolicyOf, robustOf, type ServeSettings } from "./settings.ts";
import { type SharedServer, shareServer } from "./shared.ts";

/** How long clients have to read the goodbye and close before the server closes for them. */
const GOODBYE_MS = 3_000;

/** Whether a person has stopped the server. SIGTERM comes from what starts services, and starts them again. */
function endsForGood(signal: AbortSignal): boolean {
  const { reason } = signal;
  return !(reason instanceof NarrowbandError && reason.details.signal === "SIGTERM");
}

/**
 * Waits until all clients have closed their connections and the last bytes of these are counted, but not for ever: when the job is completed,
 * for a client that dropped as long as its step would have been waited for.
 */
async function clientsGone(job: Job, completed: boolean, signal: AbortSignal): Promise<void> {
  const start = performance.now();
  while (job.attended || job.openConnections > 0) {
    const patient = completed && !signal.aborted && job.attended;
    if (!patient && performance.now() - start > GOODBYE_MS) return;
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** Of a job that has ended. */
interface JobResult {
  readonly result: Readonly<Record<string, unknown>>;
  /** Tells people how it ended; throws when it did not end well. */
  settle(): void;
}

/** What the server holds of a model. */
interface ServerSegments {
  readonly trunk: TrunkSegment;
  readonly top: TopSegment | undefined;
}

/** One job, from its first client to what it leaves behind. */
class ServerRun {
  readonly #settings: ServeSettings;
  readonly #context: CommandContext;
  readonly #model: HfModel;
  readonly #config: JobConfig;
  readonly #segments: ServerSegments;
  readonly #shared: SharedServer;
  #job: Job | undefined;
  #reporter: ServeReporter | undefined;

  constructor(
    settings: ServeSettings,
    context: CommandContext,
    model: HfModel,
    config: JobConfig,
    segments: ServerSegments,
    shared: SharedServer,
  ) {
    this.#settings = settings;
    this.#shared = shared;
    this.#context = context;
    this.#model = model;
    this.#config = config;
    this.#segments = segments;
  }

  /** The job, whose run is kept in --out from now on. */
  async open(): Promise<void> {
    const { job: name, out, resume, checkpointEvery } = this.#settings;
    const { log, note } = this.#context;
    const { server, tokens, queue } = this.#shared;
    const storage = new DirectoryStorage(join(out, "checkpoints"));
    const job = await Job.open(
      {
        name,
        number: server.jobs.length + 1,
        config: this.#config,
        policy: jobPolicyOf(this.#settings),
        robust: robustOf(this.#settings),
        adapters: clientAdapterOutline(this.#config, this.#model.config),
        ...this.#segments,
        authenticate: tokenCheck(tokens, name),
        queue,
        onProgress: (progress) => this.#reporter?.progress(progress),
        onStep: (step) => this.#reporter?.step(step),
        onError: (error) => log.error(error),
      },
      { storage, resume, every: checkpointEvery, onNote: (text) => log.warn(text) },
    );
    if (resume) note(`Going on after step ${job.stepsTaken}, from what is in ${storage.name}.`);
    server.addJob(job);
    this.#job = job;
  }

  /** Takes the job to its end. What it returns is for machines, and turns the job's end into the command's. */
  async run(): Promise<JobResult> {
    const { steps, out } = this.#settings;
    const { signal } = this.#context;
    const { server, several } = this.#shared;
    const job = this.#job as Job;
    this.#announce(await this.#shared.listening);
    const progress = await this.#context.progress();
    const log = new RunLogWriter(runLogPath(out), job.name, "server", job.trunkSteps);
    const bar = progress.bar(several ? job.name : "server", steps, job.stepsTaken);
    this.#reporter = new ServeReporter(this.#context, job, bar, log);
    const stop = (): void => {
      const retryAfterMs = endsForGood(signal) ? 0 : this.#settings.retryAfter;
      server.drain(retryAfterMs);
      void job.stop(retryAfterMs);
    };
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    const outcome = await job.done;
    signal.removeEventListener("abort", stop);
    if (!several) progress.stop();
    log.close();
    await clientsGone(job, outcome.reason === "completed", signal);
    // Nothing is written over what is there when storage has failed.
    if (outcome.code === "NB_STORAGE_FULL" || outcome.code === "NB_STORAGE_FAILED") {
      fail(outcome.code, outcome.message);
    }
    const result = await this.#leaveBehind(job, outcome);
    return { result, settle: () => this.#settle(job, outcome) };
  }

  #announce(address: { readonly http: string; readonly ws: string; readonly port: number }): void {
    const { job, minClients, model } = this.#settings;
    this.#context.event("listening", { ...address, job });
    const named = job === "default" ? "" : ` --job ${job}`;
    this.#context.note(
      `Job "${job}" at ${address.ws} waits for ${minClients} client${minClients === 1 ? "" : "s"}. On each:\n` +
        `  narrowband train ${address.ws} --model ${model} --data TEXT --name NAME${named}`,
    );
  }

  async #leaveBehind(job: Job, outcome: JobOutcome): Promise<JobResult["result"]> {
    const { out } = this.#settings;
    const { trunk, top } = this.#segments;
    const tensors = new Map([...trunk.adapters(), ...(top?.adapters() ?? [])]);
    const adapter = adapterOf(this.#config, this.#model.config, tensors);
    if (adapter !== undefined) await writeAdapterDirectory(out, this.#model.config, adapter);
    await job.close();
    const ledger = job.ledger.snapshot();
    return {
      job: this.#settings.job,
      outcome: outcome.reason,
      steps: job.stepsTaken,
      adapter: adapter === undefined ? undefined : out,
      ledger,
      report: ledgerReport(ledger),
      ...this.#reporter?.times(),
    };
  }

  /** Turns how the job ended into the command's own end. */
  #settle(job: Job, { reason, code, message }: JobOutcome): void {
    const { out } = this.#settings;
    const where = `the trunk's adapter and a checkpoint are in ${out}`;
    if (reason !== "completed") {
      if (this.#context.signal.aborted) fail("NB_INTERRUPTED", `stopped; ${where}`);
      fail(code ?? "NB_INTERNAL", message);
    }
    const { tokens, totalBytes, wireBitsPerElement } = ledgerReport(job.ledger.snapshot());
    this.#context.print(
      `job "${job.name}": ${formatCount(job.stepsTaken)} steps, ${formatCount(tokens)} tokens, ${formatBytes(totalBytes)} on the wire ` +
        `(${wireBitsPerElement.toFixed(2)} bits per element, everything counted); ${where}`,
    );
  }
}

/** The trunk, and in a vanilla split the top, which give their memory back while the job is idle where that is asked for. */
async function loadSegments(
  settings: ServeSettings,
  context: CommandContext,
  config: JobConfig,
  load: () => ReturnType<typeof loadServerRunners>,
): Promise<ServerSegments> {
  const { trunk, top } = await load();
  const { unloadIdle: idleMs, job } = settings;
  if (idleMs === 0) return { trunk, top };
  const options = (segment: string) => ({
    idleMs,
    onChange: (loaded: boolean): void =>
      context.log.info({ job, segment }, loaded ? "weights are loaded again" : "idle: weights are unloaded"),
  });
  const loadTrunk = async () => {
    const again = await load();
    await again.top?.dispose();
    return again.trunk;
  };
  const loadTop = async () => {
    const again = await load();
    await again.trunk.dispose();
    return again.top ?? fail("NB_INTERNAL", `a ${config.split} split without a top`);
  };
  return {
    trunk: new UnloadingTrunk(trunk, { ...options("trunk"), load: loadTrunk }),
    top: top === undefined ? undefined : new UnloadingTop(top, { ...options("top"), load: loadTop }),
  };
}

/** A job that is ready to run, and how to let go of what it holds. */
interface LoadedJob {
  readonly run: ServerRun;
  dispose(): Promise<void>;
}

async function loadJob(
  settings: ServeSettings,
  context: CommandContext,
  engine: Engine,
  shared: SharedServer,
): Promise<LoadedJob> {
  const model = await openModelDirectory(settings.model);
  const held: (() => Promise<void>)[] = [() => model.close()];
  const dispose = async (): Promise<void> => {
    for (const release of held.splice(0).reverse()) await release();
  };
  try {
    const config = jobConfigOf(settings, model.config, {
      model: await modelFingerprint(model.config),
      tokenizer: await tokenizerFingerprint(modelFiles(settings.model)),
    });
    const load = () => loadServerRunners(config, model, engine);
    const segments = await loadSegments(settings, context, config, load);
    held.push(async () => {
      await segments.trunk.dispose();
      await segments.top?.dispose();
    });
    const run = new ServerRun(settings, context, model, config, segments, shared);
    await run.open();
    return { run, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

export async function runServe(settings: ServeSettings, context: CommandContext): Promise<void> {
  const all = await jobSettings(settings);
  const shared = shareServer(settings, context, all.length > 1);
  const engine = await createEngine(settings.engine, { threads: settings.threads || availableParallelism() });
  const jobs: LoadedJob[] = [];
  try {
    for (const one of all) jobs.push(await loadJob(one, context, engine, shared));
    await shared.listen();
    // One that fails does not end the others.
    const ended = await Promise.allSettled(jobs.map(({ run }) => run.run()));
    if (shared.several) (await context.progress()).stop();
    const done = ended.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
    const results = done.map(({ result }) => result);
    if (shared.several) await context.result({ jobs: results });
    else if (results.length === 1) await context.result(results[0]);
    for (const end of ended) if (end.status === "rejected") throw end.reason;
    settleAll(done, context);
  } finally {
    await shared.server.close();
    for (const job of jobs) await job.dispose();
    await engine.dispose();
  }
}

/** Reports how every job ended, and ends as the first that did not end well. */
function settleAll(jobs: readonly JobResult[], context: CommandContext): void {
  const failures: unknown[] = [];
  for (const { settle } of jobs) {
    try {
      settle();
    } catch (error) {
      if (failures.length > 0) context.note(asNarrowbandError(error).message);
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
