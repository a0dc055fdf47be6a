/** Captures as files (Node only). */

import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fail, NarrowbandError } from "../errors.ts";
import { makeDirectory, writeFileAtomically } from "../output-node.ts";
import { type Capture, decodeCapture, encodeCapture, MAX_CAPTURE_BYTES } from "./capture.ts";

/**
 * Writes a capture, either whole or not at all; the directory is made when missing. Returns its bytes.
 *
 * @throws NB_FILE_UNREADABLE when it cannot be written.
 */
export async function writeCapture(
  path: string,
  capture: Capture,
  values: "f32" | "f16" = "f32",
): Promise<number> {
  const bytes = await encodeCapture(capture, values);
  makeDirectory(dirname(path));
  await writeFileAtomically(path, [bytes]);
  return bytes.length;
}

/** Reads a capture. NB_FILE_UNREADABLE, or NB_DATA_INVALID when the file is not one. */
export async function readCapture(path: string): Promise<Capture> {
  let bytes: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size > MAX_CAPTURE_BYTES) {
      fail("NB_DATA_INVALID", `${path}: ${size} bytes; captures of at most ${MAX_CAPTURE_BYTES} are read`);
    }
    bytes = await readFile(path);
  } catch (cause) {
    if (cause instanceof NarrowbandError) throw cause;
    throw new NarrowbandError("NB_FILE_UNREADABLE", `cannot read ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
  try {
    return await decodeCapture(bytes);
  } catch (error) {
    if (error instanceof NarrowbandError) throw new NarrowbandError(error.code, `${path}: ${error.message}`);
    throw error;
  }
}
