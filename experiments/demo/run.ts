/** What `narrowband demo` does: three processes, the unsplit run, the measurements, the report. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatCount, formatDuration, formatTable } from "../../shared/command/format.ts";
import { packageRoot, packageVersion } from "../../shared/command/package-root.ts";
import type { Progress } from "../../shared/command/progress.ts";
import { BatchSchedule, makeRows, type Rows } from "../../shared/data/batches.ts";
import { loadDataset } from "../../shared/data/load-node.ts";
import { splitHeldOut } from "../../shared/data/token-dataset.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { fail } from "../../shared/errors.ts";
import { loraOf } from "../../shared/job/runners.ts";
import { elementCount } from "../../shared/model/dtype.ts";
import { directoryFiles, openModelDirectory, readAdapterDirectory } from "../../shared/model/files-node.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import { joinAdapters } from "../../shared/model/join-adapters.ts";
import type { Adapter } from "../../shared/model/peft.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import { limitRows, measureLoss } from "../../shared/train/measure.ts";
import { openWholeModel } from "../../shared/train/whole-model.ts";
import type { demoCommand } from "../commands/demo.ts";
import { lossGap, signedPercent, summarySentences } from "../report/summary.ts";
import { writeReport } from "../report/write.ts";
import { buildReport, type MeasuredClient } from "./build-report.ts";
import { CommandProcess } from "./child.ts";
import { acceptServerEvent, ClientCollector, joinedSchema, resultSchema } from "./events.ts";
import { runReference } from "./reference.ts";

type DemoSettings = z.output<typeof demoCommand.options>;

/** Who takes part, and on what text. Neither is in what the bundled model was pretrained on. */
const CLIENTS = [
  { name: "ahab", data: "npm:moby-dick", about: "Moby-Dick" },
  { name: "atlas", data: "npm:factbook", about: "the World Factbook" },
] as const;

/** Share of each text that no step sees. */
const HELD_OUT = 0.1;

/** The model that the package brings: the one directory under models/. */
async function bundledModel(): Promise<string> {
  const models = join(packageRoot(), "models");
  const names = await readdir(models, { withFileTypes: true }).catch(() => []);
  const found = names.filter((entry) => entry.isDirectory()).map((entry) => join(models, entry.name));
  if (found.length === 1) return found[0];
  return fail(
    "NB_CONFIG_INVALID",
    `--model: nothing was given, and ${models} holds ${found.length} models; accepted: a model directory`,
  );
}

interface Trained {
  readonly job: JobConfig;
  readonly collectors: ReadonlyMap<string, ClientCollector>;
  readonly server: unknown;
  readonly clients: ReadonlyMap<string, unknown>;
}

