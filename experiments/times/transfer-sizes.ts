/**
 * How many bytes each transfer of a run had, step by step, out of its raw rows: what an entropy coder or falling widths made of them is in
 * there as it was.
 */
import { CATEGORIES, type Category } from "../../shared/ledger/ledger.ts";
import { PHASES, type Phase } from "../../shared/protocol/messages.ts";
import { frameHeaderBytes } from "../../shared/protocol/ws-socket-node.ts";
import type { Cell } from "../runner/experiment.ts";
import type { CellRows, StepRow } from "../runner/rows.ts";

/** Bytes of a micro-batch's message, framing included, in one of its client's steps, counted from 0. */
export type TransferSizes = (step: number, phase: Phase) => number;

type Way = "up" | "down";
const WAYS: Readonly<Record<Way, readonly Phase[]>> = { up: ["A1", "G2"], down: ["A2", "G1"] };

/** A trunk step's bytes in one direction: what the codecs made, and the tensors' headers. */
interface WayBytes {
  readonly codec: number;
  readonly headers: number;
}

function sum(bytes: StepRow["stepBytes"][Way], categories: readonly Category[]): number {
  return categories.reduce((total, category) => total + (bytes[category] ?? 0), 0);
}

function wayBytes({ stepBytes }: StepRow, way: Way): WayBytes {
  const codec = sum(stepBytes[way], ["payload", "scales", "bitTables"]);
  return { codec, headers: stepBytes[way].headers ?? 0 };
}

/** A trunk step of the run, with its own row or, of a published run, with the nearest that was kept. */
interface TrunkStep {
  readonly row: StepRow;
  readonly bytes: Readonly<Record<Way, WayBytes>>;
}

function trunkSteps({ steps, trace }: CellRows, aggregation: Cell["aggregation"]): TrunkStep[] {
  const own = (row: StepRow): TrunkStep => ({
    row,
    bytes: { up: wayBytes(row, "up"), down: wayBytes(row, "down") },
  });
  if (trace === undefined) return steps.map(own);
  return trace.step.map((step, i): TrunkStep => {
    const row = steps.reduce((a, b) => (Math.abs(b.step - step) < Math.abs(a.step - step) ? b : a));
    // Adapters that are averaged pass in some steps only, so a step's total says nothing of its tensors.
    if (row.step === step || aggregation === "fedavg") return own(row);
    const bytes = (way: Way): WayBytes => {
      const { codec, headers } = wayBytes(row, way);
      const besides = sum(row.stepBytes[way], CATEGORIES) - codec;
      const total = trace[way][i] - (i === 0 ? 0 : trace[way][i - 1]);
      return { codec: Math.max(0, total - besides), headers };
    };
    return { row, bytes: { up: bytes("up"), down: bytes("down") } };
  });
}

/**
 * Bytes of a phase's messages in a trunk step, without framing. A direction's bytes belong to two phases, by what the codec of each spent on
 * an element; both have as many elements.
 */
function phaseBytes({ row, bytes }: TrunkStep, phase: Phase, packed: boolean): number {
  const { wireBits, packedWireBits, bits } = row;
  const way: Way = WAYS.up.includes(phase) ? "up" : "down";
  const spent = (name: Phase) => wireBits?.[name] ?? bits[name] ?? 1;
  const share = spent(phase) / WAYS[way].reduce((total, name) => total + spent(name), 0);
  const rate = packed ? (packedWireBits?.[phase] ?? spent(phase)) / spent(phase) : 1;
  const { codec, headers } = bytes[way];
  return rate * share * codec + headers / WAYS[way].length;
}

/**
 * Sizes of a U-shaped run's transfers. Steps after the run's last have the sizes of its last. Of a published run, which has few steps' rows, a step's
 * size is its total without what the nearest row has besides tensors.
 *
 * @param rows with at least one step
 * @param packed as they would be without the codecs' entropy stage
 */
export function transferSizes(
  {
    mode,
    clients,
    microBatches,
    aggregation,
  }: Pick<Cell, "mode" | "clients" | "microBatches" | "aggregation">,
  rows: CellRows,
  packed = false,
): TransferSizes {
  // In a sequential run the trunk steps once for each client's step.
  const perStep = mode === "sequential" ? clients : 1;
  const transfers = mode === "sequential" ? microBatches : clients * microBatches;
  const all = trunkSteps(rows, aggregation);
  const sizes: Record<Phase, number>[] = [];
  for (let from = 0; from < all.length; from += perStep) {
    const steps = all.slice(from, from + perStep);
    const size = (phase: Phase): number => {
      const total = steps.reduce((bytes, step) => bytes + phaseBytes(step, phase, packed), 0);
      const bytes = Math.round(total / (steps.length * transfers));
      return bytes + frameHeaderBytes(bytes, WAYS.up.includes(phase));
    };
    sizes.push({ A1: size("A1"), A2: size("A2"), G2: size("G2"), G1: size("G1") });
  }
  return (step, phase) => sizes[Math.min(step, sizes.length - 1)][phase];
}

/** The mean of the first `steps` steps for every step. */
export function meanSizes(sizes: TransferSizes, steps: number): TransferSizes {
  const means = Object.fromEntries(
    PHASES.map((phase) => {
      let total = 0;
      for (let step = 0; step < steps; step++) total += sizes(step, phase);
      return [phase, Math.round(total / steps)];
    }),
  ) as Record<Phase, number>;
  return (_step, phase) => means[phase];
}
