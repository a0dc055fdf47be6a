/**
 * Holds back what a peer must not see before all that led to it is on stable storage. What may go at once still waits for what was put
 * in before it: the order on a connection stays.
 */
export class Outbox {
  readonly #waiting: { readonly after: number; readonly run: () => void }[] = [];

  /** Runs `run` when records up to `after` are durable, of which `durable` are by now, and everything before it has run. */
  put(run: () => void, after: number, durable: number): void {
    if (this.#waiting.length === 0 && after <= durable) run();
    else this.#waiting.push({ after, run });
  }

  flush(durable: number): void {
    for (let next = this.#waiting[0]; next !== undefined && next.after <= durable; next = this.#waiting[0]) {
      this.#waiting.shift();
      next.run();
    }
  }

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  clear(): void {
    this.#waiting.length = 0;
  }
}
