/**
 * The load bench's clients, all in one process of their own: the real edge runtime, its codecs and sockets, with segments that answer at once,
 * so that what is measured is the server.
 */
import { wsConnector } from "../../client/connection.ts";
import { Edge } from "../../client/edge.ts";
import { ByteLedger } from "../../shared/ledger/ledger.ts";
import type { BottomSegment, NamedTensors, SavedForward, TopSegment } from "../../shared/train/segments.ts";
import { HIDDEN, JOB_NAME, ROW_TOKENS, ROWS } from "./load-job.ts";

export type ClientOrder =
  /** Connect so many more clients, which then only listen. */
  | { readonly type: "idle"; readonly count: number }
  /** Connect so many more clients, which step without a pause. */
  | { readonly type: "active"; readonly count: number }
  /** Forget the times so far. */
  | { readonly type: "reset" }
  | { readonly type: "figures" }
  /** Let all clients that step leave. */
  | { readonly type: "leave" };

export interface ClientFigures {
  /** Milliseconds of each step since the last reset, from its start to its commit. */
  readonly stepMs: readonly number[];
  readonly errors: readonly string[];
}

const TOKENS = ROWS * ROW_TOKENS;
const LENGTHS = Int32Array.from({ length: ROWS }, () => ROW_TOKENS);
const IDS = Int32Array.from({ length: TOKENS }, (_, i) => i % 60);

/** Smooth numbers of about the size of activations. */
function numbers(scale: number): Float32Array {
  return Float32Array.from({ length: TOKENS * HIDDEN }, (_, i) => scale * Math.sin(i * 0.37));
}

const SAVED: SavedForward = { release: () => {} };
const NOTHING: NamedTensors = new Map();

/** What every segment has, for one that trains nothing. */
const IDLE_SEGMENT = {
  adapters: () => NOTHING,
  loadAdapters: () => {},
  gradients: () => NOTHING,
  addGradients: () => {},
  zeroGradients: () => {},
  optimizerStep: async () => ({ gradientNorm: 0, learningRate: 0 }),
  saveState: () => NOTHING,
  restoreState: () => {},
  dispose: async () => {},
};

const ACTIVATIONS = numbers(1);
const GRADIENTS = numbers(1e-3);

const BOTTOM: BottomSegment = {
  ...IDLE_SEGMENT,
  forward: async () => ({ output: ACTIVATIONS, saved: SAVED }),
  backward: async () => {},
};

const TOP: TopSegment = {
  ...IDLE_SEGMENT,
  loss: async () => ({ lossSum: TOKENS, supervisedTokens: TOKENS, gradient: GRADIENTS }),
  lastLogits: async () => new Float32Array(0),
};

/** Connections that are being made at once. */
const AT_ONCE = 32;

export function runLoadClients(url: string): void {
  const errors: string[] = [];
  let stepMs: number[] = [];
  let index = 0;
  const active: { readonly edge: Edge; readonly ended: Promise<unknown> }[] = [];
  let leaving = false;

  const add = (steps: boolean): Promise<void> =>
    new Promise((welcomed) => {
      const ledger = new ByteLedger();
      const edge: Edge = new Edge({
        job: JOB_NAME,
        name: `client-${index++}`,
        ledger,
        connect: wsConnector({ url, ledger }),
        // A client that never gets its segments ready is connected and waits.
        segments: () => (steps ? Promise.resolve({ bottom: BOTTOM, top: TOP }) : new Promise(() => {})),
        batches: { nextBatch: () => ({ ids: IDS, labels: IDS, lengths: LENGTHS }) },
        onStep: ({ elapsedMs }) => stepMs.push(elapsedMs),
        onProgress: (progress) => {
          if (progress.type === "welcomed") welcomed();
          if (progress.type === "stepAbandoned" && !leaving)
            errors.push(`${progress.code}: ${progress.message}`);
          if (progress.type === "disconnected" && !leaving) errors.push(`disconnected: ${progress.code}`);
        },
      });
      const ended = edge.run().then((outcome) => {
        if (!leaving) errors.push(`ended: ${outcome.code} ${outcome.message}`);
        welcomed();
      });
      if (steps) active.push({ edge, ended });
    });

  const obey = async (order: ClientOrder): Promise<ClientFigures> => {
    if (order.type === "reset") stepMs = [];
    else if (order.type === "leave") {
      leaving = true;
      for (const { edge } of active) edge.stop();
      await Promise.all(active.splice(0).map(({ ended }) => ended));
      leaving = false;
    } else if (order.type !== "figures") {
      for (let left = order.count; left > 0; left -= AT_ONCE)
        await Promise.all(
          Array.from({ length: Math.min(AT_ONCE, left) }, () => add(order.type === "active")),
        );
    }
    return { stepMs, errors };
  };
  process.on("message", (order: ClientOrder) => {
    void obey(order).then((figures) => process.send!(figures));
  });
  process.on("disconnect", () => process.exit(0));
  process.send!("ready");
}
