/**
 * The inner loops of AdamW as a WebAssembly module, four weights at a time: several times faster than the same loops in
 * JavaScript, which has no f32 arithmetic. WebAssembly's f32 is IEEE 754's without fused multiply-add, so
 * every machine computes the same bits.
 *
 * The module is a few dozen instructions and is assembled here, instruction by instruction, so that it needs no build step.
 */

/** The numbers of one step, the same for all weights. `decay` is what a weight is multiplied by before its update. */
export interface AdamWStep {
  readonly beta1: number;
  readonly beta2: number;
  /** Factor on the gradient. */
  readonly gradientScale: number;
  /** Learning rate over the first moment's bias correction. */
  readonly rate: number;
  /** Reciprocal root of the second moment's bias correction. */
  readonly rootCorrection: number;
  readonly epsilon: number;
  readonly decay: number;
}

/** Byte offsets of f32 arrays in the memory, multiples of 16; `count` elements, a multiple of 4. */
interface Exports {
  /**
   * g := gradientScale·g;  m := beta1·m + (1 − beta1)·g;  v := beta2·v + (1 − beta2)·g²;
   * p := decay·p − rate·m / (rootCorrection·√v + epsilon)
   */
  update(
    p: number,
    g: number,
    m: number,
    v: number,
    count: number,
    beta1: number,
    oneMinusBeta1: number,
    beta2: number,
    oneMinusBeta2: number,
    gradientScale: number,
    rate: number,
    rootCorrection: number,
    epsilon: number,
    decay: number,
  ): void;
  /** Σ x², in f64. */
  sumOfSquares(x: number, count: number): number;
}

type Code = readonly number[];

// Opcodes and types of the binary format (WebAssembly 2.0 specification, chapter 5).
const I32 = 0x7f;
const F32 = 0x7d;
const F64 = 0x7c;
const V128 = 0x7b;
const END = 0x0b;
const I32_ADD = 0x6a;
const I32_LT_U = 0x49;
const F64_ADD = 0xa0;

