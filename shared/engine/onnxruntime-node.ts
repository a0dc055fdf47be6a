/**
 * The default engine: ONNX Runtime's native build for Node, on the CPU.
 *
 * Feeds and results are the caller's own typed arrays: the binding reads and writes them in place, so weights exist
 * once however many programs read them, and nothing large is copied between JavaScript and the runtime.
 */
import * as ort from "onnxruntime-node";
import { fail } from "../errors.ts";
import { type Program, programInputs, type Shape, sizeOf, type Value } from "../graph/ir.ts";
import { lowerToOnnx } from "../graph/onnx.ts";
import type { Engine, Executable, Tensors } from "./engine.ts";

export interface OnnxRuntimeOptions {
  /** Threads of one run; 0 lets the runtime take one per physical core. Default 0. */
  readonly threads?: number;
}

class OnnxExecutable implements Executable {
  readonly #session: ort.InferenceSession;
  readonly #inputs: readonly { name: string; dims: number[]; type: "float32" | "int32"; size: number }[];
  readonly #outputs: readonly { name: string; dims: number[]; size: number }[];
  /** Wrapping an array as a tensor costs more than the lookup, and most feeds are the same arrays every time. */
  readonly #wrapped = new WeakMap<Float32Array | Int32Array, ort.Tensor>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(session: ort.InferenceSession, program: Program) {
    this.#session = session;
    this.#inputs = [...programInputs(program)].map(([name, value]) => ({
      name,
      dims: [...value.shape],
      type: value.dtype === "i32" ? "int32" : "float32",
      size: sizeOf(value.shape),
    }));
    this.#outputs = [...program.outputs].map(([name, value]: [string, Value]) => ({
      name,
      dims: [...value.shape],
      size: sizeOf(value.shape),
    }));
  }

  #tensor(data: Float32Array | Int32Array, type: "float32" | "int32", dims: Shape): ort.Tensor {
    let tensor = this.#wrapped.get(data);
    if (
      tensor === undefined ||
      tensor.dims.length !== dims.length ||
      tensor.dims.some((d, i) => d !== dims[i])
    ) {
      tensor = new ort.Tensor(type, data, dims);
      this.#wrapped.set(data, tensor);
    }
    return tensor;
  }

  async run(feeds: Tensors, into: Tensors = {}): Promise<Record<string, Float32Array>> {
    const inputs: Record<string, ort.Tensor> = {};
    for (const { name, dims, type, size } of this.#inputs) {
      const data = feeds[name];
      if (data === undefined || data.length !== size) {
        fail("NB_GRAPH_SHAPE", `input "${name}" takes ${size} elements; given ${data?.length ?? "nothing"}`);
      }
      inputs[name] = this.#tensor(data, type, dims);
    }
    const fetches: Record<string, ort.Tensor> = {};
    const results: Record<string, Float32Array> = {};
    for (const { name, dims, size } of this.#outputs) {
      const data = into[name] ?? new Float32Array(size);
      if (!(data instanceof Float32Array) || data.length !== size) {
        fail(
          "NB_GRAPH_SHAPE",
          `output "${name}" gives ${size} f32 elements; the array given holds ${data.length}`,
        );
      }
      fetches[name] = this.#tensor(data, "float32", dims);
      results[name] = data;
    }
    const run = this.#last.then(() => this.#session.run(inputs, fetches));
    this.#last = run.catch(() => undefined);
    await run;
    return results;
  }

  async dispose(): Promise<void> {
    await this.#last;
    await this.#session.release();
  }
}

export function createOnnxRuntimeEngine(options: OnnxRuntimeOptions = {}): Engine {
  return {
    name: "onnxruntime",
    async compile(program: Program): Promise<Executable> {
      const session = await ort.InferenceSession.create(lowerToOnnx(program), {
        executionProviders: ["cpu"],
        intraOpNumThreads: options.threads ?? 0,
        graphOptimizationLevel: "all",
        logSeverityLevel: 3,
      });
      return new OnnxExecutable(session, program);
    },
    async dispose(): Promise<void> {},
  };
}
