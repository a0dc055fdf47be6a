/** Machines that do one thing after another in simulated time. */
import type { SimulatedClock } from "./clock.ts";

/** A span in which somebody was busy, for timelines. */
export interface Span {
  /** "server", or a client's name; a link is its client's name and a direction. */
  readonly who: string;
  readonly what: string;
  readonly step: number;
  readonly microBatch: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Work {
  readonly ms: number;
  /** Of them the codec's; 0 by default. */
  readonly codecMs?: number;
  readonly what: string;
  readonly step: number;
  readonly microBatch: number;
  readonly done: () => void;
}

/**
 * A machine whose owners take turns, as the server's fair queue has it: urgent work first, then one piece of each owner.
 * With a single owner it is first come, first served, as on a client.
 */
export class SimulatedMachine {
  /** Milliseconds busy so far. */
  busyMs = 0;
  /** Most pieces that ever waited at once. */
  longestQueue = 0;
  readonly #clock: SimulatedClock;
  readonly #side: "client" | "server";
  readonly #name: string;
  readonly #trace: ((span: Span) => void) | undefined;
  readonly #urgent: Work[] = [];
  readonly #owners = new Map<number, Work[]>();
  #waiting = 0;
  #running = false;

  /** @param name the server's is "server"; any other is a client's */
  constructor(clock: SimulatedClock, name: string, trace?: (span: Span) => void) {
    this.#clock = clock;
    this.#side = name === "server" ? "server" : "client";
    this.#name = name;
    this.#trace = trace;
  }

  push(owner: number, work: Work): void {
    const waiting = this.#owners.get(owner);
    if (waiting === undefined) this.#owners.set(owner, [work]);
    else waiting.push(work);
    this.#count(1);
    this.#start();
  }

  pushUrgent(work: Work): void {
    this.#urgent.push(work);
    this.#count(1);
    this.#start();
  }

  /** Drops what waits of an owner; what runs goes on. */
  clear(owner: number): void {
    this.#count(-(this.#owners.get(owner)?.length ?? 0));
    this.#owners.delete(owner);
  }

  #count(change: number): void {
    this.#waiting += change;
    this.longestQueue = Math.max(this.longestQueue, this.#waiting);
  }

  #start(): void {
    if (this.#running) return;
    const work = this.#next();
    if (work === undefined) return;
    this.#running = true;
    this.#count(-1);
    const fromMs = this.#clock.nowMs;
    this.#clock.work(this.#side, work.ms, work.codecMs ?? 0, () => {
      const { what, step, microBatch } = work;
      this.busyMs += work.ms;
      if (work.ms > 0)
        this.#trace?.({ who: this.#name, what, step, microBatch, fromMs, toMs: this.#clock.nowMs });
      this.#running = false;
      work.done();
      this.#start();
    });
  }

  #next(): Work | undefined {
    const urgent = this.#urgent.shift();
    if (urgent !== undefined) return urgent;
    const first = this.#owners.entries().next().value;
    if (first === undefined) return undefined;
    const [owner, waiting] = first;
    const work = waiting.shift();
    this.#owners.delete(owner);
    if (waiting.length > 0) this.#owners.set(owner, waiting);
    return work;
  }
}
