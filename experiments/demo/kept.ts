/**
 * What a demo keeps in --out so that it can be gone on with after anything of it was killed: its settings, the processes that it has
 * started, and what these told, line by line. The training itself is kept by the processes, each in a directory of its own.
 */
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { fail } from "../../shared/errors.ts";
import { makeDirectory } from "../../shared/output-node.ts";
import { isRunning } from "../../shared/processes-node.ts";
import type { CommandEvent } from "./child.ts";

const FILE = "demo.json";

const stateSchema = z.strictObject({
  format: z.literal("narrowband-demo"),
  version: z.literal(1),
  /** When the demo was first started, ISO 8601. */
  started: z.iso.datetime(),
  /** How often it was started, with --resume and before. */
  starts: z.int().min(1),
  settings: z.record(z.string(), z.unknown()),
  /** Name of a part → id of its newest process. */
  processes: z.record(z.string(), z.int()),
});

/** How long processes of an earlier start have to notice that it is gone. */
const ORPHAN_GRACE_MS = 10_000;

function replaceFile(path: string, content: string): void {
  writeFileSync(`${path}.tmp`, content);
  renameSync(`${path}.tmp`, path);
}

export class KeptDemo {
  readonly #out: string;
  #state: z.output<typeof stateSchema>;

  private constructor(out: string, state: z.output<typeof stateSchema>) {
    this.#out = out;
    this.#state = state;
    this.#write();
  }

  /** Begins anew. What an earlier demo has left of `parts` must not be taken for this one's. */
  static begin(out: string, settings: object, parts: readonly string[]): KeptDemo {
    makeDirectory(out);
    rmSync(join(out, FILE), { force: true });
    for (const name of parts) {
      rmSync(join(out, name), { recursive: true, force: true });
      rmSync(eventsPath(out, name), { force: true });
    }
    return new KeptDemo(out, {
      format: "narrowband-demo",
      version: 1,
      started: new Date().toISOString(),
      starts: 1,
      settings: { ...settings },
      processes: {},
    });
  }

  /**
   * Goes on with the demo in `out`, when the processes of its last start are gone.
   *
   * @throws NB_FILE_UNREADABLE when there is none; NB_CONFIG_INVALID when its settings are others, or one of its processes stays.
   */
  static async resume(out: string, settings: object): Promise<KeptDemo> {
    const path = join(out, FILE);
    if (!existsSync(path)) {
      fail(
        "NB_FILE_UNREADABLE",
        `--resume: ${path}: there is no demo to go on with; accepted: without --resume`,
      );
    }
    const state = stateSchema.safeParse(parsed(readFileSync(path, "utf8")));
    if (!state.success) return fail("NB_FILE_UNREADABLE", `--resume: ${path} is not what a demo keeps`);
    const kept = state.data.settings;
    const given = settings as Readonly<Record<string, unknown>>;
    const differing = [...new Set([...Object.keys(kept), ...Object.keys(given)])].filter(
      (name) => JSON.stringify(kept[name]) !== JSON.stringify(given[name]),
    );
    if (differing.length > 0) {
      const list = differing.map((name) => `${name} (${JSON.stringify(kept[name])})`).join(", ");
      fail("NB_CONFIG_INVALID", `--resume: ${out}: the demo there has other settings: ${list}`);
    }
    await orphansGone(Object.entries(state.data.processes));
    return new KeptDemo(out, { ...state.data, starts: state.data.starts + 1, processes: {} });
  }

  get started(): Date {
    return new Date(this.#state.started);
  }

  get starts(): number {
    return this.#state.starts;
  }

  /** Remembers a process of a part, in place of its earlier one. */
  processStarted(name: string, pid: number): void {
    this.#state = { ...this.#state, processes: { ...this.#state.processes, [name]: pid } };
    this.#write();
  }

  /** Opens what a part's processes have told. */
  events(name: string): EventLog {
    return new EventLog(eventsPath(this.#out, name));
  }

  #write(): void {
    replaceFile(join(this.#out, FILE), `${JSON.stringify(this.#state, null, 2)}\n`);
  }
}

function eventsPath(out: string, name: string): string {
  return join(out, `${name}.events.jsonl`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Objects that processes of one part have told, in order. */
export class EventLog {
  /** Those of earlier starts. */
  readonly earlier: readonly CommandEvent[];
  readonly #path: string;

  /** A line that a kill has cut short is left out for good. */
  constructor(path: string) {
    this.#path = path;
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
    const whole = lines.flatMap((line) => {
      const value = parsed(line);
      return typeof value === "object" && value !== null ? [value as CommandEvent] : [];
    });
    this.earlier = whole;
    replaceFile(path, whole.map((event) => `${JSON.stringify(event)}\n`).join(""));
  }

  append(event: CommandEvent): void {
    appendFileSync(this.#path, `${JSON.stringify(event)}\n`);
  }
}

async function orphansGone(processes: readonly (readonly [string, number])[]): Promise<void> {
  const end = performance.now() + ORPHAN_GRACE_MS;
  for (;;) {
    const left = processes.filter(([, pid]) => isRunning(pid));
    if (left.length === 0) return;
    if (performance.now() > end) {
      const list = left.map(([name, pid]) => `${name} (${pid})`).join(", ");
      fail(
        "NB_CONFIG_INVALID",
        `--resume: still at work: ${list}; accepted: once these processes have ended`,
      );
    }
    await new Promise((done) => setTimeout(done, 50));
  }
}