/** Unsigned LEB128. */
function leb(n: number): number[] {
  const bytes: number[] = [];
  do {
    bytes.push((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
    n >>>= 7;
  } while (n > 0);
  return bytes;
}

const simd = (opcode: number, ...rest: number[]): number[] => [0xfd, ...leb(opcode), ...rest];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const i32 = (n: number): number[] => [0x41, n];
/** Alignment 2⁴, no offset. */
const LOAD = simd(0x00, 4, 0);
const STORE = simd(0x0b, 4, 0);
const SPLAT = simd(0x13);
const SQRT = simd(0xe3);
const ADD = simd(0xe4);
const SUB = simd(0xe5);
const MUL = simd(0xe6);
const DIV = simd(0xe7);
const PROMOTE_LOW = simd(0x5f);
const SWAP_HALVES = simd(0x0d, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
const F64X2_ADD = simd(0xf0);
const F64X2_MUL = simd(0xf2);
const f64x2Lane = (lane: number): number[] => simd(0x21, lane);

/** Does `body`, which leaves nothing behind, for offset = 0, 16, … below the end. Locals must start at 0. */
function loop(offset: number, end: number, body: readonly Code[]): number[] {
  const again = [...get(offset), ...i32(16), I32_ADD, ...set(offset), ...get(offset), ...get(end), I32_LT_U];
  const inner = [0x03, 0x40, ...body.flat(), ...again, 0x0d, 0, END];
  return [...get(offset), ...get(end), I32_LT_U, 0x04, 0x40, ...inner, END];
}

/** The address of an array's current four elements. */
const at = (base: number, offset: number): number[] => [...get(base), ...get(offset), I32_ADD];
/** The end of a count of f32, in bytes: count + count, twice. */
const bytesOf = (count: number): number[] => {
  const twice = [...get(count), ...get(count), I32_ADD, ...set(count)];
  return [...twice, ...twice];
};

/** Locals 0–13 are the parameters, in the order of {@link Exports.update}. */
function updateCode(): number[] {
  const [p, g, m, v, count, firstScalar, offset, firstVector] = [0, 1, 2, 3, 4, 5, 14, 15];
  const [beta1, keep1, beta2, keep2, scale, rate, root, epsilon, decay, gs, ms, vs] = Array.from(
    { length: 12 },
    (_, i) => firstVector + i,
  );
  const splats = Array.from({ length: 9 }, (_, i) => [
    ...get(firstScalar + i),
    ...SPLAT,
    ...set(firstVector + i),
  ]);
  const times = (local: number): number[] => [...get(local), ...MUL];
  const body: Code[] = [
    [...at(g, offset), ...LOAD, ...times(scale), ...set(gs)],
    [...at(m, offset), ...LOAD, ...times(beta1), ...get(gs), ...times(keep1), ...ADD, ...set(ms)],
    [
      ...at(v, offset),
      ...LOAD,
      ...times(beta2),
      ...get(gs),
      ...times(keep2),
      ...times(gs),
      ...ADD,
      ...set(vs),
    ],
    [...at(m, offset), ...get(ms), ...STORE],
    [...at(v, offset), ...get(vs), ...STORE],
    [...at(p, offset), ...at(p, offset), ...LOAD, ...times(decay)],
    [...get(ms), ...times(rate), ...get(vs), ...SQRT, ...times(root), ...get(epsilon), ...ADD, ...DIV],
    [...SUB, ...STORE],
  ];
  const locals = [2, 1, I32, 12, V128];
  return [...locals, ...bytesOf(count), ...splats.flat(), ...loop(offset, count, body), END];
}

function sumOfSquaresCode(): number[] {
  const [x, count, offset, low, high, four] = [0, 1, 2, 3, 4, 5];
  /** sum += (the lower two of `four`, as f64)². */
  const addSquares = (sum: number): number[] => {
    const pair = [...get(four), ...PROMOTE_LOW];
    return [...get(sum), ...pair, ...pair, ...F64X2_MUL, ...F64X2_ADD, ...set(sum)];
  };
  const body: Code[] = [
    [...at(x, offset), ...LOAD, ...set(four)],
    addSquares(low),
    [...get(four), ...get(four), ...SWAP_HALVES, ...set(four)],
    addSquares(high),
  ];
  const sum = [...get(low), ...get(high), ...F64X2_ADD, ...set(low)];
  const lanes = [...get(low), ...f64x2Lane(0), ...get(low), ...f64x2Lane(1), F64_ADD];
  const locals = [2, 1, I32, 3, V128];
  return [...locals, ...bytesOf(count), ...loop(offset, count, body), ...sum, ...lanes, END];
}

function assemble(): Uint8Array<ArrayBuffer> {
  const sized = (bytes: Code): number[] => [...leb(bytes.length), ...bytes];
  const section = (id: number, ...items: Code[]): number[] => [id, ...sized([items.length, ...items.flat()])];
  const name = (text: string): number[] => sized([...new TextEncoder().encode(text)]);
  const type = (parameters: Code, results: Code): number[] => [0x60, ...sized(parameters), ...sized(results)];
  const five = new Array<number>(5).fill(I32);
  const nine = new Array<number>(9).fill(F32);
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, type([...five, ...nine], []), type([I32, I32], [F64])),
    // A memory of at least one page.
    ...section(2, [...name("kernel"), ...name("memory"), 0x02, 0x00, 1]),
    ...section(3, [0], [1]),
    ...section(7, [...name("update"), 0x00, 0], [...name("sumOfSquares"), 0x00, 1]),
    ...section(10, sized(updateCode()), sized(sumOfSquaresCode())),
  ]);
}

