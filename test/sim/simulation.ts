/**
 * One simulated job: the real drivers, machines, codecs and journals of a server and its clients, over a network and disks that fail, with
 * a supervisor that starts again whatever was killed. Ends when every client has come to the job's end.
 */
import { Edge } from "../../client/edge.ts";
import type { ClientSegments } from "../../client/edge-worker.ts";
import { Job } from "../../server/job.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import type { ClientOutcome } from "../../shared/protocol/client-state.ts";
import { FrameChannel } from "../../shared/protocol/frame-channel.ts";
import { MAX_FRAME_BYTES } from "../../shared/protocol/limits.ts";
import type { CommitGroup, JobOutcome, ServerProgress } from "../../shared/protocol/server-state.ts";
import type { FrameSocket, SetTimer } from "../../shared/protocol/transport.ts";
import { encodeCheckpoint } from "../../shared/train/checkpoint.ts";
import { Clock, type SimProcess } from "./clock.ts";
import { Disk } from "./disk.ts";
import { Network } from "./network.ts";
import type { Scenario } from "./scenario.ts";
import { SimBottom, SimTop, SimTrunk } from "./segments.ts";
import { simBatch } from "./text.ts";

// The checksum's WebAssembly takes real time to load, which must not fall into a run.
await encodeCheckpoint({ kind: "warm-up", meta: {}, tensors: new Map() });

const COMPUTE_MS = 6;
const RESTART_MS = 60;

/** Events after which a run is stuck: the longest take some thousands. */
const MAX_EVENTS = 60_000;

/** A step of a client as the client heard of it. */
export interface Heard {
  readonly step: number;
  readonly supervisedTokens: number;
  readonly lossSum: number;
}

interface ServerProcess extends SimProcess {
  readonly trunk: SimTrunk;
  readonly top: SimTop;
  job: Job | undefined;
}

interface ClientProcess extends SimProcess {
  readonly bottom: SimBottom;
  readonly top: SimTop;
  readonly edge: Edge;
}

/** One client over all its processes. */
class SimClient {
  readonly index: number;
  readonly disk: Disk;
  process: ClientProcess | undefined;
  starts = 0;
  outcome: ClientOutcome | undefined;
  leaving = false;
  left = false;
  readonly heard = new Map<number, Heard>();

  constructor(index: number, clock: Clock) {
    this.index = index;
    this.disk = new Disk(clock);
  }
}

export interface SimCounts {
  kills: number;
  drops: number;
  duplicates: number;
  reorders: number;
  steps: number;
  events: number;
}

export class Simulation {
  readonly clock: Clock;
  readonly scenario: Scenario;
  readonly groups = new Map<number, CommitGroup>();
  readonly clients: SimClient[];
  readonly serverDisk: Disk;
  server: ServerProcess | undefined;
  outcome: JobOutcome | undefined;
  abandoned = 0;
  /** Whose text each client of the job has, by index. */
  readonly texts: number[] = [];
  readonly #network: Network;
  readonly #left: { kills: number; leaves: number };
  #kills = 0;
  #serverStarts = 0;
  #failure: unknown;

  constructor(scenario: Scenario, verbose = false) {
    this.scenario = scenario;
    this.clock = new Clock(scenario.seed, verbose);
    const { drops, duplicates, kills, leaves } = scenario;
    this.#network = new Network(this.clock, { drops, duplicates });
    this.#left = { kills, leaves };
    this.serverDisk = new Disk(this.clock);
    this.clients = Array.from({ length: scenario.clients }, (_, index) => new SimClient(index, this.clock));
  }

  get counts(): SimCounts {
    return {
      ...this.#network.count,
      kills: this.#kills,
      steps: this.groups.size,
      events: this.clock.events,
    };
  }

