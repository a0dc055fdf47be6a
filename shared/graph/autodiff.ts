/**
 * Symbolic reverse-mode differentiation (Griewank and Walther, 2008, ch. 3): given outputs with their cotangents,
 * values for the gradients with respect to chosen values. The result is IR again.
 */
import { fail } from "../errors.ts";
import { sameShape, showShape, topologicalOrder, type Value } from "./ir.ts";
import { add } from "./ops.ts";
import { vjp } from "./vjp.ts";

export interface Seed {
  readonly output: Value;
  /** dL/d(output), of the output's shape. */
  readonly cotangent: Value;
}

/**
 * Gradients of Σ ⟨output, cotangent⟩ with respect to `wrt`, in that order; undefined for a value on which no output
 * depends. Only values on a path from `wrt` to an output are differentiated, so frozen weights cost nothing.
 */
export function gradients(seeds: readonly Seed[], wrt: readonly Value[]): (Value | undefined)[] {
  const order = topologicalOrder(seeds.map((s) => s.output));

  const active = new Set<Value>(wrt);
  for (const value of order) {
    if (value.inputs.some((v) => active.has(v))) active.add(value);
  }

  const cotangents = new Map<Value, Value>();
  const accumulate = (value: Value, g: Value): void => {
    const known = cotangents.get(value);
    cotangents.set(value, known === undefined ? g : add(known, g));
  };
  for (const { output, cotangent } of seeds) {
    if (!sameShape(output.shape, cotangent.shape)) {
      const shapes = `${showShape(cotangent.shape)} for an output ${showShape(output.shape)}`;
      fail("NB_GRAPH_SHAPE", `a cotangent has another shape than its output: ${shapes}`);
    }
    accumulate(output, cotangent);
  }

  for (let i = order.length - 1; i >= 0; i--) {
    const value = order[i];
    const g = cotangents.get(value);
    if (g === undefined || !active.has(value) || value.inputs.length === 0) continue;
    const wants = (k: number): boolean => active.has(value.inputs[k]);
    const parts = vjp(value, g, wants);
    value.inputs.forEach((v, k) => {
      const part = parts[k];
      if (part !== undefined && active.has(v)) accumulate(v, part);
    });
  }
  return wrt.map((v) => cotangents.get(v));
}
