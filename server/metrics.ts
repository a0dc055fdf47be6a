/**
 * Prometheus metrics of a server, read off the jobs and the gateway when they are asked for, so that nothing is counted
 * in two places. docs/metrics.md lists them.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { ErrorCode } from "../shared/errors.ts";
import { CATEGORIES } from "../shared/ledger/ledger.ts";
import type { Gateway } from "./gateway.ts";
import type { Job } from "./job.ts";

/** What the metrics are read off. */
export interface MetricSources {
  readonly jobs: () => readonly Job[];
  readonly gateway: Pick<Gateway, "connections" | "pending" | "pauses" | "slowReaders">;
  /** Refused connections and requests, by code. */
  readonly refusals: ReadonlyMap<ErrorCode, number>;
}

/** A registry whose metrics follow their sources. */
export function createMetrics({ jobs, gateway, refusals }: MetricSources): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  new Counter({
    name: "narrowband_bytes_total",
    help: "Bytes of a job's sockets, by direction and what they are for.",
    labelNames: ["job", "direction", "category"],
    registers,
    collect() {
      this.reset();
      for (const job of jobs()) {
        const snapshot = job.ledger.snapshot();
        for (const direction of ["up", "down"] as const) {
          for (const category of CATEGORIES) {
            // A counter cannot fall; what broken connections did not send stays uncorrected here.
            const bytes = Math.max(0, snapshot[direction][category]);
            this.inc({ job: job.name, direction, category }, bytes);
          }
        }
      }
    },
  });
  new Counter({
    name: "narrowband_trunk_steps_total",
    help: "Optimizer steps that a job's trunk has taken.",
    labelNames: ["job"],
    registers,
    collect() {
      this.reset();
      for (const job of jobs()) this.inc({ job: job.name }, job.status().trunkSteps);
    },
  });
  new Counter({
    name: "narrowband_seconds_total",
    help: "Seconds that a job has spent, by what on: compute (the engine) or codec.",
    labelNames: ["job", "work"],
    registers,
    collect() {
      this.reset();
      for (const job of jobs()) {
        const { computeMs, codecMs } = job.status().times;
        this.inc({ job: job.name, work: "compute" }, computeMs / 1000);
        this.inc({ job: job.name, work: "codec" }, codecMs / 1000);
      }
    },
  });
  new Counter({
    name: "narrowband_refusals_total",
    help: "Connections and requests that were refused before they reached a job, by error code.",
    labelNames: ["code"],
    registers,
    collect() {
      this.reset();
      for (const [code, count] of refusals) this.inc({ code }, count);
    },
  });
  new Counter({
    name: "narrowband_rate_pauses_total",
    help: "Times that a client was read no further because it sent faster than its rates.",
    registers,
    collect() {
      this.reset();
      this.inc(gateway.pauses);
    },
  });
  new Counter({
    name: "narrowband_slow_readers_total",
    help: "Connections that were cut because their peer did not read what it was sent.",
    registers,
    collect() {
      this.reset();
      this.inc(gateway.slowReaders);
    },
  });
  new Gauge({
    name: "narrowband_connections",
    help: "Open WebSockets, by state: pending (no job has let them in yet) or accepted.",
    labelNames: ["state"],
    registers,
    collect() {
      this.reset();
      this.set({ state: "pending" }, gateway.pending);
      this.set({ state: "accepted" }, Math.max(0, gateway.connections - gateway.pending));
    },
  });
  new Gauge({
    name: "narrowband_clients",
    help: "Clients of a job, by state: connected or away.",
    labelNames: ["job", "state"],
    registers,
    collect() {
      this.reset();
      for (const job of jobs()) {
        const { clients } = job.status();
        const connected = clients.filter((c) => c.connected).length;
        this.set({ job: job.name, state: "connected" }, connected);
        this.set({ job: job.name, state: "away" }, clients.length - connected);
      }
    },
  });
  new Gauge({
    name: "narrowband_loss",
    help: "Loss per supervised token of a client's last committed step, nats.",
    labelNames: ["job", "client"],
    registers,
    collect() {
      this.reset();
      for (const job of jobs()) {
        for (const { name, loss } of job.status().clients) {
          if (loss !== undefined) this.set({ job: job.name, client: name }, loss);
        }
      }
    },
  });
  return registry;
}
