/**
 * Splits a forward-and-backward graph into two programs, so that a network round trip can lie between them.
 *
 * The forward program returns its outputs and the *saved* values; the backward program takes those, the cotangents and the
 * same parameters. A value is saved only when recomputing it is dear: what comes out of matrix products, softmax and
 * reductions. Element-wise results, norms, rotations and moved axes are recomputed in the backward program, which
 * reads less memory than saving them would write. With rematerialisation by block, only the values that pass from
 * block to block are saved and all else is computed again (Chen et al., 2016, "Training Deep Nets with Sublinear Memory Cost").
 */
import { type OpKind, type Program, topologicalOrder, type Value } from "./ir.ts";
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
  const forwardSet = new Set(topologicalOrder([...request.forward.values()]));
  const checkpoints = request.checkpoints === undefined ? undefined : new Set(request.checkpoints);
  const keep = (v: Value): boolean =>
    v.inputs.length > 0 && (checkpoints === undefined ? isDear(v) : checkpoints.has(v));

  const saved = new Map<string, Value>();
  const rebuilt = new Map<Value, Value>();
  for (const value of orderStoppingAt([...request.backward.values()], (v) => forwardSet.has(v) && keep(v))) {
    if (forwardSet.has(value) && keep(value)) {
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

/** Dear, or a mere change of shape of something dear (saving either costs the same; the dear one is what is kept). */
function isDear(v: Value): boolean {
  return DEAR.has(v.op.kind);
}

/** Like topologicalOrder, but does not look behind values for which `stop` holds. */
function orderStoppingAt(outputs: readonly Value[], stop: (v: Value) => boolean): Value[] {
  const order: Value[] = [];
  const done = new Set<Value>();
  const stack: { value: Value; next: number }[] = [];
  for (const root of outputs) {
    stack.push({ value: root, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const inputs = stop(top.value) ? [] : top.value.inputs;
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
