/** Checks of what a caller hands to a codec. A tensor of the wrong size is a mistake of the program, not of a peer. */

import { fail } from "../errors.ts";

/** Throws NB_INTERNAL unless `tensor` has the size of [tokens, channels]. */
export function requireShape(tensor: Float32Array, tokens: number, channels: number): void {
  if (!Number.isInteger(tokens) || tokens < 0 || tensor.length !== tokens * channels) {
    fail("NB_INTERNAL", `a tensor of ${tensor.length} values was given as [${tokens}, ${channels}]`);
  }
}
