/**
 * What every executor does alike around a run: knows the arrays that a program takes and gives, checks those it is
 * handed, and runs one at a time.
 */
import { fail } from "../errors.ts";
import { type DType, type Program, programInputs, sizeOf, type Value } from "../graph/ir.ts";
import type { Tensors } from "./engine.ts";

/** One input or output of a program. */
export interface Port {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Number of elements. */
  readonly size: number;
}

export interface Ports {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** The inputs and outputs of a program. NB_GRAPH_SHAPE when an output is not f32, or has the name of an input. */
export function portsOf(program: Program): Ports {
  const port = ([name, value]: [string, Value]): Port => ({
    name,
    shape: value.shape,
    dtype: value.dtype,
    size: sizeOf(value.shape),
  });
  const inputs = programInputs(program);
  const outputs = [...program.outputs].map(port);
  for (const { name, dtype } of outputs) {
    if (dtype !== "f32") fail("NB_GRAPH_SHAPE", `output "${name}" is ${dtype}; programs give f32`);
    if (inputs.has(name)) fail("NB_GRAPH_SHAPE", `output "${name}" has the name of an input`);
  }
  return { inputs: [...inputs].map(port), outputs };
}

/** The array fed to an input. NB_GRAPH_SHAPE when it is missing or of another type or size. */
export function feedOf(feeds: Tensors, { name, dtype, size }: Port): Float32Array | Int32Array {
  const data = feeds[name];
  const fits = dtype === "f32" ? data instanceof Float32Array : data instanceof Int32Array;
  if (!fits || data.length !== size) {
    const given = data === undefined ? "nothing" : `a ${data.constructor.name} of ${data.length}`;
    fail("NB_GRAPH_SHAPE", `input "${name}" takes ${size} elements of ${dtype}; given ${given}`);
  }
  return data;
}

/** The array that an output is written to: the caller's, or a new one. NB_GRAPH_SHAPE when the caller's does not fit. */
export function resultFor(into: Tensors, { name, size }: Port): Float32Array {
  const data = into[name];
  if (data === undefined) return new Float32Array(size);
  if (!(data instanceof Float32Array) || data.length !== size) {
    const given = `a ${data.constructor.name} of ${data.length}`;
    fail("NB_GRAPH_SHAPE", `output "${name}" gives ${size} elements of f32; the array for it is ${given}`);
  }
  return data;
}

/** Runs asynchronous work in the order in which it was handed in, one piece at a time. */
export class RunQueue {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Settles when all work handed in so far is done; never rejects. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
