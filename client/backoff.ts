/**
 * How long to wait before connecting again: exponential backoff with full jitter, so that clients that lost the same server
 * do not all come back at once (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
 */

export interface BackoffOptions {
  /** Bound of the first wait, which doubles with each attempt; milliseconds. */
  readonly baseMs: number;
  /** Bound of all waits. */
  readonly capMs: number;
  /** Attempts in a row that may fail before the client gives up. */
  readonly attempts: number;
}

/** Waits of 30 s on average at the end: an outage of about 5 minutes is survived. */
export const DEFAULT_BACKOFF: BackoffOptions = { baseMs: 1_000, capMs: 60_000, attempts: 12 };

export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #failures = 0;

  /** `random` gives uniform numbers in [0, 1). */
  constructor(options: BackoffOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** Attempts that have failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Milliseconds to wait after another failure, or undefined when it was the last that is allowed. */
  next(): number | undefined {
    const { attempts, baseMs, capMs } = this.#options;
    this.#failures += 1;
    if (this.#failures >= attempts) return undefined;
    return this.#random() * Math.min(capMs, baseMs * 2 ** (this.#failures - 1));
  }

  /** A connection has proved to be good. */
  reset(): void {
    this.#failures = 0;
  }
}
