/**
 * Counts the arithmetic of a program: what a benchmark divides by time.
 */
import { type Program, sizeOf, topologicalOrder } from "./ir.ts";

/** Floating-point operations of all matrix products, 2·M·N·K each; everything else is left out, as is usual. */
export function matmulFlops(program: Program): number {
  let flops = 0;
  for (const value of topologicalOrder([...program.outputs.values()])) {
    if (value.op.kind !== "matmul") continue;
    const a = value.inputs[0].shape;
    const inner = value.op.transA ? a[a.length - 2] : a[a.length - 1];
    flops += 2 * sizeOf(value.shape) * inner;
  }
  return flops;
}
