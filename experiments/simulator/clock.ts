/** Simulated time: what is to happen when, in order of time and, at one time, of asking. */

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

export class SimulatedClock {
  #nowMs = 0;
  #order = 0;
  /** A binary heap: each entry is before its children, at 2i + 1 and 2i + 2. */
  readonly #heap: Entry[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Runs `run` at a time, at once if it is past; returns what cancels it. */
  at(atMs: number, run: () => void): () => void {
    const entry: Entry = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, run, cancelled: false };
    this.#heap.push(entry);
    this.#up(this.#heap.length - 1);
    return () => {
      entry.cancelled = true;
    };
  }

  after(ms: number, run: () => void): () => void {
    return this.at(this.#nowMs + ms, run);
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
