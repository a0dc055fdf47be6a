/**
 * A job of real processes that are killed: `narrowband serve` and two `narrowband train`, started again with --resume whenever they die,
 * over a proxy that resets, stalls and truncates. What they leave is compared with what an undisturbed job leaves.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

export interface KillOptions {
  /** dist/cli.js. */
  readonly cli: string;
  readonly model: string;
  readonly data: string;
  /** Where the processes write; emptied first. */
  readonly directory: string;
  readonly steps: number;
  /** Processes to kill, at most: the job may be over before. */
  readonly kills: number;
  readonly random: () => number;
  readonly log: (line: string) => void;
}

export interface KillResult {
  readonly kills: number;
  /** Connections that the proxy broke. */
  readonly broken: number;
  /** Name → bytes of its adapter. */
  readonly adapters: ReadonlyMap<string, Buffer>;
}

const CLIENTS = ["alice", "bob"];

/** Settings that make a step short and everything that a client keeps matter. */
const JOB_FLAGS = [
  ...[
    "--rank",
    "2",
    "--max-row-tokens",
    "64",
    "--learning-rate",
    "0.02",
    "--min-clients",
    "2",
    "--quorum",
    "2",
  ],
  ...["--activations", "amaq:8-3", "--gradients", "amaq:8-3", "--micro-batches", "2", "--in-flight", "2"],
  ...["--aggregation", "fedavg", "--average-every", "5", "--checkpoint-every", "4", "--heartbeat", "500"],
];

/** A TCP proxy that breaks connections. */
class BreakingProxy {
  broken = 0;
  readonly #server: Server;
  readonly #open = new Set<readonly [Socket, Socket]>();

  /** `port`: where the server is at the moment. */
  constructor(port: () => number) {
    this.#server = createServer((near) => {
      const far = connect(port(), "127.0.0.1");
      const pair = [near, far] as const;
      this.#open.add(pair);
      const end = (): void => {
        near.destroy();
        far.destroy();
        this.#open.delete(pair);
      };
      for (const socket of pair) socket.on("error", end).on("close", end);
      near.pipe(far);
      far.pipe(near);
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks one connection: resets it, cuts a message in the middle, or lets nothing through any more. */
  breakOne(random: () => number): void {
    const pairs = [...this.#open];
    if (pairs.length === 0) return;
    const [near, far] = pairs[Math.floor(random() * pairs.length)];
    this.broken++;
    const how = Math.floor(random() * 3);
    if (how === 0) near.resetAndDestroy();
    else if (how === 1) {
      far.unpipe(near);
      far.once("data", (bytes: Buffer) => {
        near.end(bytes.subarray(0, Math.floor(bytes.length / 2)));
        far.destroy();
      });
    } else {
      near.unpipe(far);
      far.unpipe(near);
      near.pause();
      far.pause();
    }
  }

  close(): void {
    for (const pair of this.#open) for (const socket of pair) socket.destroy();
    this.#server.close();
  }
}

/** One part of the job over all its processes. */
class Part {
  readonly name: string;
  process: ChildProcess | undefined;
  done = false;
  readonly out: string;

  constructor(name: string, directory: string) {
    this.name = name;
    this.out = join(directory, name);
  }

  /** Whether an earlier process has left something to go on with. */
  get resumes(): boolean {
    const kept = join(this.out, "checkpoints");
    return existsSync(kept) && readdirSync(kept).some((name) => name.endsWith(".nbck"));
  }
}

/** Runs a job to its end. Rejects when a process ends otherwise than by being killed or done. */
export async function runJob(options: KillOptions): Promise<KillResult> {
  const { cli, model, data, directory, steps, random, log } = options;
  rmSync(directory, { recursive: true, force: true });
  const server = new Part("server", directory);
  const clients = CLIENTS.map((name) => new Part(name, directory));
  let port = 0;
  let kills = 0;
  let committed = 0;
  const proxy = new BreakingProxy(() => port);
  const proxyPort = await proxy.listen();
  let fail: (error: Error) => void = () => {};
  let finish: () => void = () => {};
  const over = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });

  const launch = (
    part: Part,
    args: readonly string[],
    onEvent: (event: Record<string, unknown>) => void,
  ): void => {
    const resume = part.resumes ? ["--resume"] : [];
    const common = ["--model", model, "--out", part.out, "--threads", "1", "--json", "--log-level", "error"];
    const child = spawn(process.execPath, [cli, ...args, ...common, ...resume], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    part.process = child;
    let rest = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onEvent(JSON.parse(line) as Record<string, unknown>);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    child.on("exit", (code, signal) => {
      if (part.process !== child) return;
      part.process = undefined;
      if (signal === "SIGKILL") {
        setTimeout(() => start(part), random() * 300);
        return;
      }
      // A server that was killed after everybody had gone has nothing to go on with.
      if (code !== 0 && !errors.includes("has taken all its")) {
        fail(new Error(`${part.name} ended with ${code}: ${errors.slice(-2_000)}`));
        return;
      }
      part.done = true;
      if ([server, ...clients].every(({ done }) => done)) finish();
    });
  };
  const start = (part: Part): void => {
    if (part === server) {
      launch(server, ["serve", "--port", String(port), "--steps", String(steps), ...JOB_FLAGS], (event) => {
        if (event.event === "listening") {
          port = Number(event.port);
          // Clients are numbered in the order of joining, which must be the same in the runs that are compared.
          if (clients[0].process === undefined && !clients[0].done) start(clients[0]);
        }
        if (event.event === "step") committed++;
        if (event.event === "joined" && event.name === CLIENTS[0]) {
          if (clients[1].process === undefined && !clients[1].resumes && !clients[1].done) start(clients[1]);
        }
      });
      return;
    }
    const text = [
      "--data",
      data,
      "--name",
      part.name,
      "--rows",
      "2",
      "--length",
      "32",
      "--checkpoint-every",
      "3",
    ];
    launch(part, ["train", `ws://127.0.0.1:${proxyPort}`, ...text], () => {});
  };

  /** Waits for a step to be committed, but not for ever: those that it needs may be starting. */
  const progress = async (): Promise<void> => {
    const before = committed;
    for (let i = 0; i < 200 && committed === before; i++) await new Promise((done) => setTimeout(done, 50));
  };
  const disturb = async (): Promise<void> => {
    // Until both have joined, an order of joining could be lost with the process that knew it.
    while (!clients[1].resumes) await new Promise((done) => setTimeout(done, 50));
    while (kills < options.kills && ![server, ...clients].some(({ done }) => done)) {
      // Most die at work, some while they start or resume.
      if (random() < 0.8) await progress();
      await new Promise((done) => setTimeout(done, random() * 400));
      if (random() < 0.3) {
        proxy.breakOne(random);
        continue;
      }
      const alive = [server, ...clients].filter((part) => part.process !== undefined && !part.done);
      const victim = alive[Math.floor(random() * alive.length)];
      if (victim?.process === undefined) continue;
      kills++;
      log(`kill ${kills}: ${victim.name}`);
      victim.process.kill("SIGKILL");
    }
  };
  start(server);
  if (options.kills > 0) void disturb();
  try {
    await over;
  } finally {
    for (const part of [server, ...clients]) {
      const child = part.process;
      part.process = undefined;
      child?.kill("SIGKILL");
    }
    proxy.close();
  }
  const adapter = (part: Part): [string, Buffer] => {
    return [part.name, readFileSync(join(part.out, "adapter_model.safetensors"))];
  };
  return { kills, broken: proxy.broken, adapters: new Map([server, ...clients].map(adapter)) };
}
