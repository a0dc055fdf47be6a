/**
 * Block Hadamard rotation over channels: an orthogonal change of basis that spreads a channel which stands out over
 * its block, so that every channel of the block is about as wide (Ashkboos et al., "QuaRot", arXiv:2404.00456, do so
 * to weights and activations; TAH-Quant, arXiv:2506.01352, to tiles of activations).
 *
 *   y = H · (d ∘ x) / √B     and back     x = d ∘ (H · y) / √B
 *
 * for each block of B channels of a token: H is Sylvester's Hadamard matrix of ±1, d has a sign for each channel. H is
 * symmetric and H·H = B·1, so the second undoes the first; the gradient through it is its transpose, which is the inverse.
 *
 * Both ends must agree bit for bit, so the arithmetic is fixed. All values are f32, and every operation rounds to
 * nearest, ties to even: signs; then for h = 1, 2, 4, …, B/2 in turn, each pair (a, b) whose indices in the block differ
 * in bit h becomes (a + b, a − b); then one multiplication by the f32 nearest to 1/√B. A sum never meets a product
 * in one operation, so fused multiply-add cannot differ, and the pairs of one h may be done in any order.
 *
 * Blocks begin at multiples of B. Channels that do not fill a block are split into blocks of the largest powers of two
 * that fit, in descending order. d_c is −1 where bit 31 of mix32(c · 2^32/φ) is set (random.ts): the same in every job.
 */

import { mix32 } from "../random.ts";

const GOLDEN = 0x9e3779b9;

interface Block {
  readonly start: number;
  readonly size: number;
  readonly scale: number;
}

export class Rotation {
  private readonly channels: number;
  private readonly blocks: readonly Block[];
  private readonly signs: Float32Array;

  /** `block`: a power of two. */
  constructor(channels: number, block: number) {
    this.channels = channels;
    const blocks: Block[] = [];
    for (let start = 0, size = block; start < channels; ) {
      while (size > channels - start) size /= 2;
      blocks.push({ start, size, scale: Math.fround(1 / Math.sqrt(size)) });
      start += size;
    }
    this.blocks = blocks;
    this.signs = Float32Array.from({ length: channels }, (_, c) =>
      mix32(Math.imul(c, GOLDEN)) < 0 ? -1 : 1,
    );
  }

  /** Rotates tensor [tokens, channels] in place. */
  forward(tensor: Float32Array): void {
    for (let row = 0; row < tensor.length; row += this.channels) {
      this.flip(tensor, row);
      this.butterflies(tensor, row);
    }
  }

  /** Undoes forward(), but for rounding, in place. */
  inverse(tensor: Float32Array): void {
    for (let row = 0; row < tensor.length; row += this.channels) {
      this.butterflies(tensor, row);
      this.flip(tensor, row);
    }
  }

  private flip(tensor: Float32Array, row: number): void {
    const { channels, signs } = this;
    for (let c = 0; c < channels; c++) tensor[row + c] = tensor[row + c]! * signs[c]!;
  }

  /** Sums and differences are stored into f32 before they are used again, which rounds them. */
  private butterflies(tensor: Float32Array, row: number): void {
    for (const { start, size, scale } of this.blocks) {
      const from = row + start;
      const to = from + size;
      for (let h = 1; h < size; h *= 2) {
        for (let pair = from; pair < to; pair += 2 * h) {
          for (let i = pair; i < pair + h; i++) {
            const a = tensor[i]!;
            const b = tensor[i + h]!;
            tensor[i] = a + b;
            tensor[i + h] = a - b;
          }
        }
      }
      for (let i = from; i < to; i++) tensor[i] = tensor[i]! * scale;
    }
  }
}

/** Largest block, channels. */
export const MAX_BLOCK = 256;

/**
 * Bound on the magnitude of a level in a rotated stream: sums of MAX_BLOCK such values are finite, so that no body
 * decodes to infinity. A receiver refuses levels beyond it.
 */
export const MAX_ROTATED_LEVEL = 2 ** 119;

/** A sender clips values to this: √MAX_BLOCK of them in one coefficient, and rounding up, stay below MAX_ROTATED_LEVEL. */
export const MAX_ROTATED_VALUE = 2 ** 114;
