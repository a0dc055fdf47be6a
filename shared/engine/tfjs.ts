/**
 * The second executor: interprets a program on TensorFlow.js, operator by operator.
 *
 * It exists to check the first, to run where ONNX Runtime does not, and to run on @tensorflow/tfjs-node. It is
 * slower: weights are handed to the backend at every run, and nothing is fused.
 */
import * as tf from "@tensorflow/tfjs-core";
import { fail, NarrowbandError } from "../errors.ts";
import { type Program, topologicalOrder, type Value } from "../graph/ir.ts";
import type { Engine, Executable, Tensors } from "./engine.ts";
import { feedOf, type Port, type Ports, portsOf, RunQueue, resultFor } from "./ports.ts";
import { evaluate, type TfjsKernels } from "./tfjs-ops.ts";

export type TfjsBackend = "cpu" | "wasm" | "node";

export interface TfjsOptions {
  readonly backend: TfjsBackend;
  /** Threads of one operator, 0 for the backend's own choice. Heeded by wasm in browsers and by node, at first use. */
  readonly threads?: number;
  /** Where a browser finds the .wasm files of @tensorflow/tfjs-backend-wasm; Node knows. */
  readonly wasmPath?: string;
}

/** After so many milliseconds of computing, other work of the process (heartbeats, a page's events) gets its turn. */
const TURN_MS = 50;

/** One operator of a program, with everything by its place in an array of live tensors. */
interface Step {
  readonly value: Value;
  readonly inputs: readonly number[];
  /** Places whose tensor is not needed after this step. */
  readonly releases: readonly number[];
}

/** The steps of a program in order of computation; step i fills place i. Outputs and constants are never released. */
function planSteps(program: Program): Step[] {
  const order = topologicalOrder([...program.outputs.values()]);
  const place = new Map(order.map((value, i) => [value, i]));
  const lastUse = new Map<Value, number>();
  order.forEach((value, i) => {
    for (const input of value.inputs) lastUse.set(input, i);
  });
  const kept = new Set<Value>(program.outputs.values());
  const releases: number[][] = order.map(() => []);
  for (const [value, at] of lastUse) {
    if (!kept.has(value) && value.op.kind !== "constant") releases[at].push(place.get(value) as number);
  }
  return order.map((value, i) => ({
    value,
    inputs: value.inputs.map((input) => place.get(input) as number),
    releases: releases[i],
  }));
}

function toTensor(
  data: Float32Array | Int32Array,
  { shape, dtype }: Pick<Port, "shape" | "dtype">,
): tf.Tensor {
  return tf.tensor(data, [...shape], dtype === "i32" ? "int32" : "float32");
}

class TfjsExecutable implements Executable {
  readonly #steps: readonly Step[];
  readonly #outputs: ReadonlyMap<string, number>;
  readonly #ports: Ports;
  readonly #selectBackend: () => void;
  readonly #kernels: TfjsKernels;
  /** By place; handed to the backend once. */
  readonly #constants = new Map<number, tf.Tensor>();
  readonly #queue = new RunQueue();

