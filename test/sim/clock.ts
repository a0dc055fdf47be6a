/**
 * The simulator's time: things happen one at a time, in the order of a virtual clock, each after all that the one before set going in
 * JavaScript has come to rest. Whatever is random comes from one seeded generator, so that a seed is a run.
 */
import { random } from "../protocol/world.ts";

export interface SimProcess {
  readonly name: string;
  alive: boolean;
}

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly label: string;
  readonly run: () => void;
  readonly owner: SimProcess | undefined;
  cancelled: boolean;
}

/** Lines of a trace that are kept: a run's last ones say what went wrong. */
const TRACE_LINES = 400;

export class Clock {
  now = 0;
  events = 0;
  readonly trace: string[] = [];
  readonly #random: () => number;
  readonly #verbose: boolean;
  /** A binary heap by time, then order. */
  readonly #heap: Pending[] = [];
  #order = 0;

  constructor(seed: number, verbose = false) {
    this.#random = random(seed);
    this.#verbose = verbose;
  }

  /** Uniform in [0, 1). */
  random(): number {
    return this.#random();
  }

  /** An integer in [0, n). */
  pick(n: number): number {
    return Math.floor(this.#random() * n);
  }

  chance(p: number): boolean {
    return this.#random() < p;
  }

  note(line: string): void {
    const text = `${this.now.toFixed(1)} ${line}`;
    this.trace.push(text);
    if (this.trace.length > TRACE_LINES) this.trace.shift();
    if (this.#verbose) console.log(text);
  }

  /** Calls `run` in `ms` milliseconds unless its owner is dead by then, or the returned function was called. */
  after(ms: number, label: string, run: () => void, owner?: SimProcess): () => void {
    const pending: Pending = {
      at: this.now + ms,
      order: this.#order++,
      label,
      run,
      owner,
      cancelled: false,
    };
    this.#push(pending);
    return () => {
      pending.cancelled = true;
    };
  }

  /** Resolves after some random time; never when the process has died meanwhile. */
  pause(owner: SimProcess, label: string, mostMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(this.random() * mostMs, label, resolve, owner);
    });
  }

  /** Lets the next thing happen; its label, or undefined when nothing is left. */
  async step(): Promise<string | undefined> {
    for (;;) {
      const next = this.#pop();
      if (next === undefined) return undefined;
      if (next.cancelled || next.owner?.alive === false) continue;
      this.now = next.at;
      this.events++;
      next.run();
      // All promises that are settled by now have their say.
      await new Promise((resolve) => setImmediate(resolve));
      return next.label;
    }
  }

  #before(a: Pending, b: Pending): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #push(pending: Pending): void {
    const heap = this.#heap;
    let i = heap.push(pending) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#before(heap[i], heap[parent])) break;
      [heap[i], heap[parent]] = [heap[parent], heap[i]];
      i = parent;
    }
  }

  #pop(): Pending | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length > 0 && last !== undefined) {
      heap[0] = last;
      for (let i = 0; ; ) {
        let least = i;
        for (const child of [2 * i + 1, 2 * i + 2]) {
          if (child < heap.length && this.#before(heap[child], heap[least])) least = child;
        }
        if (least === i) break;
        [heap[i], heap[least]] = [heap[least], heap[i]];
        i = least;
      }
    }
    return first;
  }
}