/** Elements of an array outside the memory that are brought in at a time: few enough to stay in a core's cache. */
const CHUNK = 8192;
const PAGE = 65_536;
/** Where the chunks of weights and gradients stand; what is allocated follows. */
const WEIGHTS = 0;
const GRADIENTS = 4 * CHUNK;
const ALLOCATED = 8 * CHUNK;
/** Arrays that may be allocated for each array of weights: two moments, and two for gradients. */
const ARRAYS_EACH = 4;

/** Largest number of weights for which all arrays fit into one memory of 4 GiB. */
export const MAX_WEIGHTS = 2 ** 28 - 2 * CHUNK;

let compiled: WebAssembly.Module | undefined;

/** The loops and the memory that they work in. Arrays within it are worked on where they are, others are copied in by chunks. */
export class AdamWKernel {
  readonly #exports: Exports;
  readonly #memory: ArrayBuffer;
  readonly #weights: Float32Array;
  readonly #gradients: Float32Array;
  #next = ALLOCATED;

  /** Has room for four arrays for each of `arrays` arrays of `weights` weights in all; what is not used costs nothing. */
  constructor(weights: number, arrays: number) {
    const pages = Math.ceil((ALLOCATED + 4 * ARRAYS_EACH * (weights + 3 * arrays)) / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    compiled ??= new WebAssembly.Module(assemble());
    const instance = new WebAssembly.Instance(compiled, { kernel: { memory } });
    this.#exports = instance.exports as unknown as Exports;
    this.#memory = memory.buffer;
    this.#weights = new Float32Array(memory.buffer, WEIGHTS, CHUNK);
    this.#gradients = new Float32Array(memory.buffer, GRADIENTS, CHUNK);
  }

  /** A zeroed array within the memory. It belongs to the caller. */
  allocate(length: number): Float32Array {
    const array = new Float32Array(this.#memory, this.#next, length);
    this.#next += 4 * padded(length);
    return array;
  }

  /** Σ x², in f64. */
  sumOfSquares(x: Float32Array): number {
    if (this.#holds(x)) return this.#exports.sumOfSquares(x.byteOffset, padded(x.length));
    let sum = 0;
    for (let from = 0; from < x.length; from += CHUNK) {
      const count = this.#load(this.#gradients, x, from);
      sum += this.#exports.sumOfSquares(GRADIENTS, count);
    }
    return sum;
  }

  /** One step of the weights `p` with gradient `g`. The moments `m` and `v` are arrays that were allocated here. */
  update(p: Float32Array, g: Float32Array, m: Float32Array, v: Float32Array, step: AdamWStep): void {
    const { beta1, beta2, gradientScale, rate, rootCorrection, epsilon, decay } = step;
    const inPlace = this.#holds(g);
    for (let from = 0; from < p.length; from += CHUNK) {
      const count = this.#load(this.#weights, p, from);
      if (!inPlace) this.#load(this.#gradients, g, from);
      this.#exports.update(
        WEIGHTS,
        inPlace ? g.byteOffset + 4 * from : GRADIENTS,
        m.byteOffset + 4 * from,
        v.byteOffset + 4 * from,
        count,
        beta1,
        1 - beta1,
        beta2,
        1 - beta2,
        gradientScale,
        rate,
        rootCorrection,
        epsilon,
        decay,
      );
      const left = p.length - from;
      p.set(left < CHUNK ? this.#weights.subarray(0, left) : this.#weights, from);
    }
  }

  #holds(array: Float32Array): boolean {
    return array.buffer === this.#memory;
  }

  /** Copies a chunk from `from` on into the memory and fills it up with zeros; returns its length, a multiple of 4. */
  #load(chunk: Float32Array, source: Float32Array, from: number): number {
    const part = source.subarray(from, from + CHUNK);
    chunk.set(part);
    const count = padded(part.length);
    chunk.fill(0, part.length, count);
    return count;
  }
}

/** The next multiple of 4: allocated arrays have zeros up to there. */
function padded(length: number): number {
  return 4 * Math.ceil(length / 4);
}
