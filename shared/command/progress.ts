/**
 * Progress bars on a terminal, and now and then a line where there is none (Node only).
 */
import type { MultiBar, SingleBar } from "cli-progress";
import type { Output } from "./context.ts";

/** Milliseconds between the lines of one bar where there is no terminal. */
const LINE_INTERVAL_MS = 5_000;

/** Characters that names take, so that bars stand below each other. */
const NAME_WIDTH = 13;

export interface ProgressBar {
  /** `text` is what stands behind the bar, e.g. loss and speed. */
  update(value: number, text: string): void;
}

export interface Progress {
  /** Another bar, below those before it; `from` is where it starts. */
  bar(name: string, total: number, from?: number): ProgressBar;
  /** Writes a line above the bars. */
  line(text: string): void;
  /** Leaves the bars as they stand and gives the terminal back. */
  stop(): void;
}

class TerminalProgress implements Progress {
  readonly #bars: MultiBar;
  readonly #output: Output;
  #stopped = false;

  constructor(bars: MultiBar, output: Output) {
    this.#bars = bars;
    this.#output = output;
  }

  bar(name: string, total: number, from = 0): ProgressBar {
    const bar: SingleBar = this.#bars.create(total, from, { name: name.padEnd(NAME_WIDTH), text: "" });
    return {
      update: (value, text) => {
        bar.update(value, { text });
      },
    };
  }

  line(text: string): void {
    if (this.#stopped) {
      this.#output.write(`${text}\n`);
      return;
    }
    this.#bars.log(`${text}\n`);
    this.#bars.update();
  }

  stop(): void {
    // A second time would move the cursor up over what was written since.
    if (!this.#stopped) this.#bars.stop();
    this.#stopped = true;
  }
}

class LineProgress implements Progress {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  bar(name: string, total: number): ProgressBar {
    let last = Number.NEGATIVE_INFINITY;
    return {
      update: (value, text) => {
        const now = performance.now();
        if (now - last < LINE_INTERVAL_MS && value < total) return;
        last = now;
        this.line(`${name} ${value}/${total}  ${text}`);
      },
    };
  }

  line(text: string): void {
    this.#output.write(`${text}\n`);
  }

  stop(): void {}
}

/** Progress on `output`: bars where it is a terminal. */
export async function createProgress(output: Output): Promise<Progress> {
  if (output.isTTY !== true) return new LineProgress(output);
  const { default: cliProgress } = await import("cli-progress");
  const bars = new cliProgress.MultiBar({
    format: "{name} {bar} {value}/{total}  {text}  {eta_formatted} left",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    stream: output as NodeJS.WriteStream,
    hideCursor: true,
    clearOnComplete: false,
    stopOnComplete: false,
    linewrap: false,
  });
  return new TerminalProgress(bars, output);
}