  /** Runs to the end. Throws when the run is stuck, or anything fails that must not. */
  async run(): Promise<void> {
    this.#startServer();
    for (const client of this.clients) this.#startClient(client);
    while (!this.#over()) {
      const label = await this.clock.step();
      if (this.#failure !== undefined) throw this.#failure;
      if (label === undefined) throw new Error("stuck: nothing will ever happen again");
      if (this.clock.events > MAX_EVENTS) throw new Error(`stuck: not over after ${MAX_EVENTS} events`);
      this.#disturb(label);
    }
  }

  #over(): boolean {
    // Who left on purpose may come back to find that the job has ended without it.
    return (
      this.outcome !== undefined && this.clients.every(({ outcome, left }) => outcome !== undefined || left)
    );
  }

  /** Perhaps kills a process, cuts a connection, or has a client leave. */
  #disturb(label: string): void {
    const { clock } = this;
    // A process is killed more readily while it writes: there is more to lose.
    if (this.#left.kills > 0 && clock.chance(label.includes(" disk ") ? 0.03 : 0.008)) this.#killSomebody();
    if (clock.chance(0.02)) this.#network.drop();
    if (this.#left.leaves > 0 && this.groups.size > 0 && clock.chance(0.01)) {
      const here = this.clients.filter(({ process, leaving }) => process?.alive && !leaving);
      if (here.length === 0) return;
      const client = here[clock.pick(here.length)];
      this.#left.leaves--;
      client.leaving = true;
      clock.note(`${client.process!.name} is asked to leave`);
      client.process!.edge.stop();
    }
  }

  #killSomebody(): void {
    const { clock } = this;
    const running = [this.server, ...this.clients.map(({ process }) => process)].filter((p) => p?.alive);
    if (running.length === 0 || this.#left.kills === 0) return;
    const victim = running[clock.pick(running.length)]!;
    const power = clock.chance(0.4);
    this.#left.kills--;
    this.#kills++;
    clock.note(`kill ${victim.name}${power ? " and its machine" : ""}`);
    victim.alive = false;
    this.#network.died(victim);
    if (victim === this.server) {
      this.serverDisk.crash(power);
      clock.after(clock.random() * RESTART_MS, "restart server", () => this.#startServer());
      return;
    }
    const client = this.clients.find(({ process }) => process === victim)!;
    client.disk.crash(power);
    clock.after(clock.random() * RESTART_MS, "restart client", () => this.#startClient(client));
  }

  #setTimer(owner: SimProcess): SetTimer {
    return (ms, callback) => this.clock.after(ms, `${owner.name} timer`, callback, owner);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
  }

  #startServer(): void {
    const { config, policy, every } = this.scenario;
    const name = `server#${this.#serverStarts++}`;
    const think = () => this.clock.pause(process, `${name} computes`, COMPUTE_MS);
    const { hidden } = config.model;
    const trunk = new SimTrunk(hidden, think);
    const process: ServerProcess = {
      name,
      alive: true,
      trunk,
      top: new SimTop(hidden, think),
      job: undefined,
    };
    this.server = process;
    const resume = this.serverDisk.names.some((file) => file.endsWith(".nbck"));
    this.clock.note(`start ${name}${resume ? ", resuming" : ""}`);
    const options = {
      name: "demo",
      number: 1,
      config,
      policy,
      trunk,
      top: config.split === "vanilla" ? process.top : undefined,
      setTimer: this.#setTimer(process),
      onError: (error: unknown) => this.#fail(error),
      onStep: ({ group }: { group: CommitGroup }) => {
        this.clock.note(`${name} committed ${JSON.stringify(group)}`);
        // The moments around a commit are those at which most could be lost.
        if (this.#left.kills > 0 && this.clock.chance(0.08)) {
          this.clock.after(this.clock.random() * 12, "kill", () => this.#killSomebody());
        }
        this.groups.set(group.trunkStep, group);
      },
      onProgress: (progress: ServerProgress) => {
        if (progress.type === "stepAbandoned") this.abandoned++;
        if (progress.type === "joined") this.texts[progress.client] = Number(progress.name.split("-")[1]);
        this.clock.note(`${name} ${JSON.stringify(progress).slice(0, 160)}`);
      },
    };
    const journal = { storage: this.serverDisk.mount(process), resume, every };
    Job.open(options, journal)
      .then(async (job) => {
        process.job = job;
        const outcome = await job.done;
        // A client whose goodbye was lost is waited for as long as any other that drops.
        for (let ms = 50; job.attended; ms *= 2) {
          await this.clock.pause(process, `${name} waits for clients`, ms);
        }
        await job.close();
        this.#serverEnded(process, outcome);
      })
      .catch((error) => {
        // Killed after all was done and said: there is nothing left to go on with.
        const done = error instanceof NarrowbandError && error.details.completed === true;
        if (done)
          this.#serverEnded(process, { reason: "completed", code: undefined, message: error.message });
        else this.#fail(error);
      });
  }

  #serverEnded(process: ServerProcess, outcome: JobOutcome): void {
    process.alive = false;
    this.#network.died(process);
    this.clock.note(`${process.name} ended: ${JSON.stringify(outcome)}`);
    this.outcome = outcome;
  }

