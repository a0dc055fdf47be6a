/**
 * The default engine: ONNX Runtime's native build for Node, on the CPU.
 *
 * Feeds and results are the caller's own typed arrays: the binding reads and writes them in place, so weights exist
 * once however many programs read them, and nothing large is copied between JavaScript and the runtime.
 */
import * as ort from "onnxruntime-node";
import { type Program, sameShape } from "../graph/ir.ts";
import { lowerToOnnx } from "../graph/onnx.ts";
import { input, neg } from "../graph/ops.ts";
import type { Engine, Executable, Tensors } from "./engine.ts";
import { feedOf, type Port, type Ports, portsOf, RunQueue, resultFor } from "./ports.ts";

export interface OnnxRuntimeOptions {
  /** Threads of one run; 0 lets the runtime take one per physical core. Default 0. */
  readonly threads?: number;
  /**
   * Whether idle threads spin while they wait for the next operator. Faster where the process has the cores to
   * itself, and far slower where it has not, as with a server and clients on one machine. Default false.
   */
  readonly spin?: boolean;
  /**
   * Whether each program keeps the memory that its intermediate results took for its next run. A process with many programs, of several
   * runners and shapes, then holds the sum of what they take, and otherwise the largest. Default true.
   */
  readonly keepMemory?: boolean;
  /**
   * Whether numbers below 2^−126 (f32) become zero. Softmax under a causal mask is full of results below that, and processors
   * that keep them take up to sixty times as long over each. The runtime sets this on its own threads and, with the
   * first program of the process, on the thread that compiles it, whose JavaScript then flushes too: `Number.MIN_VALUE > 0` is
   * false there. Default true.
   */
  readonly flushSubnormals?: boolean;
}

/**
 * A result that the binding cannot hand to JavaScript. After a run the binding (onnxruntime-node 1.30) copies every result into
 * a new array, even one that the run has written into the caller's: up to 0.8 ms for each MB, a sixth of the step of
 * a split model. Before the copies it looks at this one, which comes first, and throws.
 */
const UNCONVERTIBLE = "%end";

/** What the binding says when it meets that result. Asked of the binding itself, once a process. */
let objection: Promise<string | undefined> | undefined;

/**
 * Finds the words with which a run ends that has an unconvertible result, by a run that is known to be good; undefined when
 * such a run does not end so, and the results have to be left to the binding.
 */
async function findObjection(options: ort.InferenceSession.SessionOptions): Promise<string | undefined> {
  const x = input("x", [2]);
  const model = lowerToOnnx({ outputs: new Map([["y", neg(x)]]) }, { emptySequence: UNCONVERTIBLE });
  const session = await ort.InferenceSession.create(model, options);
  const y = new ort.Tensor("float32", new Float32Array(2), [2]);
  try {
    await session.run(
      { x: new ort.Tensor("float32", Float32Array.of(1, 2), [2]) },
      { [UNCONVERTIBLE]: null, y },
    );
    return undefined;
  } catch (error) {
    const written = y.data[0] === -1 && y.data[1] === -2;
    return written && error instanceof Error ? error.message : undefined;
  } finally {
    await session.release();
  }
}

class OnnxExecutable implements Executable {
  readonly #session: ort.InferenceSession;
  readonly #ports: Ports;
  readonly #objection: string | undefined;
  /** Wrapping an array as a tensor costs more than the lookup, and most feeds are the same arrays every time. */
  readonly #wrapped = new WeakMap<Float32Array | Int32Array, ort.Tensor>();
  readonly #queue = new RunQueue();

  constructor(session: ort.InferenceSession, ports: Ports, objection: string | undefined) {
    this.#session = session;
    this.#ports = ports;
    this.#objection = objection;
  }

  #tensor(data: Float32Array | Int32Array, { dtype, shape }: Port): ort.Tensor {
    let tensor = this.#wrapped.get(data);
    if (tensor === undefined || !sameShape(tensor.dims, shape)) {
      tensor = new ort.Tensor(dtype === "i32" ? "int32" : "float32", data, shape);
      this.#wrapped.set(data, tensor);
    }
    return tensor;
  }

  async run(feeds: Tensors, into: Tensors = {}): Promise<Record<string, Float32Array>> {
    const inputs: Record<string, ort.Tensor> = {};
    for (const port of this.#ports.inputs) inputs[port.name] = this.#tensor(feedOf(feeds, port), port);
    const fetches: Record<string, ort.Tensor | null> = {};
    if (this.#objection !== undefined) fetches[UNCONVERTIBLE] = null;
    const results: Record<string, Float32Array> = {};
    for (const port of this.#ports.outputs) {
      results[port.name] = resultFor(into, port);
      fetches[port.name] = this.#tensor(results[port.name], port);
    }
    await this.#queue.run(async () => {
      try {
        await this.#session.run(inputs, fetches);
      } catch (error) {
        if (!(error instanceof Error && error.message === this.#objection)) throw error;
      }
    });
    return results;
  }

  async dispose(): Promise<void> {
    await this.#queue.idle();
    await this.#session.release();
  }
}

export function createOnnxRuntimeEngine(options: OnnxRuntimeOptions = {}): Engine {
  const sessionOptions: ort.InferenceSession.SessionOptions = {
    executionProviders: ["cpu"],
    intraOpNumThreads: options.threads ?? 0,
    graphOptimizationLevel: "all",
    enableCpuMemArena: options.keepMemory !== false,
    logSeverityLevel: 3,
    extra: {
      session: {
        set_denormal_as_zero: options.flushSubnormals === false ? "0" : "1",
        // Between runs no thread spins, or those of one program would keep the next from its cores.
        force_spinning_stop: "1",
        intra_op: { allow_spinning: options.spin === true ? "1" : "0" },
      },
    },
  };
  return {
    name: "onnxruntime",
    async compile(program: Program): Promise<Executable> {
      const ports = portsOf(program);
      objection ??= findObjection(sessionOptions);
      const known = await objection;
      const model = lowerToOnnx(program, known === undefined ? {} : { emptySequence: UNCONVERTIBLE });
      return new OnnxExecutable(await ort.InferenceSession.create(model, sessionOptions), ports, known);
    },
    async dispose(): Promise<void> {},
  };
}
