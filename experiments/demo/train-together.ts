/** The demo's split run: one server and two clients, each a process, started, followed to their end, and started again when they are killed. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatCount } from "../../shared/command/format.ts";
import type { Progress } from "../../shared/command/progress.ts";
import { fail } from "../../shared/errors.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import type { CommandEvent } from "./child.ts";
import { CLIENTS, HELD_OUT } from "./clients.ts";
import { acceptServerEvent, ClientCollector, type CommandResult, joinedSchema } from "./events.ts";
import { PartFigures } from "./figures.ts";
import type { KeptDemo } from "./kept.ts";
import { Part } from "./part.ts";
import type { DemoSettings } from "./run.ts";

/** Steps between checkpoints: what a killed process takes at most again. */
const CHECKPOINT_EVERY = 20;

export interface Trained {
  readonly job: JobConfig;
  readonly collectors: ReadonlyMap<string, ClientCollector>;
  readonly server: CommandResult;
  readonly clients: ReadonlyMap<string, CommandResult>;
}

/** A promise that is settled from outside. */
function signalled(): { readonly seen: Promise<void>; readonly see: () => void } {
  let see: () => void = () => {};
  const seen = new Promise<void>((resolve) => {
    see = resolve;
  });
  return { seen, see };
}

/** Runs server and clients to the end of the job, from where an earlier start of the demo has left them. */
export async function trainTogether(
  settings: DemoSettings,
  model: string,
  kept: KeptDemo,
  context: CommandContext,
  progress: Progress,
): Promise<Trained> {
  const { out, steps } = settings;
  const collectors = new Map(CLIENTS.map(({ name }) => [name, new ClientCollector(name)]));
  const parts: Part[] = [];
  const stopAll = () => Promise.all(parts.map((part) => part.stop()));
  const onAbort = () => void stopAll();
  context.signal.addEventListener("abort", onAbort);
  const makePart = (
    name: string,
    args: () => readonly string[],
    onEvent: (event: CommandEvent, figures: PartFigures) => void,
  ): { readonly part: Part; readonly figures: PartFigures } => {
    const figures = new PartFigures();
    const part = new Part({
      ...{ name, kept, args },
      directory: join(out, name),
      logFile: join(out, `${name}.log`),
      onEvent(event) {
        figures.accept(event);
        onEvent(event, figures);
      },
      onNote: (text) => context.note(text),
    });
    parts.push(part);
    return { part, figures };
  };
  try {
    let job: JobConfig | undefined;
    let url = "ws://127.0.0.1:0";
    /** Where clients of this start of the demo find the server, also when it is started again. */
    let port = "0";
    let listening = signalled();

    const clientArgs =
      (name: string, data: string) => (): readonly string[] => // biome-ignore format: one option a line
      [
        "train", url, "--json", "--log-level", "info",
        "--model", model,
        "--data", data,
        "--name", name,
        "--out", join(out, name),
        "--held-out", String(HELD_OUT),
        "--rows", String(settings.rows),
        "--length", String(settings.length),
        "--seed", String(settings.seed),
        "--checkpoint-every", String(CHECKPOINT_EVERY),
        "--threads", "1", "--engine", settings.engine,
      ];
    const serverBar = progress.bar("server", steps);
    const clients = CLIENTS.map(({ name, data }) => {
      const bar = progress.bar(name, steps);
      const collector = collectors.get(name)!;
      const joined = signalled();
      const made = makePart(name, clientArgs(name, data), (event) => {
        if (event.event === "joined") {
          job = joinedSchema.parse(event).job;
          joined.see();
        }
        const step = collector.accept(event);
        if (step === undefined) return;
        const bits = (step.bits.A1 + step.bits.G2) / 2;
        bar.update(
          step.step,
          `loss ${step.loss.toFixed(3)} | ${bits.toFixed(2)} bits | ${formatBytes(step.bytes)}`,
        );
      });
      return { name, joined: joined.seen, ...made };
    });

    const serverArgs = (): readonly string[] =>
      // biome-ignore format: one option a line
      [
        "serve", "--json", "--log-level", "info",
        "--model", model,
        "--out", join(out, "server"),
        "--port", port,
        "--min-clients", String(CLIENTS.length),
        "--quorum", String(CLIENTS.length),
        "--steps", String(steps),
        "--rank", String(settings.rank),
        "--alpha", String(2 * settings.rank),
        "--learning-rate", String(settings.learningRate),
        "--seed", String(settings.seed),
        "--activations", settings.activations,
        "--gradients", settings.gradients,
        "--checkpoint-every", String(CHECKPOINT_EVERY),
        "--threads", String(availableParallelism()), "--engine", settings.engine,
        // Clients that are through do not come back to be told that the job is over.
        ...(clients.every(({ part }) => part.finished) ? ["--rejoin-grace", "0"] : []),
      ];
    const server = makePart("server", serverArgs, (event, figures) => {
      if (event.event === "listening") {
        url = String(event.ws);
        port = String(event.port);
        listening.see();
      }
      const step = acceptServerEvent(event, collectors);
      if (step === undefined) return;
      const { totalBytes, tokens } = figures.result.report;
      serverBar.update(
        step.step,
        `loss ${step.loss.toFixed(3)} | ${formatBytes(totalBytes)} in all | ${formatCount(tokens)} tokens`,
      );
    });

    // The first to fail ends the others.
    const failed = new Promise<never>((_, reject) => {
      for (const part of parts) part.done.catch(reject);
    });
    failed.catch(() => {});
    if (!server.part.finished) {
      // Where it listened in an earlier start says nothing.
      port = "0";
      listening = signalled();
      server.part.start();
      await Promise.race([listening.seen, server.part.done, failed]);
    }
    // The order of joining numbers the clients, and so seeds their codecs: it has to be the same in each demo.
    for (const { part, joined } of clients) {
      part.start();
      await Promise.race([joined, failed]);
    }
    await Promise.race([Promise.all(parts.map((part) => part.done)), failed]);
    if (job === undefined) return fail("NB_INTERNAL", "no client told the job's settings");
    return {
      job,
      collectors,
      server: server.figures.result,
      clients: new Map(clients.map(({ name, figures }) => [name, figures.result])),
    };
  } catch (error) {
    await stopAll();
    context.note("The same command with --resume goes on with this demo.");
    // What the processes say when they are stopped is not why.
    context.signal.throwIfAborted();
    throw error;
  } finally {
    context.signal.removeEventListener("abort", onAbort);
  }
}
