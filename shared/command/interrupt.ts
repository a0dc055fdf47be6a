/**
 * Ctrl-C (Node only): the first asks the command to save what it has and end, the second ends the process at once.
 */
import { NarrowbandError } from "../errors.ts";

/** Exit code of a process that a signal ended. */
const INTERRUPTED_EXIT = 130;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export interface SignalSource {
  on(signal: (typeof SIGNALS)[number], listener: () => void): unknown;
  off(signal: (typeof SIGNALS)[number], listener: () => void): unknown;
}

/**
 * Listens until `release` is called. `exit` is what the second signal does.
 */
export function onInterrupt(
  source: SignalSource,
  note: (line: string) => void,
  exit: (code: number) => void,
): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const listener = (name: (typeof SIGNALS)[number]) => {
    if (controller.signal.aborted) {
      exit(INTERRUPTED_EXIT);
      return;
    }
    note("Stopping; what is done so far is saved. Ctrl-C again ends at once.");
    controller.abort(
      new NarrowbandError("NB_INTERRUPTED", "stopped by a signal", { details: { signal: name } }),
    );
  };
  const listeners = SIGNALS.map((name) => [name, () => listener(name)] as const);
  for (const [name, heard] of listeners) source.on(name, heard);
  return {
    signal: controller.signal,
    release() {
      for (const [name, heard] of listeners) source.off(name, heard);
    },
  };
}
