/** One part of the demo, the server or a client, over all processes that it takes: one that is killed is started again. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { asNarrowbandError, NarrowbandError } from "../../shared/errors.ts";
import { type CommandEvent, CommandProcess } from "./child.ts";
import type { EventLog, KeptDemo } from "./kept.ts";

/** So often is a part started again before the demo gives up. */
const MAX_RESTARTS = 5;
/** Between the end of a process and the start of the next, milliseconds. */
const RESTART_MS = 200;

export interface PartOptions {
  readonly name: string;
  readonly kept: KeptDemo;
  /** The part's --out. */
  readonly directory: string;
  readonly logFile: string;
  /** Arguments of narrowband, without --resume. Asked for at each start. */
  readonly args: () => readonly string[];
  /** Told what the part's processes tell, those of earlier starts of the demo first; a result has no name. */
  readonly onEvent: (event: CommandEvent) => void;
  /** A remark for people. */
  readonly onNote: (text: string) => void;
}

export class Part {
  readonly name: string;
  /** Resolves when the part is through; rejects when it failed, or was killed too often. */
  readonly done: Promise<void>;
  readonly #options: PartOptions;
  readonly #events: EventLog;
  #process: CommandProcess | undefined;
  #finished = false;
  #stopped = false;
  #restarts = 0;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(options: PartOptions) {
    this.name = options.name;
    this.#options = options;
    this.#events = options.kept.events(options.name);
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever waits for it sees the failure; until then it is no unhandled one.
    this.done.catch(() => {});
    for (const event of this.#events.earlier) {
      options.onEvent(event);
      if (event.event === undefined) this.#finish();
    }
  }

  /** Whether there is nothing left to start. */
  get finished(): boolean {
    return this.#finished;
  }

  /** Starts a process, which goes on where an earlier one was. */
  start(): void {
    const { name, kept, directory, logFile, args } = this.#options;
    if (this.#finished || this.#stopped) return;
    this.#tell({ event: "started" });
    const checkpoints = join(directory, "checkpoints");
    const begun = existsSync(checkpoints) && readdirSync(checkpoints).some((file) => file.endsWith(".nbck"));
    const child = new CommandProcess({
      name,
      args: begun ? [...args(), "--resume"] : args(),
      logFile,
      appendLog: begun,
      onEvent: (event) => this.#tell(event),
    });
    this.#process = child;
    if (child.pid !== undefined) kept.processStarted(name, child.pid);
    child.result.then(
      (result) => {
        this.#tell(result);
        this.#finish();
      },
      (error: unknown) => this.#failed(asNarrowbandError(error)),
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#process?.stop();
  }

  #tell(event: CommandEvent): void {
    this.#events.append(event);
    this.#options.onEvent(event);
  }

  #finish(): void {
    this.#finished = true;
    this.#resolve();
  }

  #failed(error: NarrowbandError): void {
    // An earlier process has done it all, and was killed before it could say so.
    if (error.details.completed === true) {
      this.#finish();
      return;
    }
    const { signal } = error.details;
    if (this.#stopped || typeof signal !== "string") {
      this.#reject(error);
      return;
    }
    if (this.#restarts === MAX_RESTARTS) {
      const message = `${error.message}; it was started again ${MAX_RESTARTS} times`;
      this.#reject(new NarrowbandError(error.code, message, { details: { signal } }));
      return;
    }
    this.#restarts += 1;
    this.#options.onNote(`${this.name} ended with ${signal}, and is started again where it was.`);
    setTimeout(() => {
      if (this.#stopped) this.#reject(error);
      else this.start();
    }, RESTART_MS);
  }
}
