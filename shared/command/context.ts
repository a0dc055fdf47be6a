/**
 * What a running command is given: where it writes, its log, its progress bars, and the signal to stop (Node only).
 *
 * With `--json` stdout belongs to machines, one object a line, and everything for people goes to stderr; without it
 * results for people go to stdout. Progress and remarks are on stderr either way.
 */
import { writeFile } from "node:fs/promises";
import type { Logger } from "pino";
import { checkWritable, unwritable } from "../output-node.ts";
import type { LogLevel } from "./definition.ts";
import { createProgress, type Progress } from "./progress.ts";

/** A stream that text is written to. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface CommandIo {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface CommandContext {
  /** Aborted by the first Ctrl-C, with NB_INTERRUPTED as its reason. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether stdout belongs to machines. */
  readonly json: boolean;
  /** Whether `--json` was given, with a file or without. */
  readonly jsonAsked: boolean;
  /** Something that happened, for machines; nothing without `--json`. */
  event(name: string, value: Readonly<Record<string, unknown>>): void;
  /** What came out, for machines: the last object on stdout, or the content of the file that `--json` names. */
  result(value: Readonly<Record<string, unknown>>): Promise<void>;
  /** A line of the result for people. */
  print(line: string): void;
  /** A piece of the result for people, without a line break. */
  write(text: string): void;
  /** A remark for people, on stderr. */
  note(line: string): void;
  /** The progress bars of this run; made when they are first asked for. */
  progress(): Promise<Progress>;
}

export interface ContextOptions {
  /** True: stdout; a text: the file that the result goes to. */
  readonly json: boolean | string;
  readonly logLevel: LogLevel;
  readonly logFile?: string | undefined;
  readonly signal: AbortSignal;
  /** Name of the command, in every log line. */
  readonly command: string;
}

/**
 * The context of a run, and what ends it: bars are stopped and the log is written out.
 *
 * @throws NB_FILE_UNREADABLE when the file of the result or of the log cannot be written, before the run begins.
 */
export async function createContext(
  io: CommandIo,
  options: ContextOptions,
): Promise<{ context: CommandContext; close(): void }> {
  const { json, logFile } = options;
  for (const file of [json, logFile]) if (typeof file === "string") checkWritable(file);
  const machine = json === true;
  const people = machine ? io.stderr : io.stdout;
  let progress: Promise<Progress> | undefined;
  let shown: Progress | undefined;
  const note = (line: string): void => {
    if (shown === undefined) io.stderr.write(`${line}\n`);
    else shown.line(line);
  };

  const { pino } = await import("pino");
  // Log lines on a terminal must not run through the bars.
  const destination =
    logFile === undefined
      ? { write: (line: string) => note(line.trimEnd()) }
      : pino.destination({ dest: logFile, append: true, sync: true });
  const log = pino({ level: options.logLevel, base: { command: options.command } }, destination);

  const context: CommandContext = {
    signal: options.signal,
    log,
    env: io.env,
    json: machine,
    jsonAsked: json !== false,
    event(name, value) {
      if (machine) io.stdout.write(`${JSON.stringify({ event: name, ...value })}\n`);
    },
    async result(value) {
      if (machine) io.stdout.write(`${JSON.stringify(value)}\n`);
      else if (typeof json === "string") {
        await writeFile(json, `${JSON.stringify(value, null, 2)}\n`).catch((cause) => {
          throw unwritable(json, cause);
        });
      }
    },
    print(line) {
      people.write(`${line}\n`);
    },
    write(text) {
      people.write(text);
    },
    note,
    progress() {
      progress ??= createProgress(io.stderr).then((made) => {
        shown = made;
        return made;
      });
      return progress;
    },
  };
  return {
    context,
    close() {
      shown?.stop();
      shown = undefined;
    },
  };
}
