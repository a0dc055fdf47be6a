/**
 * Prometheus metrics of a server, read off the jobs when they are asked for, so that nothing is counted
 * in two places.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { CATEGORIES } from "../shared/ledger/ledger.ts";
import type { Job } from "./job.ts";

/** A registry whose metrics follow `jobs`. */
export function createMetrics(jobs: () => readonly Job[]): Registry {
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