  constructor(program: Program, ports: Ports, selectBackend: () => void, kernels: TfjsKernels) {
    this.#ports = ports;
    this.#selectBackend = selectBackend;
    this.#kernels = kernels;
    this.#steps = planSteps(program);
    const place = new Map(this.#steps.map(({ value }, i) => [value, i]));
    this.#outputs = new Map([...program.outputs].map(([name, v]) => [name, place.get(v) as number]));
    selectBackend();
    this.#steps.forEach(({ value }, i) => {
      // A copy: the cpu backend keeps the array that it is given.
      if (value.op.kind === "constant") this.#constants.set(i, toTensor(value.op.data.slice(), value));
    });
  }

  async run(feeds: Tensors, into: Tensors = {}): Promise<Record<string, Float32Array>> {
    const given = new Map(this.#ports.inputs.map((port) => [port.name, feedOf(feeds, port)]));
    const results = new Map(this.#ports.outputs.map((port) => [port.name, resultFor(into, port)]));
    await this.#queue.run(() => this.#interpret(given, results));
    return Object.fromEntries(results);
  }

  async #interpret(
    feeds: ReadonlyMap<string, Float32Array | Int32Array>,
    results: ReadonlyMap<string, Float32Array>,
  ): Promise<void> {
    const live = new Map<number, tf.Tensor>();
    const at = (place: number): tf.Tensor =>
      live.get(place) ?? this.#constants.get(place) ?? fail("NB_INTERNAL", `tensor ${place} was freed early`);
    try {
      this.#selectBackend();
      let turnBegan = performance.now();
      for (const [i, { value, inputs, releases }] of this.#steps.entries()) {
        if (performance.now() - turnBegan > TURN_MS) {
          await new Promise((resolve) => setTimeout(resolve, 0));
          this.#selectBackend();
          turnBegan = performance.now();
        }
        if (value.op.kind === "constant") continue;
        if (value.op.kind === "input") {
          live.set(i, toTensor(feeds.get(value.op.name) as Float32Array, value));
        } else {
          live.set(
            i,
            tf.tidy(() => evaluate(value, inputs.map(at), this.#kernels)),
          );
        }
        for (const place of releases) {
          live.get(place)?.dispose();
          live.delete(place);
        }
      }
      for (const [name, place] of this.#outputs) results.get(name)?.set(at(place).dataSync<"float32">());
    } finally {
      for (const tensor of live.values()) tensor.dispose();
    }
  }

  async dispose(): Promise<void> {
    await this.#queue.idle();
    for (const tensor of this.#constants.values()) tensor.dispose();
    this.#constants.clear();
  }
}

/** Registers the backend's kernels with TensorFlow.js and returns its name there. */
async function loadBackend({ backend, threads = 0, wasmPath }: TfjsOptions): Promise<string> {
  switch (backend) {
    case "cpu":
      await import("@tensorflow/tfjs-backend-cpu");
      return "cpu";
    case "wasm": {
      const wasm = await import("@tensorflow/tfjs-backend-wasm");
      if (threads > 0) wasm.setThreadsCount(threads);
      if (wasmPath !== undefined) wasm.setWasmPaths(wasmPath);
      return "wasm";
    }
    case "node": {
      const { loadTfjsNode, TFJS_NODE_BACKEND } = await import("./tfjs-node.ts");
      await loadTfjsNode(threads);
      return TFJS_NODE_BACKEND;
    }
  }
}

/**
 * An engine on the backend asked for, and on no other. TensorFlow.js has one current backend per process, which every
 * engine made here selects before it computes, so several may be used side by side.
 *
 * @throws NB_ENGINE_UNAVAILABLE when the backend cannot be loaded or does not start.
 */
export async function createTfjsEngine(options: TfjsOptions): Promise<Engine> {
  const name = `tfjs-${options.backend}`;
  // Otherwise the backends for Node advertise another at first use.
  tf.env().set("PROD", true);
  let backend: string;
  try {
    backend = await loadBackend(options);
    if (!(await tf.setBackend(backend))) throw new Error(`backend "${backend}" did not start`);
  } catch (cause) {
    if (cause instanceof NarrowbandError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NarrowbandError("NB_ENGINE_UNAVAILABLE", `${name}: ${reason}`, { cause });
  }
  const selectBackend = (): void => {
    // Takes effect at once for a backend that has been started before; the promise is for those that have not.
    if (tf.getBackend() !== backend) void tf.setBackend(backend);
  };
  const kernels: TfjsKernels = { slowTransposedMatmul: options.backend === "wasm" };
  return {
    name,
    async compile(program: Program): Promise<Executable> {
      return new TfjsExecutable(program, portsOf(program), selectBackend, kernels);
    },
    async dispose(): Promise<void> {},
  };
}
