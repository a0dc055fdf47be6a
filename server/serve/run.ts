/** What `narrowband serve` does: the trunk, the job, the door, progress, and what is left behind at the end. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatCount } from "../../shared/command/format.ts";
import type { ProgressBar } from "../../shared/command/progress.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { fail } from "../../shared/errors.ts";
import { modelFingerprint, tokenizerFingerprint } from "../../shared/job/fingerprint.ts";
import { adapterOf, loadServerRunners } from "../../shared/job/runners.ts";
import { restoreSideCheckpoint, writeSideCheckpoint } from "../../shared/job/side-checkpoint.ts";
import { ledgerReport } from "../../shared/ledger/report.ts";
import {
  directoryFiles,
  openModelDirectory,
  writeAdapterDirectory,
  writeJson,
} from "../../shared/model/files-node.ts";
import type { ServerProgress } from "../../shared/protocol/server-state.ts";
import { Server, tokenCheck } from "../app.ts";
import { Job, type TrunkStep } from "../job.ts";
import { createToken, readTokenFile, type TokenRecord } from "../tokens.ts";
import { jobConfigOf, jobPolicyOf, type ServeSettings } from "./settings.ts";

/** What a server's checkpoint calls itself. */
const CHECKPOINT_KIND = "server";

/** At most so many pictures of all channels' widths are told in a run. */
const WIDTH_EVENTS = 50;

/** How long clients have to read the goodbye and close before the server closes for them. */
const GOODBYE_MS = 3_000;

async function addToken(settings: ServeSettings, context: CommandContext): Promise<void> {
  const path = settings.tokens as string;
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) =>
    error.code === "ENOENT" ? '{"tokens":[]}' : fail("NB_FILE_UNREADABLE", `${path}: ${error.message}`),
  );
  if (text !== '{"tokens":[]}') readTokenFile(path);
  const { tokens } = JSON.parse(text) as { tokens: TokenRecord[] };
  const { token, record } = createToken(
    settings.addToken as string,
    settings.job === "default" ? "*" : settings.job,
  );
  await writeJson(path, { tokens: [...tokens, record] });
  await context.result({ token, record });
  context.print(token);
  context.note(
    `For ${record.id}, good for ${record.job === "*" ? "all jobs" : `the job ${record.job}`}. It is not shown again.`,
  );
}

/** Tells people and machines how the job goes. */
class ServeReporter {
  readonly #context: CommandContext;
  readonly #job: Job;
  readonly #bar: ProgressBar;
  readonly #names = new Map<number, string>();
  /** Widths of the round under way; after its commit the encoders have moved on. */
  readonly #bits = new Map<number, { readonly A2: number; readonly G1: number }>();
  #firstRoundAt: number | undefined;
  #lastStepAt = 0;
  #tokens = 0;

  constructor(context: CommandContext, job: Job, bar: ProgressBar) {
    this.#context = context;
    this.#job = job;
    this.#bar = bar;
  }

  /** Milliseconds from the first round's start to the last commit, by what they went into. */
  times(): { readonly computeMs: number; readonly codecMs: number; readonly linkMs: number } {
    const { computeMs, codecMs } = this.#job.status().times;
    const all = this.#firstRoundAt === undefined ? 0 : Math.max(0, this.#lastStepAt - this.#firstRoundAt);
    return { computeMs, codecMs, linkMs: Math.max(0, all - computeMs - codecMs) };
  }

