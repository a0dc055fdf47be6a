/**
 * How many bytes each transfer of a run had, step by step, out of its raw rows: what an entropy coder or falling widths made of them is in
 * there as it was.
 */
import { PHASES, type Phase } from "../../shared/protocol/messages.ts";
import { frameHeaderBytes } from "../../shared/protocol/ws-socket-node.ts";
import type { Cell } from "../runner/experiment.ts";
import type { StepRow } from "../runner/rows.ts";

/** Bytes of a micro-batch's message, framing included, in one of its client's steps, counted from 0. */
export type TransferSizes = (step: number, phase: Phase) => number;

const UP: readonly Phase[] = ["A1", "G2"];
const DOWN: readonly Phase[] = ["A2", "G1"];

/** Bytes of the phase's messages in all of these rows together, without framing. */
function bytesOf(rows: readonly StepRow[], phase: Phase): number {
  const up = UP.includes(phase);
  const phases = up ? UP : DOWN;
  return rows.reduce((sum, { stepBytes, wireBits, bits }) => {
    const { payload = 0, scales = 0, bitTables = 0, headers = 0 } = stepBytes[up ? "up" : "down"];
    // A direction's bytes belong to two phases, by what the codec of each spent on an element; both have as many elements.
    const spent = phases.map((name) => wireBits?.[name] ?? bits[name] ?? 1);
    const share = (wireBits?.[phase] ?? bits[phase] ?? 1) / spent.reduce((a, b) => a + b, 0);
    return sum + share * (payload + scales + bitTables) + headers / phases.length;
  }, 0);
}

/**
 * Sizes of a U-shaped run's transfers. Steps after the run's last have the sizes of its last.
 *
 * @param steps the run's rows of steps; at least one
 */
export function transferSizes(
  { mode, clients, microBatches }: Pick<Cell, "mode" | "clients" | "microBatches">,
  steps: readonly StepRow[],
): TransferSizes {
  // In a sequential run the trunk steps once for each client's step.
  const perStep = mode === "sequential" ? clients : 1;
  const transfersPerRow = mode === "sequential" ? microBatches : clients * microBatches;
  const sizes: Record<Phase, number>[] = [];
  for (let from = 0; from < steps.length; from += perStep) {
    const rows = steps.slice(from, from + perStep);
    const size = (phase: Phase): number => {
      const bytes = Math.round(bytesOf(rows, phase) / (rows.length * transfersPerRow));
      return bytes + frameHeaderBytes(bytes, UP.includes(phase));
    };
    sizes.push({ A1: size("A1"), A2: size("A2"), G2: size("G2"), G1: size("G1") });
  }
  return (step, phase) => sizes[Math.min(step, sizes.length - 1)][phase];
}

/** The mean of the first `steps` steps for every step. */
export function meanSizes(sizes: TransferSizes, steps: number): TransferSizes {
  const means = Object.fromEntries(
    PHASES.map((phase) => {
      let sum = 0;
      for (let step = 0; step < steps; step++) sum += sizes(step, phase);
      return [phase, Math.round(sum / steps)];
    }),
  ) as Record<Phase, number>;
  return (_step, phase) => means[phase];
}
