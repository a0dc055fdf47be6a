/**
 * The codec's WebAssembly SIMD kernels in the process at hand: one module for Node and browsers, embedded in the code, so
 * that nothing is read from disk or network, and the linear memory that a call works in.
 *
 * Kernels are a matter of speed alone. Each equals a plain TypeScript function bit for bit (reference.ts and the modules
 * named there), and where there is no WebAssembly SIMD, or a page's policy forbids to compile it, that function does the
 * work. Decoders hence agree whatever they run on.
 *
 * The module is compiled at the first use, synchronously: it is about 35 kB, which takes a millisecond or two. Some
 * browsers refuse to compile more than a few kB synchronously on a page's main thread (older Chromium; workers may); there
 * the reference is used until {@link loadKernels} has compiled it asynchronously.
 *
 * Memory: a call takes what it needs from an arena that starts anew with every call, and nothing in it outlives the call.
 * Linear memory cannot shrink, so an instance that has grown beyond RETAINED_BYTES is let go after the call.
 */

import { fail } from "../../errors.ts";
import { type KernelExports, WASM_BASE64 } from "./wasm.generated.ts";

const PAGE = 65536;
/** Pointers are aligned to cache lines. */
const ALIGN = 64;
/** Memory that is kept between calls; larger messages pay for fresh pages, about 0.3 ms per MB. */
export const RETAINED_BYTES = 96 * 2 ** 20;
/** Largest arena. Messages that need more are left to the reference. */
export const MAX_ARENA_BYTES = 2 ** 30;

export class Kernels {
  readonly run: KernelExports;
  /** Views of all linear memory; renewed when it grows, so not to be kept over a begin(). */
  u8: Uint8Array;
  f32: Float32Array;
  f64: Float64Array;
  i32: Int32Array;
  private readonly base: number;
  private next: number;
  private end: number;

  constructor(run: KernelExports) {
    this.run = run;
    this.base = align(run.heapBase());
    this.next = this.base;
    this.end = run.memory.buffer.byteLength;
    this.u8 = new Uint8Array(run.memory.buffer);
    this.f32 = new Float32Array(run.memory.buffer);
    this.f64 = new Float64Array(run.memory.buffer);
    this.i32 = new Int32Array(run.memory.buffer);
  }

  /**
   * Starts a call that will take at most `bytes` (sum of {@link room}): what earlier calls took is free again. False,
   * with nothing changed, when there is not so much memory.
   */
  begin(bytes: number): boolean {
    if (bytes > MAX_ARENA_BYTES) return false;
    const missing = this.base + bytes - this.end;
    if (missing > 0) {
      try {
        this.run.memory.grow(Math.ceil(missing / PAGE));
      } catch {
        return false;
      }
      const { buffer } = this.run.memory;
      this.end = buffer.byteLength;
      this.u8 = new Uint8Array(buffer);
      this.f32 = new Float32Array(buffer);
      this.f64 = new Float64Array(buffer);
      this.i32 = new Int32Array(buffer);
    }
    this.next = this.base;
    return true;
  }

  /** A pointer to `bytes` of unspecified content, aligned to 64. They must have been part of what begin() was told. */
  take(bytes: number): number {
    const pointer = this.next;
    this.next += room(bytes);
    if (this.next > this.end) fail("NB_INTERNAL", `a kernel took ${bytes} bytes more than it had announced`);
    return pointer;
  }

  /** Ends a call. Memory that is too large to be kept is let go: the next call gets a fresh instance. */
  finish(): void {
    if (this.end > RETAINED_BYTES && current === this) current = undefined;
  }
}

/** What take(bytes) uses up. */
export function room(bytes: number): number {
  return align(bytes);
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGN) * ALIGN;
}

let compiled: WebAssembly.Module | "unavailable" | undefined;
let current: Kernels | undefined;
let enabled = true;

function binary(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(WASM_BASE64), (character) => character.charCodeAt(0));
}

function compile(): WebAssembly.Module | "unavailable" {
  if (typeof WebAssembly !== "object") return "unavailable";
  try {
    return new WebAssembly.Module(binary());
  } catch {
    // No SIMD, a policy against compiling, or Chromium's limit on the main thread.
    return "unavailable";
  }
}

/** The kernels, or undefined where they cannot run. Not to be kept over calls. */
export function kernels(): Kernels | undefined {
  if (!enabled) return undefined;
  if (current !== undefined) return current;
  compiled ??= compile();
  if (compiled === "unavailable") return undefined;
  const { exports } = new WebAssembly.Instance(compiled, {});
  current = new Kernels(exports as unknown as KernelExports);
  return current;
}

/** Compiles the kernels asynchronously, for pages that may not do so at once. True when there are kernels afterwards. */
export async function loadKernels(): Promise<boolean> {
  if (compiled === undefined || compiled === "unavailable") {
    try {
      compiled = await WebAssembly.compile(binary());
    } catch {
      compiled = "unavailable";
    }
  }
  return compiled !== "unavailable";
}

/** Turns the kernels off, or on again, so that tests and benches can compare them with the reference. */
export function enableKernels(on: boolean): void {
  enabled = on;
}
