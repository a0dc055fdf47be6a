/**
 * Loads @tensorflow/tfjs-node, TensorFlow's native library under TensorFlow.js: an optional peer dependency, which is
 * looked for only when its engine is asked for by name. docs/engines.md tells what was seen to work.
 */
import util from "node:util";
import { NarrowbandError } from "../errors.ts";

/** The package is not named in the import itself, so that compilers and bundlers do without it. */
const PACKAGE: string = "@tensorflow/tfjs-node";

/** The name under which the package registers its backend with TensorFlow.js. */
export const TFJS_NODE_BACKEND = "tensorflow";

/**
 * Loads the package, which registers its backend. `threads` of one operator, 0 for the library's own choice; heeded by the
 * first load of a process only.
 *
 * @throws NB_ENGINE_UNAVAILABLE with the reason and the way to install it.
 */
export async function loadTfjsNode(threads: number): Promise<void> {
  // tfjs-node 4.22 calls util.isNullOrUndefined, which Node 23 removed.
  const legacy = util as { isNullOrUndefined?: (x: unknown) => boolean };
  legacy.isNullOrUndefined ??= (x) => x === null || x === undefined;
  if (threads > 0) process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  // Without this the library greets on standard error.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  try {
    await import(PACKAGE);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new NarrowbandError(
      "NB_ENGINE_UNAVAILABLE",
      `tfjs-node: ${PACKAGE} cannot be loaded: ${reason}. Install it with "npm install --ignore-scripts=false ${PACKAGE}@4.22.0", which ` +
        "downloads TensorFlow's library from storage.googleapis.com; docs/engines.md says how to build it where that cannot be reached",
      { cause },
    );
  }
}
