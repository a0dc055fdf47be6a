/** Simulated time: what is to happen when, in order of time and, at one time, of asking, and what led there. */
import { longer, NO_TIME, type PathTimes } from "./critical-path.ts";

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  readonly path: PathTimes;
  cancelled: boolean;
}

export class SimulatedClock {
  #nowMs = 0;
  #order = 0;
  #path = NO_TIME;
  /** A binary heap: each entry is before its children, at 2i + 1 and 2i + 2. */
  readonly #heap: Entry[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  /** What the time up to now went to, on the path of causes to what is happening. */
  get path(): PathTimes {
    return this.#path;
  }

  /**
   * Runs `run` at a time, at once if it is past; returns what cancels it. `part` is what the time until then is spent on.
   */
  at(atMs: number, run: () => void, part: keyof PathTimes = "waiting"): () => void {
    const ms = atMs - this.#nowMs;
    if (ms <= 0) return this.#schedule(this.#nowMs, run, this.#path);
    return this.#schedule(atMs, run, longer(this.#path, part, ms));
  }

  after(ms: number, run: () => void): () => void {
    return this.at(this.#nowMs + ms, run);
  }

  /** Runs `run` after work of so many milliseconds, of which `codecMs` are the codec's. */
  work(side: "client" | "server", ms: number, codecMs: number, run: () => void): void {
    const compute = longer(this.#path, `${side}Compute`, ms - codecMs);
    const path = codecMs === 0 ? compute : longer(compute, `${side}Codec`, codecMs);
    this.#schedule(this.#nowMs + ms, run, path);
  }

  #schedule(atMs: number, run: () => void, path: PathTimes): () => void {
    const entry: Entry = { atMs, order: this.#order++, run, path, cancelled: false };
    this.#heap.push(entry);
    this.#up(this.#heap.length - 1);
    return () => {
      entry.cancelled = true;
    };
  }

  /** Lets the next thing happen; false when there is none. */
  tick(): boolean {
    for (;;) {
      const [first] = this.#heap;
      if (first === undefined) return false;
      const last = this.#heap.pop()!;
      if (this.#heap.length > 0) {
        this.#heap[0] = last;
        this.#down(0);
      }
      if (first.cancelled) continue;
      this.#nowMs = first.atMs;
      this.#path = first.path;
      first.run();
      return true;
    }
  }

  #before(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }

  #swap(i: number, j: number): void {
    [this.#heap[i], this.#heap[j]] = [this.#heap[j], this.#heap[i]];
  }

  #up(i: number): void {
    for (let child = i; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#before(child, parent)) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  #down(i: number): void {
    for (let parent = i; ; ) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2])
        if (child < this.#heap.length && this.#before(child, least)) least = child;
      if (least === parent) return;
      this.#swap(parent, least);
      parent = least;
    }
  }
}
