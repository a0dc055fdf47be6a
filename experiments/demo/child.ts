/**
 * A narrowband command as a process of its own, read through its `--json` events.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { asNarrowbandError, ERRORS, type ErrorCode, NarrowbandError } from "../../shared/errors.ts";

export type CommandEvent = Readonly<Record<string, unknown>>;

export interface ChildOptions {
  /** For people and logs. */
  readonly name: string;
  /** Arguments of narrowband, `--json` included. */
  readonly args: readonly string[];
  /** File that its stderr goes to. */
  readonly logFile: string;
  readonly onEvent: (event: CommandEvent) => void;
  /** Keeps what is in the log file. */
  readonly appendLog?: boolean;
  /** The script that is narrowband; by default the one that this process was started with. */
  readonly program?: string;
}

/** Milliseconds that a process has to end by itself after it was asked to. */
const STOP_GRACE_MS = 15_000;

export class CommandProcess {
  readonly name: string;
  /** The last object on its stdout, which is its result; rejects when it failed. */
  readonly result: Promise<CommandEvent>;
  readonly #child: ChildProcess;
  readonly #onExit: () => void;
  #last: CommandEvent | undefined;
  #failure: NarrowbandError | undefined;

  constructor(options: ChildOptions) {
    this.name = options.name;
    // A process group of its own: Ctrl-C in the terminal reaches the demo alone, which then asks each of its processes once.
    const program = options.program ?? process.argv[1];
    this.#child = spawn(process.execPath, [...process.execArgv, program, ...options.args], {
      // The channel carries nothing: with it the process notices when this one is gone, and ends.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: process.platform !== "win32",
    });
    const child = this.#child;
    this.#onExit = () => child.kill("SIGKILL");
    process.once("exit", this.#onExit);
    child.stderr?.pipe(createWriteStream(options.logFile, { flags: options.appendLog ? "a" : "w" }));
    const lines = createInterface({ input: child.stdout! });
    this.result = new Promise((resolve, reject) => {
      lines.on("line", (line) => {
        try {
          this.#accept(JSON.parse(line) as CommandEvent, options.onEvent);
        } catch (error) {
          this.#failure ??= asNarrowbandError(error);
        }
      });
      child.once("error", (error) => reject(asNarrowbandError(error)));
      // Both must have ended: the process and what it wrote.
      let exit: { code: number | null; signal: string | null } | undefined;
      let closed = false;
      const settle = () => {
        if (exit === undefined || !closed) return;
        process.off("exit", this.#onExit);
        if (exit.code === 0 && this.#failure === undefined && this.#last !== undefined) {
          resolve(this.#last);
          return;
        }
        const how = exit.signal ?? `exit code ${exit.code}`;
        reject(
          this.#failure ??
            new NarrowbandError(
              "NB_INTERNAL",
              `${this.name} ended with ${how}; its log is ${options.logFile}`,
              { details: exit.signal === null ? {} : { signal: exit.signal } },
            ),
        );
      };
      lines.once("close", () => {
        closed = true;
        settle();
      });
      child.once("exit", (code, signal) => {
        exit = { code, signal };
        settle();
      });
    });
    // Whoever waits for the result sees the failure; until then it is no unhandled one.
    this.result.catch(() => {});
  }

  #accept(event: CommandEvent, onEvent: (event: CommandEvent) => void): void {
    if (event.event === "error") {
      const code = Object.hasOwn(ERRORS, String(event.code)) ? (event.code as ErrorCode) : "NB_INTERNAL";
      const details = typeof event.details === "object" ? { ...event.details } : {};
      this.#failure = new NarrowbandError(code, `${this.name}: ${event.message}`, { details });
      return;
    }
    if (event.event === undefined) this.#last = event;
    else onEvent(event);
  }

  /** Undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks the process to save and end, and ends it when it does not. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_GRACE_MS);
    await this.result.catch(() => {});
    clearTimeout(timer);
  }
}
