/** How a server's job goes: for people as a bar, for machines as events, for later as a run log. */
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatCount } from "../../shared/command/format.ts";
import type { ProgressBar } from "../../shared/command/progress.ts";
import { ledgerReport } from "../../shared/ledger/report.ts";
import type { RunLogWriter } from "../../shared/ledger/run-log-node.ts";
import type { ServerProgress } from "../../shared/protocol/server-state.ts";
import type { Job, TrunkStep } from "../job.ts";

/** At most so many pictures of all channels' widths are told in a run. */
const WIDTH_EVENTS = 50;

export class ServeReporter {
  readonly #context: CommandContext;
  readonly #job: Job;
  readonly #bar: ProgressBar;
  readonly #log: RunLogWriter;
  /** Every line names the job. */
  readonly #jobLog: CommandContext["log"];
  readonly #names = new Map<number, string>();
  /** Widths of the round under way; after its commit the encoders have moved on. */
  readonly #bits = new Map<number, { readonly A2: number; readonly G1: number }>();
  #firstRoundAt: number | undefined;
  #lastStepAt = 0;
  #tokens = 0;

  constructor(context: CommandContext, job: Job, bar: ProgressBar, log: RunLogWriter) {
    this.#context = context;
    this.#job = job;
    this.#bar = bar;
    this.#log = log;
    this.#jobLog = context.log.child({ job: job.name });
    // Of a job that is gone on with, perhaps in the middle of a round.
    for (const { index, name, meanBits } of job.status().clients) {
      this.#names.set(index, name);
      this.#bits.set(index, meanBits);
    }
  }

  /** Milliseconds from the first round's start to the last commit, by what they went into. */
  times(): { readonly computeMs: number; readonly codecMs: number; readonly linkMs: number } {
    const { computeMs, codecMs } = this.#job.status().times;
    const all = this.#firstRoundAt === undefined ? 0 : Math.max(0, this.#lastStepAt - this.#firstRoundAt);
    return { computeMs, codecMs, linkMs: Math.max(0, all - computeMs - codecMs) };
  }

  progress(progress: ServerProgress): void {
    const log = this.#jobLog;
    switch (progress.type) {
      case "joined":
        this.#names.set(progress.client, progress.name);
        log.info({ client: progress.name, resumed: progress.resumed }, "joined");
        this.#event("joined", {
          client: progress.client,
          name: progress.name,
          resumed: progress.resumed,
        });
        return;
      case "left":
        log.info({ client: this.#names.get(progress.client), why: progress.why }, "left");
        this.#event("left", { client: progress.client, why: progress.why });
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
        log.warn({ client: this.#names.get(progress.client ?? -1), code: progress.code }, progress.message);
        return;
      case "ended":
        log.info({ ...progress.outcome }, "ended");
    }
  }

  /** Every event names the job. */
  #event(name: string, value: Readonly<Record<string, unknown>>): void {
    this.#context.event(name, { job: this.#job.name, ...value });
  }

  #roundStarted(step: number, clients: readonly number[]): void {
    this.#jobLog.debug({ step, clients: clients.map((client) => this.#names.get(client)) }, "round started");
    this.#firstRoundAt ??= performance.now();
    this.#event("round", { step: step + 1, clients });
    const every = Math.ceil(this.#job.config.steps / WIDTH_EVENTS);
    for (const client of clients) {
      const { A2, G1 } = this.#job.senders(client);
      this.#bits.set(client, { A2: A2.encoder.meanBits, G1: G1.encoder.meanBits });
      if (step % every !== 0 && step + 1 !== this.#job.config.steps) continue;
      const widths = { A2: [...A2.encoder.widths()], G1: [...G1.encoder.widths()] };
      this.#event("widths", { step: step + 1, client, name: this.#names.get(client), ...widths });
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
    const lossSum = sum((m) => m.lossSum);
    const supervisedTokens = sum((m) => m.supervisedTokens);
    const loss = lossSum / Math.max(1, supervisedTokens);
    const bytes = step.upBytes + step.downBytes;
    const A2 = sum(({ client }) => this.#bits.get(client)?.A2 ?? 0) / members.length;
    const G1 = sum(({ client }) => this.#bits.get(client)?.G1 ?? 0) / members.length;
    const ledger = this.#job.ledger.snapshot();
    const { up, down } = ledger;
    this.#log.write({
      step: trunkStep,
      attempt: members[0].attempt,
      time: Date.now(),
      lossSum,
      supervisedTokens,
      tokens,
      gradientNorm: step.gradientNorm,
      meanBits: { A2, G1 },
      up,
      down,
      computeMs: step.computeMs,
      codecMs: step.codecMs,
    });
    this.#event("step", {
      step: trunkStep + 1,
      loss,
      tokens: this.#tokens,
      bytes,
      elements: ledgerReport(ledger).elements,
      ledger: { up, down },
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
    const clients = members.map(({ client }) => this.#names.get(client));
    this.#jobLog.info({ step: members[0].step, trunkStep, clients, loss, tokens, bytes }, "committed");
    const done = Math.max(...members.map((member) => member.step)) + 1;
    this.#bar.update(
      done,
      `loss ${loss.toFixed(4)} | ${((A2 + G1) / 2).toFixed(2)} bits | ${formatBytes(bytes)} | ${formatCount((tokens * 1000) / sinceLast)} tokens/s`,
    );
  }
}
