/** What `narrowband eval` does. */
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatCount, formatPercent } from "../../shared/command/format.ts";
import { makeRows } from "../../shared/data/batches.ts";
import { loadDataset } from "../../shared/data/load-node.ts";
import { splitHeldOut, type TokenDataset } from "../../shared/data/token-dataset.ts";
import { bytesPerLearnedToken, limitRows, measureLoss } from "../../shared/train/measure.ts";
import type { evalCommand } from "../commands/eval.ts";
import { choiceAccuracy, choicesOf } from "./choice.ts";
import { type LocalModel, openLocalModel } from "./model.ts";

type EvalSettings = z.output<typeof evalCommand.options>;

function partOf(data: TokenDataset, settings: EvalSettings): TokenDataset {
  if (settings.part === "all") return data;
  const { train, heldOut } = splitHeldOut(data, settings.heldOut, settings.seed);
  return settings.part === "train" ? train : heldOut;
}

async function measure(model: LocalModel, settings: EvalSettings, context: CommandContext): Promise<void> {
  const { tokenizer, runner, config } = model;
  const { completionOnly, packed } = settings;
  const length = Math.min(settings.length, config.maxPositions);
  const all = await loadDataset(settings.data, tokenizer, { completionOnly });
  const part = partOf(all, settings);
  const rows = limitRows(makeRows(part, { length, packed }), settings.limit);
  const total = rows.length.reduce((sum, n) => sum + n, 0);
  const progress = await context.progress();
  const bar = progress.bar("eval", total);
  let nats = 0;
  const { lossSum, supervisedTokens } = await measureLoss(runner, rows, {
    rows: settings.rows,
    signal: context.signal,
    onBatch: (tokens) => bar.update(tokens, "tokens"),
  });
  nats += lossSum;
  const loss = nats / supervisedTokens;
  const bitsPerByte = loss / Math.LN2 / bytesPerLearnedToken(part, tokenizer);

  let accuracy: Awaited<ReturnType<typeof choiceAccuracy>> | undefined;
  if (settings.accuracy) {
    const choices = choicesOf(all, part);
    const questions = progress.bar("accuracy", choices.questions.length);
    accuracy = await choiceAccuracy(runner, choices, length, {
      signal: context.signal,
      onQuestion: (done) => questions.update(done, "prompts"),
    });
  }
  progress.stop();
  const share = accuracy && accuracy.right / accuracy.questions;
  await context.result({
    model: settings.model,
    adapter: settings.adapter,
    data: settings.data,
    part: settings.part,
    tokens: supervisedTokens,
    loss,
    perplexity: Math.exp(loss),
    bitsPerByte,
    ...(accuracy === undefined ? {} : { accuracy: share, ...accuracy }),
  });
  context.print(
    `${part.name}: loss ${loss.toFixed(4)} nats per token, perplexity ${Math.exp(loss).toFixed(2)}, ` +
      `${bitsPerByte.toFixed(4)} bits per byte, over ${formatCount(supervisedTokens)} tokens`,
  );
  if (accuracy !== undefined && share !== undefined)
    context.print(
      `accuracy ${formatPercent(share)} of ${formatCount(accuracy.questions)} prompts among ${accuracy.choices} completions; ` +
        `the commonest completion alone would reach ${formatPercent(accuracy.commonest)}`,
    );
}

export async function runEval(settings: EvalSettings, context: CommandContext): Promise<void> {
  const model = await openLocalModel(settings);
  try {
    await measure(model, settings, context);
  } finally {
    await model.close();
  }
}
