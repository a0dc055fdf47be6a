/** What a run's numbers say, in sentences. Every figure is computed from the report. */
import { formatBytes, formatCount, formatDuration, formatPercent } from "../../shared/command/format.ts";
import { sumBytes } from "../../shared/ledger/ledger.ts";
import type { ClientReport, RunReport } from "./run-report.ts";

/** Real tokens of all clients, each counted once. */
export function realTokens(report: RunReport): number {
  return report.clients.reduce((sum, { series }) => sum + (series.tokens.at(-1) ?? 0), 0);
}

/** A change as a share with its sign. */
export function signedPercent(fraction: number): string {
  return `${fraction >= 0 ? "+" : "−"}${formatPercent(Math.abs(fraction), 2)}`;
}

/** By how much the split run's held-out loss is above the unsplit one's, as a share; negative when it is below. */
export function lossGap({ heldOut }: ClientReport): number | undefined {
  return heldOut.unsplitF32 === undefined ? undefined : heldOut.tuned / heldOut.unsplitF32 - 1;
}

function clientSentence(client: ClientReport): string {
  const { base, tuned, unsplitF32, tokens } = client.heldOut;
  const verb = tuned < base ? "fell" : tuned > base ? "rose" : "stayed";
  const change = `${client.name}: held-out loss ${verb} from ${base.toFixed(3)} to ${tuned.toFixed(3)} nats per token`;
  const perplexity = `perplexity ${Math.exp(base).toFixed(1)} to ${Math.exp(tuned).toFixed(1)}, ${formatCount(tokens)} tokens`;
  const gap = lossGap(client);
  const against =
    gap === undefined
      ? ""
      : ` The same run, unsplit and in f32, reached ${unsplitF32?.toFixed(3)}: splitting and squeezing cost ${signedPercent(gap)}.`;
  return `${change} (${perplexity}).${against}`;
}

function bytesSentence(report: RunReport): string {
  const { total, f32, f16, int8 } = report.bytes;
  const tokens = realTokens(report);
  const times = (rival: number) => `${(rival / total).toFixed(2)} ×`;
  return (
    `${formatBytes(total)} crossed the network for ${formatCount(tokens)} tokens, everything counted: ${Math.round(total / tokens)} bytes per token. ` +
    `The bare tensors would have taken ${times(f32)} as much in f32, ${times(f16)} in f16 and ${times(int8)} in int8.`
  );
}

function bitsSentence({ bitsPerElement, budgetBits }: RunReport): string {
  const { first, last, mean } = bitsPerElement;
  const target = budgetBits === undefined ? "" : ` The budget was ${budgetBits}.`;
  return `Widths went from ${first.toFixed(2)} bits per element in the first step to ${last.toFixed(2)} in the last; the mean over the run is ${mean.toFixed(2)}.${target}`;
}

function timeSentence({ clients }: RunReport): string {
  const sum = (key: keyof ClientReport["timeMs"]) => clients.reduce((n, { timeMs }) => n + timeMs[key], 0);
  const [compute, codec, link] = [sum("compute"), sum("codec"), sum("link")];
  const all = compute + codec + link;
  if (all === 0) return "";
  return (
    `Of the clients' time ${formatPercent(compute / all, 0)} went into computing, ${formatPercent(codec / all)} into the codec, and ` +
    `${formatPercent(link / all, 0)} into waiting for the other end and the network.`
  );
}

function overheadSentence({ clients, bytes }: RunReport): string {
  const payload = clients.reduce((n, c) => n + c.bytes.up.payload + c.bytes.down.payload, 0);
  const all = clients.reduce((n, c) => n + sumBytes(c.bytes.up) + sumBytes(c.bytes.down), 0);
  return `${formatPercent(payload / (all || bytes.total))} of the bytes are the elements themselves; the rest is scales, bit tables, headers, framing and control.`;
}

/** The report's opening, a sentence or two each. */
export function summarySentences(report: RunReport): string[] {
  const { clients, model, split, seconds } = report;
  const shape = split.kind === "u-shape" ? "U-shaped" : "vanilla";
  const blocks = `${split.bottomBlocks} + ${split.topBlocks} of ${model.layers} blocks on ${clients.length === 1 ? "the client" : "each client"}, ${split.trunkBlocks} on the server`;
  const who = clients.length === 1 ? "One client" : `${clients.length} clients`;
  return [
    `${who} and a server fine-tuned ${model.name} (${formatCount(model.parameters)} parameters) together through a ${shape} split: ${blocks}. It took ${formatDuration(seconds * 1000)}.`,
    ...clients.map(clientSentence),
    bytesSentence(report),
    bitsSentence(report),
    overheadSentence(report),
    timeSentence(report),
  ].filter((sentence) => sentence !== "");
}
