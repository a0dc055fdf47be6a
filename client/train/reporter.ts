/** How a client's run goes: for people as a bar, for machines as events, for later as a run log. */
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatCount } from "../../shared/command/format.ts";
import type { ProgressBar } from "../../shared/command/progress.ts";
import type { ByteLedger } from "../../shared/ledger/ledger.ts";
import { ledgerReport } from "../../shared/ledger/report.ts";
import type { RunLogWriter } from "../../shared/ledger/run-log-node.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import type { Edge, EdgeStep } from "../edge.ts";

/** At most so many pictures of all channels' widths are told in a run. */
const WIDTH_EVENTS = 50;

function meanBitsOf(senders: Edge["senders"]): { readonly A1: number; readonly G2: number } | undefined {
  return senders && { A1: senders.A1.encoder.meanBits, G2: senders.G2.encoder.meanBits };
}

export class TrainReporter {
  readonly #context: CommandContext;
  readonly #ledger: ByteLedger;
  readonly #name: string;
  #bar: ProgressBar | undefined;
  #log: RunLogWriter | undefined;
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

  /** `senders`: those of a run that is gone on with, perhaps in the middle of a step. */
  async joined(job: JobConfig, log: RunLogWriter, senders: Edge["senders"]): Promise<void> {
    if (this.#job !== undefined) return;
    this.#bits ??= meanBitsOf(senders);
    this.#job = job;
    this.#log = log;
    this.#context.event("joined", { job });
    this.#bar = (await this.#context.progress()).bar(this.#name, job.steps);
  }

  stepStarted(step: number, senders: Edge["senders"]): void {
    this.#firstStepAt ??= performance.now();
    if (senders === undefined || this.#job === undefined) return;
    const { A1, G2 } = senders;
    this.#bits = meanBitsOf(senders);
    const { steps } = this.#job;
    if (step % Math.ceil(steps / WIDTH_EVENTS) !== 0 && step + 1 !== steps) return;
    const widths = { A1: [...A1.encoder.widths()], G2: [...G2.encoder.widths()] };
    this.#context.event("widths", { step: step + 1, ...widths });
  }

  step(step: EdgeStep): void {
    const now = performance.now();
    const sinceLast = now - (this.#last === undefined ? (this.#firstStepAt ?? now) : this.#lastStepAt);
    this.#lastStepAt = now;
    this.#last = step;
    this.#tokens += step.tokens;
    const ledger = this.#ledger.snapshot();
    const { totalBytes, elements } = ledgerReport(ledger);
    this.#log?.write({
      step: step.commit.step,
      attempt: step.commit.attempt,
      time: Date.now(),
      lossSum: step.lossSum,
      supervisedTokens: step.supervisedTokens,
      tokens: step.tokens,
      gradientNorm: step.commit.gradientNorm,
      meanBits: this.#bits ?? {},
      up: ledger.up,
      down: ledger.down,
      computeMs: step.computeMs,
      codecMs: step.codecMs,
    });
    const loss = step.lossSum / Math.max(1, step.supervisedTokens);
    this.#context.event("step", {
      step: step.commit.step + 1,
      loss,
      supervisedTokens: step.supervisedTokens,
      tokens: this.#tokens,
      bits: this.#bits,
      bytes: totalBytes,
      elements,
      ledger: { up: ledger.up, down: ledger.down },
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
