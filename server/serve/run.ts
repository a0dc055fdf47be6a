/** What `narrowband serve` does: the trunk, the job, the door, progress, and what is left behind at the end. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatCount } from "../../shared/command/format.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { fail } from "../../shared/errors.ts";
import { modelFingerprint, tokenizerFingerprint } from "../../shared/job/fingerprint.ts";
import { adapterOf, loadServerRunners } from "../../shared/job/runners.ts";
import { DirectoryStorage } from "../../shared/job/storage-node.ts";
import { ledgerReport } from "../../shared/ledger/report.ts";
import { RunLogWriter, runLogPath } from "../../shared/ledger/run-log-node.ts";
import { directoryFiles, openModelDirectory, writeAdapterDirectory } from "../../shared/model/files-node.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import type { JobOutcome } from "../../shared/protocol/server-state.ts";
import { Server, tokenCheck } from "../app.ts";
import { Job } from "../job.ts";
import { readTokenFile } from "../tokens.ts";
import { addToken } from "./add-token.ts";
import { ServeReporter } from "./reporter.ts";
import { jobConfigOf, jobPolicyOf, type ServeSettings } from "./settings.ts";

/** How long clients have to read the goodbye and close before the server closes for them. */
const GOODBYE_MS = 3_000;

/**
 * Waits until all clients have closed their connections, but not for ever: when the job is completed, for a client that dropped as long
 * as its step would have been waited for.
 */
async function clientsGone(job: Job, completed: boolean, signal: AbortSignal): Promise<void> {
  const start = performance.now();
  while (job.attended) {
    const patient = completed && !signal.aborted;
    if (!patient && performance.now() - start > GOODBYE_MS) return;
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** One job, from its first client to what it leaves behind. */
class ServerRun {
  readonly #settings: ServeSettings;
  readonly #context: CommandContext;
  readonly #model: HfModel;
  readonly #config: JobConfig;
  readonly #segments: Awaited<ReturnType<typeof loadServerRunners>>;
  readonly #tokens: ReturnType<typeof readTokenFile> | undefined;
  #reporter: ServeReporter | undefined;

  constructor(
    settings: ServeSettings,
    context: CommandContext,
    model: HfModel,
    config: JobConfig,
    segments: Awaited<ReturnType<typeof loadServerRunners>>,
  ) {
    this.#settings = settings;
    this.#context = context;
    this.#model = model;
    this.#config = config;
    this.#segments = segments;
    this.#tokens = settings.tokens === undefined ? undefined : readTokenFile(settings.tokens);
  }

  /** The job, whose run is kept in --out from now on. */
  async #open(): Promise<Job> {
    const { job: name, out, resume, checkpointEvery } = this.#settings;
    const { log, note } = this.#context;
    const storage = new DirectoryStorage(join(out, "checkpoints"));
    const job = await Job.open(
      {
        name,
        number: 1,
        config: this.#config,
        policy: jobPolicyOf(this.#settings),
        ...this.#segments,
        authenticate: tokenCheck(this.#tokens, name),
        onProgress: (progress) => this.#reporter?.progress(progress),
        onStep: (step) => this.#reporter?.step(step),
        onError: (error) => log.error(error),
      },
      { storage, resume, every: checkpointEvery, onNote: (text) => log.warn(text) },
    );
    if (resume) note(`Going on after step ${job.stepsTaken}, from what is in ${storage.name}.`);
    return job;
  }

  async run(): Promise<void> {
    const { host, port, tlsCert, tlsKey, origins, steps, out } = this.#settings;
    const { signal, log } = this.#context;
    const job = await this.#open();
    const server = new Server({
      host,
      port,
      tls: tlsCert === undefined || tlsKey === undefined ? undefined : { certFile: tlsCert, keyFile: tlsKey },
      tokens: this.#tokens,
      origins,
      onRefused: (code, message) => log.warn({ code }, message),
    });
    server.addJob(job);
    const address = await server.listen();
    try {
      this.#announce(address);
      const progress = await this.#context.progress();
      const log = new RunLogWriter(runLogPath(out), job.name, "server", job.trunkSteps);
      const bar = progress.bar("server", steps, job.stepsTaken);
      this.#reporter = new ServeReporter(this.#context, job, bar, log);
      const stop = () => void job.stop();
      signal.addEventListener("abort", stop);
      if (signal.aborted) stop();
      const outcome = await job.done;
      signal.removeEventListener("abort", stop);
      progress.stop();
      log.close();
      await clientsGone(job, outcome.reason === "completed", signal);
      // Nothing is written over what is there when storage has failed.
      if (outcome.code === "NB_STORAGE_FULL" || outcome.code === "NB_STORAGE_FAILED") {
        fail(outcome.code, outcome.message);
      }
      await this.#leaveBehind(job, outcome);
      this.#settle(job, outcome);
    } finally {
      await server.close();
    }
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

  async #leaveBehind(job: Job, outcome: JobOutcome): Promise<void> {
    const { out } = this.#settings;
    const { trunk, top } = this.#segments;
    const tensors = new Map([...trunk.adapters(), ...(top?.adapters() ?? [])]);
    const adapter = adapterOf(this.#config, this.#model.config, tensors);
    if (adapter !== undefined) await writeAdapterDirectory(out, this.#model.config, adapter);
    await job.close();
    const ledger = job.ledger.snapshot();
    await this.#context.result({
      outcome: outcome.reason,
      steps: job.stepsTaken,
      adapter: adapter === undefined ? undefined : out,
      ledger,
      report: ledgerReport(ledger),
      ...this.#reporter?.times(),
    });
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

async function serveModel(
  settings: ServeSettings,
  context: CommandContext,
  model: HfModel,
  engine: Engine,
): Promise<void> {
  const config = jobConfigOf(settings, model.config, {
    model: await modelFingerprint(model.config),
    tokenizer: await tokenizerFingerprint(directoryFiles(settings.model)),
  });
  const segments = await loadServerRunners(config, model, engine);
  try {
    await new ServerRun(settings, context, model, config, segments).run();
  } finally {
    await segments.trunk.dispose();
    await segments.top?.dispose();
  }
}

export async function runServe(settings: ServeSettings, context: CommandContext): Promise<void> {
  if (settings.addToken !== undefined) return addToken(settings, context);
  const model = await openModelDirectory(settings.model);
  const engine = await createEngine(settings.engine, { threads: settings.threads || availableParallelism() });
  try {
    await serveModel(settings, context, model, engine);
  } finally {
    await model.close();
    await engine.dispose();
  }
}
