/** The load bench's server, in a process of its own: a real job on the real engine behind a real port. Its parent asks it for memory. */
import { Server } from "../../server/app.ts";
import { Job } from "../../server/job.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { loadServerRunners } from "../../shared/job/runners.ts";
import { wholeModel } from "../../shared/model/cut.ts";
import { MemoryTensors } from "../../shared/model/tensor-source.ts";
import { initialWeight } from "../../shared/train/initial-weights.ts";
import { segmentShapes } from "../../shared/train/segment-weights.ts";
import { JOB_NAME, LOAD_JOB, LOAD_MODEL } from "./load-job.ts";

export interface ServerFigures {
  readonly rssBytes: number;
  readonly trunkSteps: number;
  /** Clients that are connected. */
  readonly connected: number;
  /** Processor time of the process so far, milliseconds. */
  readonly cpuMs: number;
  /** What went wrong on the server's side so far. */
  readonly errors: readonly string[];
}

export type ServerQuestion = "figures" | "collect";

/** Runs until the parent hangs up. */
export async function runLoadServer(maxClients: number): Promise<void> {
  const errors: string[] = [];
  const shapes = [...segmentShapes(LOAD_MODEL, wholeModel(LOAD_MODEL))];
  const tensors = new MemoryTensors(
    new Map(
      shapes.map(([name, shape]) => [name, { shape, data: initialWeight(LOAD_MODEL, name, shape, 1) }]),
    ),
  );
  const engine = await createEngine("onnxruntime", { threads: 1 });
  const { trunk } = await loadServerRunners(LOAD_JOB, { config: LOAD_MODEL, tensors }, engine);
  const job = new Job({
    name: JOB_NAME,
    number: 1,
    config: LOAD_JOB,
    policy: {
      minClients: 1,
      quorum: 1,
      maxClients,
      absentGraceMs: 600_000,
      rejoinGraceMs: 0,
      uploadDeadlineMs: 10_000,
      maxFailedSteps: 3,
    },
    trunk,
    onError: (error) => errors.push(String(error)),
    onProgress: (progress) => {
      // Clients that leave when they are told to are no errors, and neither is what they leave open.
      if (progress.type === "connectionRefused") errors.push(`${progress.code}: ${progress.message}`);
      if (progress.type === "stepAbandoned" && progress.code !== "NB_STEP_INTERRUPTED")
        errors.push(`${progress.code}: ${progress.message}`);
    },
  });
  // All clients come from one address here.
  const limits = { maxConnections: maxClients + 64, maxConnectionsPerAddress: 0, maxPendingHandshakes: 256 };
  const server = new Server({
    host: "127.0.0.1",
    port: 0,
    limits,
    onRefused: (code, message) => errors.push(`${code}: ${message}`),
  });
  server.addJob(job);
  const { ws } = await server.listen();
  process.on("message", (question: ServerQuestion) => {
    if (question === "collect") globalThis.gc?.();
    const { trunkSteps, clients } = job.status();
    const { user, system } = process.cpuUsage();
    const figures: ServerFigures = {
      rssBytes: process.memoryUsage.rss(),
      trunkSteps,
      connected: clients.filter(({ connected }) => connected).length,
      cpuMs: (user + system) / 1000,
      errors,
    };
    process.send!(figures);
  });
  process.on("disconnect", () => process.exit(0));
  process.send!(ws);
}