  progress(progress: ServerProgress): void {
    const { log } = this.#context;
    switch (progress.type) {
      case "joined":
        this.#names.set(progress.client, progress.name);
        log.info({ client: progress.name, resumed: progress.resumed }, "joined");
        this.#context.event("joined", {
          client: progress.client,
          name: progress.name,
          resumed: progress.resumed,
        });
        return;
      case "left":
        log.info({ client: this.#names.get(progress.client), why: progress.why }, "left");
        this.#context.event("left", { client: progress.client, why: progress.why });
        return;
      case "roundStarted":
        this.#roundStarted(progress.key.step, progress.clients);
        return;
      case "stepAbandoned":
        log.warn(
          { client: this.#names.get(progress.client), ...progress.key, code: progress.code },
          progress.message,
        );
        return;
      case "uploadMissed":
        log.warn({ client: this.#names.get(progress.client) }, "its adapters are left out of the average");
        return;
      case "averaged":
        log.info({ average: progress.average, clients: progress.clients.length }, "averaged");
        return;
      case "connectionRefused":
        log.warn({ code: progress.code }, progress.message);
        return;
      case "ended":
        log.info({ ...progress.outcome }, "ended");
    }
  }

  #roundStarted(step: number, clients: readonly number[]): void {
    this.#firstRoundAt ??= performance.now();
    this.#context.event("round", { step: step + 1, clients });
    const every = Math.ceil(this.#job.config.steps / WIDTH_EVENTS);
    for (const client of clients) {
      const { A2, G1 } = this.#job.senders(client);
      this.#bits.set(client, { A2: A2.encoder.meanBits, G1: G1.encoder.meanBits });
      if (step % every !== 0) continue;
      const widths = { A2: [...A2.encoder.widths()], G1: [...G1.encoder.widths()] };
      this.#context.event("widths", { step: step + 1, client, name: this.#names.get(client), ...widths });
    }
  }

  step(step: TrunkStep): void {
    const now = performance.now();
    const { members, trunkStep } = step.group;
    const sinceLast = now - (this.#lastStepAt || (this.#firstRoundAt ?? now));
    this.#lastStepAt = now;
    const sum = (of: (member: (typeof members)[number]) => number) => members.reduce((n, m) => n + of(m), 0);
    const tokens = sum((m) => m.tokens);
    this.#tokens += tokens;
    const loss =
      sum((m) => m.lossSum) /
      Math.max(
        1,
        sum((m) => m.supervisedTokens),
      );
    const bytes = step.upBytes + step.downBytes;
    const bits = members.flatMap(({ client }) => {
      const { A2, G1 } = this.#bits.get(client) ?? { A2: 0, G1: 0 };
      return [A2, G1];
    });
    const meanBits = bits.reduce((a, b) => a + b, 0) / Math.max(1, bits.length);
    this.#context.event("step", {
      step: trunkStep + 1,
      loss,
      tokens: this.#tokens,
      bytes,
      gradientNorm: step.gradientNorm,
      members: members.map((member) => ({
        client: member.client,
        name: this.#names.get(member.client),
        step: member.step + 1,
        loss: member.lossSum / Math.max(1, member.supervisedTokens),
        bits: this.#bits.get(member.client),
      })),
      ...this.times(),
    });
    const done = Math.max(...members.map((member) => member.step)) + 1;
    this.#bar.update(
      done,
      `loss ${loss.toFixed(4)} | ${meanBits.toFixed(2)} bits | ${formatBytes(bytes)} | ${formatCount((tokens * 1000) / sinceLast)} tokens/s`,
    );
  }
}

/** Waits until all clients have closed their connections, but not for ever. */
async function connectionsClosed(job: Job): Promise<void> {
  const deadline = performance.now() + GOODBYE_MS;
  while (performance.now() < deadline && job.status().clients.some(({ connected }) => connected))
    await new Promise((done) => setTimeout(done, 20));
}

export async function runServe(settings: ServeSettings, context: CommandContext): Promise<void> {
  if (settings.addToken !== undefined) return addToken(settings, context);
  const files = directoryFiles(settings.model);
  const model = await openModelDirectory(settings.model);
  const engine = await createEngine(settings.engine, { threads: settings.threads || availableParallelism() });
  const checkpoints = join(settings.out, "checkpoints");
  try {
    const config = jobConfigOf(settings, model.config, {
      model: await modelFingerprint(model.config),
      tokenizer: await tokenizerFingerprint(files),
    });
    const tokens = settings.tokens === undefined ? undefined : readTokenFile(settings.tokens);
    const segments = await loadServerRunners(config, model, engine);
    const restored = await restoreSideCheckpoint(checkpoints, CHECKPOINT_KIND, { ...segments }, config);

    const progress = await context.progress();
    let reporter: ServeReporter | undefined;
    let stepsTaken = restored ?? 0;
    const job = new Job({
      name: settings.job,
      number: 1,
      config,
      policy: jobPolicyOf(settings),
      ...segments,
      authenticate: tokenCheck(tokens, settings.job),
      onProgress: (event) => reporter?.progress(event),
      onStep: (step) => {
        stepsTaken = Math.max(stepsTaken, ...step.group.members.map((member) => member.step + 1));
        reporter?.step(step);
      },
      onError: (error) => context.log.error(error),
    });
    const server = new Server({
      host: settings.host,
      port: settings.port,
      tls:
        settings.tlsCert === undefined || settings.tlsKey === undefined
          ? undefined
          : { certFile: settings.tlsCert, keyFile: settings.tlsKey },
      tokens,
      origins: settings.origins,
      onRefused: (code, message) => context.log.warn({ code }, message),
    });
    server.addJob(job);
    const address = await server.listen();
    try {
      context.event("listening", { ...address, job: settings.job });
      context.note(
        `Job "${settings.job}" at ${address.ws} waits for ${settings.minClients} client${settings.minClients === 1 ? "" : "s"}. On each:\n` +
          `  narrowband train ${address.ws} --model ${settings.model} --data TEXT --name NAME${settings.job === "default" ? "" : ` --job ${settings.job}`}`,
      );
      reporter = new ServeReporter(context, job, progress.bar("server", settings.steps, stepsTaken));
      const stop = () => void job.stop();
      context.signal.addEventListener("abort", stop);
      if (context.signal.aborted) stop();
      const outcome = await job.done;
      context.signal.removeEventListener("abort", stop);
      progress.stop();
      await connectionsClosed(job);

      const tensors = new Map([...segments.trunk.adapters(), ...(segments.top?.adapters() ?? [])]);
      const adapter = adapterOf(config, model.config, tensors);
      if (adapter !== undefined) await writeAdapterDirectory(settings.out, model.config, adapter);
      if (stepsTaken > 0)
        await writeSideCheckpoint(
          checkpoints,
          CHECKPOINT_KIND,
          { ...segments },
          { step: stepsTaken, job: config },
        );
      const snapshot = job.ledger.snapshot();
      const report = ledgerReport(snapshot);
      await context.result({
        outcome: outcome.reason,
        steps: stepsTaken,
        adapter: adapter === undefined ? undefined : settings.out,
        ledger: snapshot,
        report,
        ...reporter.times(),
      });
      if (outcome.reason !== "completed") {
        if (context.signal.aborted)
          fail("NB_INTERRUPTED", `stopped; adapter and checkpoint are in ${settings.out}`);
        fail(outcome.code ?? "NB_INTERNAL", outcome.message);
      }
      context.print(
        `job "${settings.job}": ${formatCount(stepsTaken)} steps, ${formatCount(report.tokens)} tokens, ${formatBytes(report.totalBytes)} on the wire ` +
          `(${report.wireBitsPerElement.toFixed(2)} bits per element, everything counted); the trunk's adapter is in ${settings.out}`,
      );
    } finally {
      await server.close();
      await segments.trunk.dispose();
      await segments.top?.dispose();
    }
  } finally {
    await model.close();
    await engine.dispose();
  }
}
