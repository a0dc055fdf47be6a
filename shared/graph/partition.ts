/**
 * Splits a forward-and-backward graph into two programs, so that a network round trip can lie between them.
 *
 * The forward program returns its outputs and the *saved* values; the backward program takes those, the cotangents and the
 * same parameters. As many values are saved as results are dear to recompute: what comes out of matrix products, softmax
 * and reductions. Where the backward program reads a dear result only through something made of it that is no larger
 * (with its bias, its axes moved, rotated, added to the residual stream), that is saved in its stead. All else,
 * activations and norms above all, is computed again. With rematerialisation by block, only the values that pass from
 * block to block are saved (Chen et al., 2016, "Training Deep Nets with Sublinear Memory Cost").
 */
import { type OpKind, type Program, sizeOf, topologicalOrder, type Value } from "./ir.ts";
import { input } from "./ops.ts";

/** Operators whose result is worth keeping rather than computing twice. */
const DEAR: ReadonlySet<OpKind> = new Set<OpKind>([
  "matmul",
  "softmax",
  "reduceSum",
  "gatherRows",
  "scatterAddRows",
  "crossEntropy",
]);

export interface PartitionRequest {
  /** Results of the forward program. */
  readonly forward: ReadonlyMap<string, Value>;
  /** Results of the backward program, built from forward values and cotangent inputs. */
  readonly backward: ReadonlyMap<string, Value>;
  /** When given, only these (and inputs) may be saved. */
  readonly checkpoints?: readonly Value[];
}

export interface Partition {
  readonly forward: Program;
  readonly backward: Program;
  /** Values that the forward program returns and the backward program takes, by the name they have in both. */
  readonly saved: ReadonlyMap<string, Value>;
}

/** Name prefix of saved values. */
export const SAVED = "saved:";

/** Cuts the two programs apart. */
export function partition(request: PartitionRequest): Partition {
  const forward = new Set(topologicalOrder([...request.forward.values()]));
  const roots = [...request.backward.values()];
  const keep =
    request.checkpoints === undefined
      ? mostUseful(roots, forward)
      : new Set(request.checkpoints.filter((v) => v.inputs.length > 0));

  const saved = new Map<string, Value>();
  const rebuilt = new Map<Value, Value>();
  for (const value of orderStoppingAt(roots, keep)) {
    if (keep.has(value)) {
      const name = `${SAVED}${saved.size}`;
      saved.set(name, value);
      rebuilt.set(value, input(name, value.shape, value.dtype));
    } else if (value.inputs.some((v) => rebuilt.get(v) !== v)) {
      rebuilt.set(value, { ...value, inputs: value.inputs.map((v) => rebuilt.get(v) as Value) });
    } else {
      rebuilt.set(value, value);
    }
  }
  const backward = new Map<string, Value>();
  for (const [name, value] of request.backward) backward.set(name, rebuilt.get(value) as Value);
  return {
    forward: { outputs: new Map([...request.forward, ...saved]) },
    backward: { outputs: backward },
    saved,
  };
}

/** What to save of the forward values for a backward program of these roots: see the head of this file. */
function mostUseful(roots: readonly Value[], forward: ReadonlySet<Value>): Set<Value> {
  let keep = new Set([...forward].filter((v) => DEAR.has(v.op.kind)));
  for (;;) {
    const order = orderStoppingAt(roots, keep);
    const readers = new Map<Value, Value[]>();
    for (const value of order) {
      if (keep.has(value)) continue;
      for (const of of new Set(value.inputs)) readers.set(of, [...(readers.get(of) ?? []), value]);
    }
    const next = new Set<Value>();
    for (const value of order) {
      if (!keep.has(value)) continue;
      const [reader, ...others] = roots.includes(value) ? [] : (readers.get(value) ?? []);
      const stands = reader !== undefined && others.length === 0 && forward.has(reader);
      next.add(stands && sizeOf(reader.shape) <= sizeOf(value.shape) ? reader : value);
    }
    if (next.size === keep.size && [...next].every((v) => keep.has(v))) return keep;
    keep = next;
  }
}

/** Like topologicalOrder, but does not look behind the values of `stop`. */
function orderStoppingAt(outputs: readonly Value[], stop: ReadonlySet<Value>): Value[] {
  const order: Value[] = [];
  const done = new Set<Value>();
  const stack: { value: Value; next: number }[] = [];
  for (const root of outputs) {
    stack.push({ value: root, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const inputs = stop.has(top.value) ? [] : top.value.inputs;
      const next = inputs[top.next++];
      if (next === undefined) {
        stack.pop();
        if (!done.has(top.value)) {
          done.add(top.value);
          order.push(top.value);
        }
      } else if (!done.has(next)) {
        stack.push({ value: next, next: 0 });
      }
    }
  }
  return order;
}
