/** What `narrowband demo` does: three processes, the unsplit run, the measurements, the report. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join, relative } from "node:path";
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatDuration, formatTable } from "../../shared/command/format.ts";
import { packageRoot, packageVersion } from "../../shared/command/package-root.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { elementCount } from "../../shared/model/dtype.ts";
import { openModelDirectory } from "../../shared/model/files-node.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import type { demoCommand } from "../commands/demo.ts";
import type { RunReport } from "../report/run-report.ts";
import { lossGap, signedPercent, summarySentences } from "../report/summary.ts";
import { type WrittenReport, writeReport } from "../report/write.ts";
import { buildReport } from "./build-report.ts";
import { CLIENTS } from "./clients.ts";
import { type Comparison, compare } from "./compare.ts";
import { KeptDemo } from "./kept.ts";
import { type Trained, trainTogether } from "./train-together.ts";

export type DemoSettings = z.output<typeof demoCommand.options>;

/** Each has a directory of its own in --out. */
const PARTS = ["server", ...CLIENTS.map(({ name }) => name)];

/** The model that the package brings; others may have been put beside it. */
function bundledModel(): string {
  return join(packageRoot(), "models", "base-6m");
}

/** What the model is called in the report: a bundled one by its place in the package. */
function modelName(path: string): string {
  const inside = relative(packageRoot(), path);
  return inside.startsWith("..") ? path : inside;
}

async function parametersOf(model: HfModel): Promise<number> {
  let n = 0;
  for (const name of model.tensors.names()) n += elementCount(await model.tensors.shape(name));
  return n;
}

interface Timing {
  readonly started: Date;
  /** How often the demo was started until its end. */
  readonly starts: number;
  /** From the last of these starts to the end of training, and to the last measurement. */
  readonly trainingSeconds: number;
  readonly seconds: number;
}

async function reportOf(
  settings: DemoSettings,
  modelPath: string,
  model: HfModel,
  { job, server }: Trained,
  { clients, adapterParameters }: Comparison,
  timing: Timing,
): Promise<RunReport> {
  return buildReport({
    started: timing.started,
    seconds: timing.seconds,
    job,
    model: {
      name: modelName(modelPath),
      parameters: await parametersOf(model),
      adapterParameters,
      layers: model.config.layers,
      hidden: model.config.hiddenSize,
    },
    clients,
    server,
    settings: {
      steps: job.steps,
      "rows in a step of each client": settings.rows,
      "tokens in a row": settings.length,
      "LoRA rank": job.lora.rank,
      "LoRA alpha": job.lora.alpha,
      "learning rate": job.optimizer.learningRate,
      schedule: `${job.optimizer.schedule}, ${job.optimizer.warmupSteps} steps of warm-up`,
      seed: job.seed,
      "seconds until the job was done": Number(timing.trainingSeconds.toFixed(1)),
      ...(timing.starts === 1 ? {} : { "times that the demo was started": timing.starts }),
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
}

/** SHA-256 of each part's adapter: demos of the same settings on the same machine end with the same, whatever was killed meanwhile. */
async function adapterHashes(out: string): Promise<Record<string, string>> {
  const hashes = PARTS.map(async (name) => {
    const bytes = await readFile(join(out, name, "adapter_model.safetensors"));
    return [name, createHash("sha256").update(bytes).digest("hex")] as const;
  });
  return Object.fromEntries(await Promise.all(hashes));
}

function printReport(
  report: RunReport,
  written: WrittenReport,
  adapters: Readonly<Record<string, string>>,
  context: CommandContext,
): void {
  const rows = report.clients.map((client) => {
    const { base, tuned, unsplitF32 } = client.heldOut;
    const gap = lossGap(client);
    const figures = [base, tuned, unsplitF32].map((loss) => loss?.toFixed(4) ?? "");
    return [client.name, client.data, ...figures, gap === undefined ? "" : signedPercent(gap)];
  });
  const head = ["held-out loss", "text", "base", "tuned", "unsplit f32", "gap"];
  context.print("");
  for (const line of formatTable(head, rows, new Set([2, 3, 4, 5]))) context.print(line);
  context.print("");
  // The first sentences say what the table says.
  for (const sentence of summarySentences(report).slice(1 + report.clients.length)) context.print(sentence);
  context.print("\nSHA-256 of the adapters:");
  for (const [name, hash] of Object.entries(adapters)) context.print(`  ${hash}  ${name}`);
  context.print(`\nThe report is ${written.html} (${formatDuration(report.seconds * 1000)} in all).`);
}

export async function runDemo(settings: DemoSettings, context: CommandContext): Promise<void> {
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  const modelPath = settings.model ?? bundledModel();
  const { out, resume, ...others } = settings;
  const kept = resume ? await KeptDemo.resume(out, others) : KeptDemo.begin(out, others, PARTS);

  context.print(
    "One server and two clients, each a process of its own, fine-tune one model over WebSockets.",
  );
  if (resume) context.note(`Going on with the demo in ${out}.`);
  for (const { name, about } of CLIENTS) context.print(`  ${name} keeps ${about} to itself`);
  const progress = await context.progress();
  const trained = await trainTogether(settings, modelPath, kept, context, progress);
  const trainingSeconds = seconds();

  const model = await openModelDirectory(modelPath);
  const engine = await createEngine(settings.engine, { threads: availableParallelism() });
  try {
    const comparison = await compare(settings, modelPath, model, engine, trained, context, progress);
    progress.stop();
    const { started, starts } = kept;
    const timing = { started, starts, trainingSeconds, seconds: seconds() };
    const report = await reportOf(settings, modelPath, model, trained, comparison, timing);
    const written = await writeReport(settings.out, report);
    const adapters = await adapterHashes(settings.out);
    printReport(report, written, adapters, context);
    await context.result({
      seconds: report.seconds,
      clients: report.clients.map(({ name, heldOut: { base, tuned, unsplitF32 } }) => ({
        name,
        heldOutLoss: { base, tuned, unsplitF32 },
      })),
      bytes: report.bytes,
      bitsPerElement: report.bitsPerElement,
      adapters,
      report: written,
    });
  } finally {
    await model.close();
    await engine.dispose();
  }
}
