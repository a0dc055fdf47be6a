/** What `narrowband simulate` does. */
import { readFile, writeFile } from "node:fs/promises";
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatTable,
} from "../../shared/command/format.ts";
import { fail, NarrowbandError } from "../../shared/errors.ts";
import { openModelDirectory } from "../../shared/model/files-node.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import { checkWritable } from "../../shared/output-node.ts";
import type { simulateCommand } from "../commands/simulate.ts";
import { PROFILES } from "../link/profiles.ts";
import { timelineHtml } from "../report/timeline.ts";
import { measureCosts } from "./calibrate.ts";
import { type Costs, costsSchema } from "./costs.ts";
import { simulatedJob } from "./job.ts";
import { meanStepPath, medianStepMs, simulate } from "./simulate.ts";
import type { SimulatedClientOptions } from "./simulated-client.ts";
import type { Span } from "./workers.ts";

export type SimulateSettings = z.output<typeof simulateCommand.options>;

async function readCosts(path: string): Promise<Costs> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new NarrowbandError("NB_FILE_UNREADABLE", `costs: ${path}: ${(cause as Error).message}`, { cause });
  }
  const parsed = costsSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { path: at, message } = parsed.error.issues[0];
  return fail("NB_CONFIG_INVALID", `costs: ${path}: ${at.join(".")}: ${message}`);
}

function jobOf(settings: SimulateSettings, model: HfModel, clients: number) {
  const { steps, microBatches, inFlight, rows, length, activations, gradients, stepDeadline, mode } =
    settings;
  return simulatedJob({
    steps,
    clients,
    microBatches,
    inFlight,
    hidden: model.config.hiddenSize,
    vocabulary: model.config.vocabSize,
    trunkBlocks: model.config.layers - 2,
    tokens: rows * length,
    activations,
    gradients,
    quorum: Math.max(1, Math.floor(settings.quorum * clients)),
    stepDeadlineMs: stepDeadline,
    mode,
  });
}

async function measuredCosts(settings: SimulateSettings, model: HfModel): Promise<Costs> {
  const { rows, length } = settings;
  if (model.config.layers < 3)
    fail("NB_CONFIG_INVALID", `model: has ${model.config.layers} blocks; accepted: 3 or more, for two cuts`);
  return measureCosts(jobOf(settings, model, 1).config, model, rows, length);
}

export async function runSimulate(settings: SimulateSettings, context: CommandContext): Promise<void> {
  for (const file of [settings.saveCosts, settings.timeline]) if (file !== undefined) checkWritable(file);
  const model = await openModelDirectory(settings.model);
  try {
    const costs =
      settings.costs === undefined ? await measuredCosts(settings, model) : await readCosts(settings.costs);
    if (settings.saveCosts !== undefined)
      await writeFile(settings.saveCosts, `${JSON.stringify(costs, null, 2)}\n`);
    await simulateAll(settings, context, model, costs);
  } finally {
    await model.close();
  }
}

async function simulateAll(
  settings: SimulateSettings,
  context: CommandContext,
  model: HfModel,
  costs: Costs,
): Promise<void> {
  const { links, mixed, slowness, serverMbit, dropEvery, serverSpeed, seed } = settings;
  const line = { bitsPerSecond: serverMbit * 1e6, delayMs: 0, jitterMs: 0, loss: 0 };
  const runs: Record<string, unknown>[] = [];
  const table: string[][] = [];
  let spans: Span[] = [];
  const sets = mixed ? [links] : links.map((name) => [name]);
  for (const clients of settings.clients)
    for (const set of sets) {
      context.signal.throwIfAborted();
      const { config, policy } = jobOf(settings, model, clients);
      const each = Array.from(
        { length: clients },
        (_, i): SimulatedClientOptions => ({
          link: PROFILES[set[i % set.length]],
          slowness: slowness[i % slowness.length],
          dropEverySeconds: dropEvery,
        }),
      );
      spans = [];
      const started = performance.now();
      const result = simulate({
        config,
        policy,
        costs,
        clients: each,
        serverSlowness: 1 / serverSpeed,
        ...(serverMbit === 0 ? {} : { serverLink: { up: line, down: line } }),
        seed,
        ...(settings.timeline === undefined ? {} : { trace: (span) => spans.push(span) }),
      });
      const stepMs = medianStepMs(result);
      const rounds = Math.max(1, result.commitMs.length);
      const link = set.join("+");
      const tokensPerSecond =
        (1_000 * result.meanParticipants * settings.microBatches * costs.tokens) / stepMs;
      const run = {
        clients,
        link,
        outcome: result.outcome?.reason,
        stepMs,
        tokensPerSecond,
        upBytesPerStep: result.bytes.up / rounds,
        downBytesPerStep: result.bytes.down / rounds,
        serverBusy: result.serverBusy,
        clientBusy: result.clientBusy,
        longestQueue: result.longestQueue,
        participants: result.meanParticipants,
        abandoned: result.abandoned,
        drops: result.drops,
        criticalPath: meanStepPath(result),
        simulatedInMs: performance.now() - started,
      };
      runs.push(run);
      table.push([
        formatCount(clients),
        link,
        formatDuration(stepMs),
        formatCount(tokensPerSecond),
        formatBytes(Math.round(run.upBytesPerStep + run.downBytesPerStep)),
        formatPercent(result.serverBusy),
        formatPercent(result.clientBusy),
        formatCount(result.longestQueue),
        result.meanParticipants.toFixed(1),
      ]);
    }
  if (settings.timeline !== undefined)
    await writeFile(
      settings.timeline,
      timelineHtml(spans, `${table.at(-1)![1]}, ${table.at(-1)![0]} clients`),
    );
  await context.result({ costs, runs });
  const head = [
    "clients",
    "link",
    "step",
    "tokens/s",
    "bytes/step",
    "server busy",
    "clients busy",
    "queue",
    "in a step",
  ];
  for (const text of formatTable(head, table, new Set([0, 2, 3, 4, 5, 6, 7, 8]))) context.print(text);
}
