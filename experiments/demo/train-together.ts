/** The demo's split run: one server and two clients, each a process, started and followed to their end. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatCount } from "../../shared/command/format.ts";
import type { Progress } from "../../shared/command/progress.ts";
import { fail } from "../../shared/errors.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import { CommandProcess } from "./child.ts";
import { CLIENTS, HELD_OUT } from "./clients.ts";
import { acceptServerEvent, ClientCollector, joinedSchema } from "./events.ts";
import type { DemoSettings } from "./run.ts";

export interface Trained {
  readonly job: JobConfig;
  readonly collectors: ReadonlyMap<string, ClientCollector>;
  readonly server: unknown;
  readonly clients: ReadonlyMap<string, unknown>;
}

/** Runs server and clients to the end of the job. */
export async function trainTogether(
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