  #accept(process: ServerProcess, socket: FrameSocket): void {
    const job = process.job!;
    const nobody = { frame: () => {}, refused: () => {}, closed: () => {} };
    job.attach(new FrameChannel(socket, job.ledger, "down", MAX_FRAME_BYTES, nobody));
  }

  #startClient(client: SimClient): void {
    const { config, every } = this.scenario;
    const { clock } = this;
    const name = `client-${client.index}#${client.starts++}`;
    const think = () => clock.pause(process, `${name} computes`, COMPUTE_MS);
    const { hidden } = config.model;
    const bottom = new SimBottom(hidden, think);
    const top = new SimTop(hidden, think);
    const resume = client.disk.names.some((file) => file.endsWith(".nbck"));
    clock.note(`start ${name}${resume ? ", resuming" : ""}`);
    const owner: SimProcess = { name, alive: true };
    const segments: ClientSegments = { bottom, top: config.split === "vanilla" ? undefined : top };
    const edge = new Edge({
      job: "demo",
      name: `client-${client.index}`,
      process: `${name}-0123456789abcdef`,
      connect: () =>
        this.#network.connect(owner, () => {
          const { server } = this;
          if (server?.job === undefined || !server.alive) return undefined;
          return { process: server, accept: (socket) => this.#accept(server, socket) };
        }),
      segments: async () => segments,
      batches: { nextBatch: (step, microBatch) => simBatch(config, client.index, step, microBatch) },
      journal: { storage: client.disk.mount(owner), resume, every },
      backoff: { baseMs: 5, capMs: 200, attempts: 100_000 },
      ledger: new ByteLedger(),
      setTimer: this.#setTimer(owner),
      random: () => clock.random(),
      now: () => clock.now,
      onStep: ({ commit, lossSum, supervisedTokens }) => {
        client.heard.set(commit.step, { step: commit.step, lossSum, supervisedTokens });
      },
      onProgress: (progress) => clock.note(`${name} ${JSON.stringify(progress).slice(0, 160)}`),
    });
    const process: ClientProcess = Object.assign(owner, { bottom, top, edge });
    client.process = process;
    edge
      .run()
      .then((outcome) => {
        if (!process.alive) return;
        process.alive = false;
        this.#network.died(process);
        clock.note(`${name} ended: ${JSON.stringify(outcome)}`);
        if (client.leaving && outcome.reason === "stopped") {
          client.leaving = false;
          client.left = true;
          clock.after(clock.random() * RESTART_MS * 8, "client returns", () => this.#startClient(client));
        } else if (outcome.reason === "completed") client.outcome = outcome;
        else this.#fail(new Error(`${name} ended with ${outcome.code}: ${outcome.message}`));
      })
      .catch((error) => this.#fail(error));
  }
}