/** Runs server and clients to the end of the job. */
async function trainTogether(
  settings: DemoSettings,
  model: string,
  context: CommandContext,
  progress: Progress,
): Promise<Trained> {
  const { out, steps } = settings;
  const collectors = new Map(CLIENTS.map(({ name }) => [name, new ClientCollector(name)]));
  const processes: CommandProcess[] = [];
  const stopAll = () => Promise.all(processes.map((child) => child.stop()));
  const onAbort = () => void stopAll();
  context.signal.addEventListener("abort", onAbort);
  try {
    const serverBar = progress.bar("server", steps);
    let announce: (url: string) => void = () => {};
    const listening = new Promise<string>((resolve) => {
      announce = resolve;
    });
    const threads = ["--threads", String(availableParallelism()), "--engine", settings.engine];
    const server = new CommandProcess({
      name: "server",
      // biome-ignore format: one option a line
      args: [
        "serve", "--json", "--log-level", "info",
        "--model", model,
        "--out", join(out, "server"),
        "--port", "0",
        "--min-clients", String(CLIENTS.length),
        "--quorum", String(CLIENTS.length),
        "--steps", String(steps),
        "--rank", String(settings.rank),
        "--alpha", String(2 * settings.rank),
        "--learning-rate", String(settings.learningRate),
        "--seed", String(settings.seed),
        "--activations", settings.activations,
        "--gradients", settings.gradients,
        ...threads,
      ],
      logFile: join(out, "server.log"),
      onEvent(event) {
        if (event.event === "listening") announce(String(event.ws));
        const step = acceptServerEvent(event, collectors);
        if (step === undefined) return;
        serverBar.update(
          step.step,
          `loss ${step.loss.toFixed(3)} | ${formatBytes(step.bytes)} in all | ${formatCount(step.tokens)} tokens`,
        );
      },
    });
    processes.push(server);
    const url = await Promise.race([
      listening,
      server.result.then(() => fail("NB_INTERNAL", "the server ended before it listened")),
    ]);

    let job: JobConfig | undefined;
    const clients = CLIENTS.map(({ name, data }) => {
      const bar = progress.bar(name, steps);
      const collector = collectors.get(name)!;
      const child = new CommandProcess({
        name,
        // biome-ignore format: one option a line
        args: [
          "train", url, "--json", "--log-level", "info",
          "--model", model,
          "--data", data,
          "--name", name,
          "--out", join(out, name),
          "--held-out", String(HELD_OUT),
          "--rows", String(settings.rows),
          "--length", String(settings.length),
          "--seed", String(settings.seed),
          "--checkpoint-every", "0",
          "--threads", "1", "--engine", settings.engine,
        ],
        logFile: join(out, `${name}.log`),
        onEvent(event) {
          if (event.event === "joined") job = joinedSchema.parse(event).job;
          const step = collector.accept(event);
          if (step === undefined) return;
          const bits = (step.bits.A1 + step.bits.G2) / 2;
          bar.update(
            step.step,
            `loss ${step.loss.toFixed(3)} | ${bits.toFixed(2)} bits | ${formatBytes(step.bytes)}`,
          );
        },
      });
      processes.push(child);
      return [name, child] as const;
    });
    // The first to fail ends the others.
    const [serverResult, ...clientResults] = await Promise.all(processes.map((child) => child.result));
    if (job === undefined) return fail("NB_INTERNAL", "no client told the job's settings");
    return {
      job,
      collectors,
      server: serverResult,
      clients: new Map(clients.map(([name], i) => [name, clientResults[i]])),
    };
  } catch (error) {
    await stopAll();
    // What the processes say when they are stopped is not why.
    context.signal.throwIfAborted();
    throw error;
  } finally {
    context.signal.removeEventListener("abort", onAbort);
  }
}

interface ClientText {
  readonly train: Rows;
  readonly heldOut: Rows;
}

/** Reads a client's text as its process does. */
async function readText(model: HfModel, data: string, settings: DemoSettings): Promise<ClientText> {
  const all = await loadDataset(data, await model.tokenizer());
  const { train, heldOut } = splitHeldOut(all, HELD_OUT, settings.seed);
  const form = { length: settings.length, packed: true };
  return {
    train: makeRows(train, form),
    heldOut: limitRows(makeRows(heldOut, form), settings.heldOutTokens),
  };
}

/** Loss of the model with an adapter on a text, nats per token, and how many tokens it is of. */
async function lossWith(
  modelPath: string,
  adapter: Adapter | undefined,
  engine: Engine,
  rows: Rows,
  signal: AbortSignal,
): Promise<{ readonly loss: number; readonly tokens: number }> {
  const { runner } = await openWholeModel(directoryFiles(modelPath), engine, () => adapter);
  try {
    const { lossSum, supervisedTokens } = await measureLoss(runner, rows, { rows: 8, signal });
    return { loss: lossSum / supervisedTokens, tokens: supervisedTokens };
  } finally {
    await runner.dispose();
  }
}

