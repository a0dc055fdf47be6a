/**
 * What every executor of the IR offers: compile a program once, run it many times.
 */
import type { Program } from "../graph/ir.ts";

/** Values by name, row-major, of the sizes that the program's inputs and outputs have. */
export type Tensors = Readonly<Record<string, Float32Array | Int32Array>>;

export interface Executable {
  /**
   * Runs the program. `feeds` must hold every input and is only read. Results are written into the arrays of `into` where it has
   * the output's name (and returned as those), else into new arrays, which belong to the caller.
   * One run at a time: a second call waits for the first.
   */
  run(feeds: Tensors, into?: Tensors): Promise<Record<string, Float32Array>>;
  dispose(): Promise<void>;
}

export interface Engine {
  /** As the user asked for it, for reports. */
  readonly name: string;
  compile(program: Program): Promise<Executable>;
  dispose(): Promise<void>;
}
