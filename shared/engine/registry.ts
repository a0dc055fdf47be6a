/**
 * The engines by the names that users give. Each is loaded when it is asked for and not before, and never
 * stands in for another.
 */
import { fail, NarrowbandError } from "../errors.ts";
import type { Engine } from "./engine.ts";

export const ENGINE_NAMES = ["onnxruntime", "tfjs-cpu", "tfjs-wasm", "tfjs-node"] as const;

export type EngineName = (typeof ENGINE_NAMES)[number];

/** What to say of each in `--help`. */
export const ENGINE_SUMMARIES: Readonly<Record<EngineName, string>> = {
  onnxruntime: "ONNX Runtime's native library; the default and by far the fastest",
  "tfjs-cpu": "TensorFlow.js in plain JavaScript; for checking others",
  "tfjs-wasm": "TensorFlow.js in WebAssembly, one thread",
  "tfjs-node": "TensorFlow's native library, from @tensorflow/tfjs-node, which must be installed",
};

export interface EngineOptions {
  /** Threads of one run, 0 for the engine's own choice. The engines that run on one thread take no notice. */
  readonly threads?: number;
  /** See OnnxRuntimeOptions.spin. */
  readonly spin?: boolean;
  /** See OnnxRuntimeOptions.keepMemory. */
  readonly keepMemory?: boolean;
}

export function isEngineName(name: string): name is EngineName {
  return (ENGINE_NAMES as readonly string[]).includes(name);
}

async function createOnnxRuntime(options: EngineOptions): Promise<Engine> {
  let module: typeof import("./onnxruntime-node.ts");
  try {
    module = await import("./onnxruntime-node.ts");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new NarrowbandError(
      "NB_ENGINE_UNAVAILABLE",
      `onnxruntime: onnxruntime-node cannot be loaded: ${reason}. Its library ships inside the package, for Linux and ` +
        `Windows on x64 and arm64 and macOS on arm64; install it with "npm install onnxruntime-node"`,
      { cause },
    );
  }
  return module.createOnnxRuntimeEngine(options);
}

/**
 * The engine of that name.
 *
 * @throws NB_CONFIG_INVALID for another name, NB_ENGINE_UNAVAILABLE when it cannot be loaded here.
 */
export async function createEngine(name: string, options: EngineOptions = {}): Promise<Engine> {
  if (!isEngineName(name)) {
    fail("NB_CONFIG_INVALID", `engine: "${name}" given; accepted: ${ENGINE_NAMES.join(", ")}`);
  }
  if (name === "onnxruntime") return createOnnxRuntime(options);
  const { createTfjsEngine } = await import("./tfjs.ts");
  const backend = name.slice("tfjs-".length) as "cpu" | "wasm" | "node";
  return createTfjsEngine({ backend, threads: options.threads });
}