export async function runDemo(settings: DemoSettings, context: CommandContext): Promise<void> {
  const started = new Date();
  const begun = performance.now();
  const modelPath = settings.model ?? (await bundledModel());
  await mkdir(settings.out, { recursive: true });
  // Checkpoints of an earlier demo would be gone on with.
  for (const name of ["server", ...CLIENTS.map((client) => client.name)])
    await rm(join(settings.out, name), { recursive: true, force: true });

  context.print(
    "One server and two clients, each a process of its own, fine-tune one model over WebSockets.",
  );
  for (const { name, about } of CLIENTS) context.print(`  ${name} keeps ${about} to itself`);
  const progress = await context.progress();
  const trained = await trainTogether(settings, modelPath, context, progress);
  const { job, collectors } = trained;
  const trainedSeconds = (performance.now() - begun) / 1000;

  const model = await openModelDirectory(modelPath);
  const engine = await createEngine(settings.engine, { threads: availableParallelism(), spin: true });
  try {
    const texts = await Promise.all(CLIENTS.map(({ data }) => readText(model, data, settings)));
    const referenceBar = progress.bar("unsplit, f32", job.steps);
    const reference = await runReference({
      job,
      model,
      engine,
      clients: texts.map(({ train }) => {
        const schedule = new BatchSchedule(train, settings.rows, settings.seed);
        return (step, microBatch) => schedule.batch(step, microBatch, job.microBatches);
      }),
      signal: context.signal,
      onStep: (step, losses) =>
        referenceBar.update(step, `loss ${(losses.reduce((a, b) => a + b, 0) / losses.length).toFixed(3)}`),
    });

    const measureBar = progress.bar("held-out text", 3 * CLIENTS.length);
    let measured = 0;
    const clients: MeasuredClient[] = [];
    let adapterParameters = 0;
    const trunk = join(settings.out, "server");
    for (const [i, { name, data, about }] of CLIENTS.entries()) {
      const parts = [join(settings.out, name), trunk];
      const tuned = joinAdapters(model.config, await Promise.all(parts.map(readAdapterDirectory)), parts);
      const unsplit: Adapter = { lora: loraOf(job), tensors: reference.adapters[i] };
      const measure = async (adapter: Adapter | undefined) => {
        const measurement = await lossWith(modelPath, adapter, engine, texts[i].heldOut, context.signal);
        measureBar.update(++measured, name);
        return measurement;
      };
      const base = await measure(undefined);
      clients.push({
        collector: collectors.get(name)!,
        data: `${about} (${data})`,
        result: resultSchema.parse(trained.clients.get(name)),
        heldOut: {
          tokens: base.tokens,
          base: base.loss,
          tuned: (await measure(tuned)).loss,
          unsplitF32: (await measure(unsplit)).loss,
        },
        unsplitLosses: reference.losses[i],
      });
      adapterParameters = [...tuned.tensors.values()].reduce((n, { shape }) => n + elementCount(shape), 0);
    }
    progress.stop();

    let parameters = 0;
    for (const name of model.tensors.names()) parameters += elementCount(await model.tensors.shape(name));
    const report = buildReport({
      started,
      seconds: (performance.now() - begun) / 1000,
      job,
      model: {
        name: modelPath.startsWith(packageRoot()) ? modelPath.slice(packageRoot().length + 1) : modelPath,
        parameters,
        adapterParameters,
        layers: model.config.layers,
        hidden: model.config.hiddenSize,
      },
      clients,
      server: resultSchema.parse(trained.server),
      settings: {
        steps: job.steps,
        "rows in a step of each client": settings.rows,
        "tokens in a row": settings.length,
        "LoRA rank": job.lora.rank,
        "LoRA alpha": job.lora.alpha,
        "learning rate": job.optimizer.learningRate,
        schedule: `${job.optimizer.schedule}, ${job.optimizer.warmupSteps} steps of warm-up`,
        seed: job.seed,
        "training took, s": Number(trainedSeconds.toFixed(1)),
      },
      environment: {
        narrowband: packageVersion(),
        node: process.versions.node,
        platform: `${process.platform} ${process.arch}`,
        processor: cpus()[0]?.model ?? "unknown",
        cores: availableParallelism(),
        engine: settings.engine,
      },
    });
    const written = await writeReport(settings.out, report);

    context.print("");
    const rows = report.clients.map((client) => {
      const { base, tuned, unsplitF32 } = client.heldOut;
      const gap = lossGap(client);
      const figures = [base, tuned, unsplitF32].map((loss) => loss?.toFixed(4) ?? "");
      return [client.name, client.data, ...figures, gap === undefined ? "" : signedPercent(gap)];
    });
    for (const line of formatTable(
      ["held-out loss", "text", "base", "tuned", "unsplit f32", "gap"],
      rows,
      new Set([2, 3, 4, 5]),
    ))
      context.print(line);
    context.print("");
    // The first sentences say what the table says.
    for (const sentence of summarySentences(report).slice(1 + report.clients.length)) context.print(sentence);
    context.print(`\nThe report is ${written.html} (${formatDuration(report.seconds * 1000)} in all).`);
    await context.result({
      seconds: report.seconds,
      clients: report.clients.map(({ name, heldOut: { base, tuned, unsplitF32 } }) => ({
        name,
        heldOutLoss: { base, tuned, unsplitF32 },
      })),
      bytes: report.bytes,
      bitsPerElement: report.bitsPerElement,
      report: written,
    });
  } finally {
    progress.stop();
    await model.close();
    await engine.dispose();
  }
}
