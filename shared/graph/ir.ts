/**
 * The tensor IR: a graph of values, each made by one operator from other values, with static shapes.
 *
 * A graph has no container: a value knows its operator and its inputs, and a program is simply the set of values
 * that one wants computed. Values never change, so forward and backward share whatever they have in
 * common, and a rule of differentiation is a function from values to values (see vjp.ts).
 *
 * Shapes are concrete numbers. A model is built anew for each shape bucket, which lets the executor plan memory once.
 */
import { fail } from "../errors.ts";

export type DType = "f32" | "i32";
export type Shape = readonly number[];

export type UnaryFn =
  | "neg"
  | "exp"
  | "log"
  | "sqrt"
  | "reciprocal"
  | "tanh"
  | "sigmoid"
  | "erf"
  | "silu"
  | "geluTanh";
export type BinaryFn = "add" | "sub" | "mul" | "div";

/** What a value was made by. Attributes only: the operands are the value's inputs. */
export type Op =
  /** A tensor the caller feeds under this name: weights, adapters, activations, token ids. */
  | { readonly kind: "input"; readonly name: string }
  /** A small literal. `data` must not be changed afterwards. */
  | { readonly kind: "constant"; readonly data: Float32Array | Int32Array }
  | { readonly kind: "unary"; readonly fn: UnaryFn }
  /** Operands broadcast as in NumPy. */
  | { readonly kind: "binary"; readonly fn: BinaryFn }
  /** alpha · op(a) · op(b) over the last two axes; leading axes are equal. */
  | { readonly kind: "matmul"; readonly transA: boolean; readonly transB: boolean; readonly alpha: number }
  /** Reduction that keeps the reduced axes with length 1. */
  | { readonly kind: "reduceSum"; readonly axes: readonly number[] }
  | { readonly kind: "reshape" }
  | { readonly kind: "transpose"; readonly perm: readonly number[] }
  | { readonly kind: "broadcast" }
  | { readonly kind: "slice"; readonly axis: number; readonly start: number; readonly end: number }
  | { readonly kind: "concat"; readonly axis: number }
  /** table [R, C], indices i32 [N] → [N, C]. */
  | { readonly kind: "gatherRows" }
  /** indices i32 [N], updates [N, C] → [rows, C], equal indices added. */
  | { readonly kind: "scatterAddRows"; readonly rows: number }
  /** Over the last axis. */
  | { readonly kind: "softmax" }
  /** x · rsqrt(mean(x²) + eps) · w over the last axis (Zhang and Sennrich, 2019). */
  | { readonly kind: "rmsNorm"; readonly eps: number }
  /** (x − mean) · rsqrt(var + eps) · w + b over the last axis (Ba et al., 2016). */
  | { readonly kind: "layerNorm"; readonly eps: number }
  /** x [B, H, S, D], cos and sin [S, D/2]: rotary embedding, halves rotated (Su et al., 2021; the Hugging Face layout). */
  | { readonly kind: "rope" }
  /** logits [N, V], labels i32 [N] → −log softmax(logits)[label], 0 where the label is negative. */
  | { readonly kind: "crossEntropy" }
  /** logits [N, V], labels i32 [N], g [N] → (softmax(logits) − onehot(label)) · g, 0 where the label is negative. */
  | { readonly kind: "crossEntropyGrad" };

export type OpKind = Op["kind"];

export interface Value {
  readonly op: Op;
  readonly inputs: readonly Value[];
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Shape of a NumPy-style broadcast of the two; NB_GRAPH_SHAPE when there is none. */
export function broadcastShape(a: Shape, b: Shape, what: string): Shape {
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let i = 0; i < rank; i++) {
    const da = a[i - rank + a.length] ?? 1;
    const db = b[i - rank + b.length] ?? 1;
    if (da !== db && da !== 1 && db !== 1) {
      fail("NB_GRAPH_SHAPE", `${what}: shapes ${showShape(a)} and ${showShape(b)} do not broadcast`);
    }
    out.push(Math.max(da, db));
  }
  return out;
}

/** All values that `outputs` depend on, themselves included, every value after its inputs. */
export function topologicalOrder(outputs: readonly Value[]): Value[] {
  const order: Value[] = [];
  const done = new Set<Value>();
  const stack: { value: Value; next: number }[] = [];
  for (const root of outputs) {
    if (done.has(root)) continue;
    stack.push({ value: root, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const input = top.value.inputs[top.next++];
      if (input === undefined) {
        stack.pop();
        if (!done.has(top.value)) {
          done.add(top.value);
          order.push(top.value);
        }
      } else if (!done.has(input)) {
        stack.push({ value: input, next: 0 });
      }
    }
  }
  return order;
}

/** A set of named outputs, ready to be lowered or interpreted. */
export interface Program {
  readonly outputs: ReadonlyMap<string, Value>;
}

/** The inputs that a program reads, by name. Two different inputs of one name are a mistake of the builder. */
export function programInputs(program: Program): Map<string, Value> {
  const inputs = new Map<string, Value>();
  for (const value of topologicalOrder([...program.outputs.values()])) {
    if (value.op.kind !== "input") continue;
    const known = inputs.get(value.op.name);
    if (known !== undefined && known !== value) {
      fail("NB_GRAPH_SHAPE", `two inputs are both named "${value.op.name}"`);
    }
    inputs.set(value.op.name, value);
  }
  return inputs;
}
