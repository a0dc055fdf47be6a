/**
 * Segments small enough to follow by hand, for tests of what happens around them: every segment scales its channels by one
 * trainable vector, the bottom looks up a fixed embedding, and the loss is half the squared distance to a target that the label
 * gives. Gradients are exact, the optimizer is plain SGD.
 */
import {
  type BottomSegment,
  type ForwardResult,
  IGNORE,
  type LossResult,
  type NamedTensors,
  type PassPosition,
  type SavedForward,
  type TokenBatch,
  type TopSegment,
  type TrainableSegment,
  type TrunkSegment,
} from "../../shared/train/segments.ts";

export const LEARNING_RATE = 0.05;

class Saved implements SavedForward {
  readonly input: Float32Array;
  released = false;
  constructor(input: Float32Array) {
    this.input = input;
  }
  release(): void {
    this.released = true;
  }
}

/** y = x · scale, channel by channel. */
class Scaling implements TrainableSegment {
  readonly hidden: number;
  readonly scale: Float32Array;
  readonly gradient: Float32Array;
  readonly #saved = new Set<Saved>();
  steps = 0;
  readonly #name: string;

  constructor(part: string, hidden: number) {
    this.hidden = hidden;
    this.#name = `base_model.model.${part}.lora_A.weight`;
    this.scale = new Float32Array(hidden).fill(1);
    this.gradient = new Float32Array(hidden);
  }

  /** Forward passes that wait for their backward pass or for being released. */
  get held(): number {
    return [...this.#saved].filter((saved) => !saved.released).length;
  }

  protected apply(x: Float32Array): Float32Array {
    return x.map((value, i) => value * this.scale[i % this.hidden]);
  }

  protected keep(input: Float32Array, at: PassPosition): SavedForward | undefined {
    if (!at.training) return undefined;
    const saved = new Saved(input);
    this.#saved.add(saved);
    return saved;
  }

  protected differentiate(input: Float32Array, gradient: Float32Array): Float32Array {
    gradient.forEach((g, i) => {
      const c = i % this.hidden;
      this.gradient[c] += g * input[i];
    });
    return this.apply(gradient);
  }

  protected use(saved: SavedForward): Float32Array {
    const own = saved as Saved;
    if (!this.#saved.delete(own) || own.released) throw new Error("a saved forward pass used twice");
    return own.input;
  }

  adapters(): NamedTensors {
    return new Map([[this.#name, { shape: [1, this.hidden], data: this.scale.slice() }]]);
  }

  loadAdapters(adapters: NamedTensors): void {
    this.scale.set(adapters.get(this.#name)!.data);
  }

  gradients(): NamedTensors {
    return new Map([[this.#name, { shape: [1, this.hidden], data: this.gradient.slice() }]]);
  }

  addGradients(gradients: NamedTensors): void {
    gradients.get(this.#name)!.data.forEach((g, c) => {
      this.gradient[c] += g;
    });
  }

  zeroGradients(): void {
    this.gradient.fill(0);
  }

  async optimizerStep(_step: number, supervisedTokens: number) {
    const scale = 1 / supervisedTokens;
    const gradientNorm = Math.hypot(...this.gradient.map((g) => g * scale));
    this.gradient.forEach((g, c) => {
      this.scale[c] -= LEARNING_RATE * g * scale;
    });
    this.zeroGradients();
    this.steps += 1;
    return { gradientNorm, learningRate: LEARNING_RATE };
  }

  saveState(): NamedTensors {
    return this.adapters();
  }

  restoreState(state: NamedTensors): void {
    this.loadAdapters(state);
  }

  async dispose(): Promise<void> {}
}

export class TinyBottom extends Scaling implements BottomSegment {
  constructor(hidden: number) {
    super("bottom", hidden);
  }

  embed(ids: Int32Array): Float32Array {
    return Float32Array.from({ length: ids.length * this.hidden }, (_, i) => {
      return Math.sin(ids[Math.floor(i / this.hidden)] * 1.7 + (i % this.hidden) * 0.3);
    });
  }

  async forward(batch: TokenBatch, at: PassPosition): Promise<ForwardResult> {
    const input = this.embed(batch.ids);
    return { output: this.apply(input), saved: this.keep(input, at) };
  }

  async backward(saved: SavedForward, gradient: Float32Array): Promise<void> {
    this.differentiate(this.use(saved), gradient);
  }
}

export class TinyTrunk extends Scaling implements TrunkSegment {
  constructor(hidden: number) {
    super("trunk", hidden);
  }

  async forward(input: Float32Array, _lengths: Int32Array, at: PassPosition): Promise<ForwardResult> {
    return { output: this.apply(input), saved: this.keep(input, at) };
  }

  async backward(saved: SavedForward, gradient: Float32Array): Promise<Float32Array> {
    return this.differentiate(this.use(saved), gradient);
  }
}

export class TinyTop extends Scaling implements TopSegment {
  constructor(hidden: number) {
    super("top", hidden);
  }

  async loss(
    input: Float32Array,
    labels: Int32Array,
    _lengths: Int32Array,
    at: PassPosition,
  ): Promise<LossResult> {
    const output = this.apply(input);
    const gradient = new Float32Array(input.length);
    let lossSum = 0;
    let supervisedTokens = 0;
    labels.forEach((label, token) => {
      if (label === IGNORE) return;
      supervisedTokens++;
      for (let c = 0; c < this.hidden; c++) {
        const i = token * this.hidden + c;
        const difference = output[i] - Math.cos(label * 0.9 + c);
        lossSum += (difference * difference) / 2;
        gradient[i] = difference;
      }
    });
    if (!at.training) return { lossSum, supervisedTokens, gradient: undefined };
    return { lossSum, supervisedTokens, gradient: this.differentiate(input, gradient) };
  }

  async lastLogits(): Promise<Float32Array> {
    throw new Error("not part of these tests");
  }
}

/** Rows of text that follow from (client, step, micro-batch). */
export function tinyBatch(client: number, step: number, microBatch: number): TokenBatch {
  const lengths = Int32Array.of(3 + (step % 2), 2 + microBatch, 1 + client);
  const tokens = lengths.reduce((a, b) => a + b, 0);
  const ids = Int32Array.from(
    { length: tokens },
    (_, i) => (i * 7 + step * 3 + microBatch + client * 11) % 50,
  );
  const labels = ids.map((id, i) => (i % 5 === 4 ? IGNORE : (id + 1) % 50));
  return { ids, labels, lengths };
}
