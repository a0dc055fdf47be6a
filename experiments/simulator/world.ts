/** What the server and the clients of a simulation share. */
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import type { SimulatedClock } from "./clock.ts";
import type { Costs } from "./costs.ts";
import type { SimulatedNetwork } from "./network.ts";
import type { Span } from "./workers.ts";

export interface World {
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  readonly config: JobConfig;
  readonly costs: Costs;
  readonly trace: ((span: Span) => void) | undefined;
  /** The next of the seed's numbers, uniform in (0, 1). */
  readonly uniform: () => number;
}

/** Timers of one party, by name. */
export class SimulatedTimers {
  readonly #clock: SimulatedClock;
  readonly #cancels = new Map<string, () => void>();

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  /** Starts a timer, anew when it runs. */
  start(name: string, ms: number, fired: () => void): void {
    this.#cancels.get(name)?.();
    this.#cancels.set(name, this.#clock.after(ms, fired));
  }

  stop(name: string): void {
    this.#cancels.get(name)?.();
    this.#cancels.delete(name);
  }
}
