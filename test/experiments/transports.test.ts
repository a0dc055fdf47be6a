/** A cell in memory and the same over real sockets: same losses, same bytes, same measurement. */
import { describe, expect, it } from "vitest";
import { type Cell, cellsOf, parseExperiment } from "../../experiments/runner/experiment.ts";
import { runMemoryCell } from "../../experiments/runner/memory-cell.ts";
import { type Launch, runProcessCell } from "../../experiments/runner/process-cell.ts";
import type { BareRow } from "../../experiments/runner/rows.ts";
import type { SignalSource } from "../../shared/command/interrupt.ts";
import { run, writeRandomModel } from "../command/helpers.ts";
import { temporaryDirectory } from "../model/helpers.ts";

/** Commands as they are, over real sockets, only not in processes of their own; the end-to-end tests have those. */
const inProcess: Launch = ({ args, onEvent }) => {
  let interrupt: () => void = () => {};
  const signals: SignalSource = {
    on: (_, listener) => {
      interrupt = listener;
    },
    off: () => {},
  };
  let rest = "";
  const result = run(args, {
    signals,
    onStdout: (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const event = JSON.parse(line) as Record<string, unknown>;
        if (event.event !== undefined) onEvent(event);
      }
    },
  }).then((ran) => {
    if (ran.exit !== 0) throw new Error(ran.stderr);
    return ran.json().at(-1)!;
  });
  return {
    result,
    stop: async () => {
      interrupt();
      await result.catch(() => {});
    },
  };
};

const MIXED = `activations: "amaq:8-3@3", gradients: "fixed:3"`;
/** A codec for each transfer, one of them spelled out. */
const EACH = `activations: f32, gradients: f32, codecs: { A1: "amaq:8-3@3", A2: "fixed:4,entropy=predict", G2: { codec: fixed, bits: 3, rounding: nearest }, G1: f16 }`;

async function cellOf(settings: string, codecs = MIXED): Promise<Cell> {
  const model = await writeRandomModel(temporaryDirectory());
  const [cell] = cellsOf(
    await parseExperiment(
      "x.yaml",
      `
name: transports
models: ["${model}"]
seeds: [11]
settings: { steps: 4, rows: 2, length: 16, trainExamples: 40, testTokens: 64, ${settings} }
tasks: [moby-dick]
arms: [{ name: mixed, ${codecs} }]
`,
    ),
  );
  return cell;
}

async function both(cell: Cell): Promise<{ memory: BareRow[]; sockets: BareRow[] }> {
  const memory: BareRow[] = [];
  await runMemoryCell(cell, { onRow: (row) => memory.push(row) });
  const sockets: BareRow[] = [];
  await runProcessCell({ ...cell, transport: "process" }, inProcess, { onRow: (row) => sockets.push(row) });
  return { memory, sockets };
}

const steps = (rows: readonly BareRow[]) => rows.filter((row) => row.row === "step");

/**
 * What must not depend on the transport, step by step. A server with storage sends Commit once that is kept, so the few bytes of it count
 * with the next step; the totals at the end have them all.
 */
function stepOf({ loss, clientLosses, bits, bytes, tokens, gradientNorm }: BareRow & { row: "step" }) {
  const { control: _, websocketFraming: __, ...down } = bytes.down;
  return { loss, clientLosses, bits, up: bytes.up, down, tokens, gradientNorm };
}

describe.each([
  ["sync, two clients", "clients: 2"],
  ["averaged adapters, micro-batches", "clients: 2, microBatches: 2, aggregation: fedavg, averageEvery: 2"],
  ["a vanilla split", "clients: 1, split: vanilla"],
  ["a codec for each transfer", "clients: 2", EACH],
])("in memory and over sockets, %s", (_, settings, codecs?: string) => {
  it("losses, widths, bytes of every kind and the measurement are the same", async () => {
    const { memory, sockets } = await both(await cellOf(settings, codecs));
    expect(steps(memory).length).toBe(4);
    for (const [i, row] of steps(memory).entries()) {
      expect(stepOf(steps(sockets)[i])).toEqual(stepOf(row));
    }
    const [end, other] = [memory, sockets].map((rows) => rows.find((row) => row.row === "end")!);
    expect(other.bytes).toEqual(end.bytes);
    expect([other.totalBytes, other.elements, other.phaseBits]).toEqual([
      end.totalBytes,
      end.elements,
      end.phaseBits,
    ]);
    const [measured, again] = [memory, sockets].map((rows) => rows.find((row) => row.row === "evaluation")!);
    expect(again.metrics).toEqual(measured.metrics);
  }, 180_000);
});

describe("a cell in memory", () => {
  it("measures on the way without changing the run", async () => {
    const cell = await cellOf("clients: 2");
    const plain: BareRow[] = [];
    const measured: BareRow[] = [];
    await runMemoryCell(cell, { onRow: (row) => plain.push(row) });
    await runMemoryCell({ ...cell, evaluateEvery: 2 }, { onRow: (row) => measured.push(row) });
    expect(steps(measured).map(({ loss }) => loss)).toEqual(steps(plain).map(({ loss }) => loss));
    const at = measured.filter((row) => row.row === "evaluation").map(({ step }) => step);
    expect(at).toEqual([0, 2, 4]);
  });

  it("stops when it is told to", async () => {
    const cell = await cellOf("clients: 2");
    const abort = new AbortController();
    const running = runMemoryCell(cell, {
      signal: abort.signal,
      onRow: () => abort.abort(new Error("enough")),
    });
    await expect(running).rejects.toThrow("enough");
  });
});
