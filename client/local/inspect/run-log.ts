/** Describes the log of a run: how far it went, what it learned, what it sent. */
import { formatBytes, formatCount, formatDuration } from "../../../shared/command/format.ts";
import { CATEGORIES, sumBytes } from "../../../shared/ledger/ledger.ts";
import { type RunLogRecord, readRunLog } from "../../../shared/ledger/run-log-node.ts";
import type { Description } from "../inspect.ts";

/** Nats per supervised token. */
function lossOf({ lossSum, supervisedTokens }: RunLogRecord): number {
  return lossSum / Math.max(1, supervisedTokens);
}

function bitsOf({ meanBits }: RunLogRecord): string {
  return Object.entries(meanBits)
    .map(([phase, bits]) => `${phase} ${bits.toFixed(2)}`)
    .join(", ");
}

export function describeRunLog(path: string): Description {
  const { job, writer, records, torn } = readRunLog(path);
  const head = `${path}: the run log of ${writer === "server" ? "the server" : `client "${writer}"`} in job "${job}"`;
  const tornLine = torn ? ["its last record is cut short: the writer was killed while it wrote"] : [];
  const first = records[0];
  const last = records[records.length - 1];
  if (first === undefined || last === undefined) {
    return {
      facts: { kind: "runLog", job, writer, steps: 0, torn },
      lines: [head, "no step yet", ...tornLine],
    };
  }
  const tokens = records.reduce((sum, r) => sum + r.tokens, 0);
  const byCategory = CATEGORIES.map(
    (category) => [category, last.up[category] + last.down[category]] as const,
  );
  const upBytes = sumBytes(last.up);
  const downBytes = sumBytes(last.down);
  const facts = {
    kind: "runLog",
    job,
    writer,
    steps: records.length,
    firstStep: first.step + 1,
    lastStep: last.step + 1,
    begun: new Date(first.time).toISOString(),
    ended: new Date(last.time).toISOString(),
    tokens,
    loss: { first: lossOf(first), last: lossOf(last) },
    meanBits: { first: first.meanBits, last: last.meanBits },
    upBytes,
    downBytes,
    byCategory: Object.fromEntries(byCategory),
    computeMs: last.computeMs,
    codecMs: last.codecMs,
    torn,
  };
  return {
    facts,
    lines: [
      head,
      `${formatCount(records.length)} steps, ${first.step + 1} to ${last.step + 1}, within ${formatDuration(last.time - first.time)}; ${formatCount(tokens)} tokens`,
      `loss ${lossOf(first).toFixed(4)} at the first step, ${lossOf(last).toFixed(4)} at the last`,
      `bits per element: ${bitsOf(first)} at the first step, ${bitsOf(last)} at the last`,
      `${formatBytes(upBytes)} up and ${formatBytes(downBytes)} down: ${byCategory
        .filter(([, bytes]) => bytes > 0)
        .map(([category, bytes]) => `${category} ${formatBytes(bytes)}`)
        .join(", ")}`,
      `${formatDuration(last.computeMs)} computing, ${formatDuration(last.codecMs)} in the codec`,
      ...tornLine,
    ],
  };
}
