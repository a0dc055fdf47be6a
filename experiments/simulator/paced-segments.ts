/**
 * Segments that take a given time and compute nothing: to run the real server, clients, sockets and codecs with computations whose times do
 * not hang on what else this machine does.
 */
import type {
  BottomSegment,
  ForwardResult,
  LossResult,
  NamedTensors,
  PassPosition,
  SavedForward,
  TokenBatch,
  TopSegment,
  TrainableSegment,
  TrunkSegment,
} from "../../shared/train/segments.ts";

/** Milliseconds of each call. */
export interface Pace {
  readonly bottom: number;
  readonly top: number;
  readonly bottomBackward: number;
  readonly forward: number;
  readonly backward: number;
  readonly optimizer: number;
}

const NO_TENSORS: NamedTensors = new Map();
const SAVED: SavedForward = { release: () => {} };

function sleep(ms: number): Promise<void> {
  return ms === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}

/** A tensor with some life in it, so that codecs have something to do. */
function tensor(tokens: number, hidden: number): Float32Array {
  return Float32Array.from({ length: tokens * hidden }, (_, i) => Math.sin(i * 0.7) + (i % 13) * 0.1);
}

/** Told how long a call took, which is a little longer than was asked. */
export type PaceListener = (call: keyof Pace, ms: number) => void;

class Paced implements TrainableSegment {
  protected readonly hidden: number;
  readonly #pace: Pace;
  readonly #listener: PaceListener;
  readonly #tensors = new Map<number, Float32Array>();

  constructor(hidden: number, pace: Pace, listener: PaceListener) {
    this.hidden = hidden;
    this.#pace = pace;
    this.#listener = listener;
  }

  protected async take(call: keyof Pace): Promise<void> {
    const start = performance.now();
    await sleep(this.#pace[call]);
    this.#listener(call, performance.now() - start);
  }

  /** The same array each time for the same number of tokens: making it must not count as computing. */
  protected tensor(tokens: number): Float32Array {
    let made = this.#tensors.get(tokens);
    if (made === undefined) {
      made = tensor(tokens, this.hidden);
      this.#tensors.set(tokens, made);
    }
    return made;
  }

  adapters(): NamedTensors {
    return NO_TENSORS;
  }
  loadAdapters(): void {}
  gradients(): NamedTensors {
    return NO_TENSORS;
  }
  addGradients(): void {}
  zeroGradients(): void {}
  async optimizerStep(): Promise<{ gradientNorm: number; learningRate: number }> {
    await this.take("optimizer");
    return { gradientNorm: 1, learningRate: 1 };
  }
  saveState(): NamedTensors {
    return NO_TENSORS;
  }
  restoreState(): void {}
  async dispose(): Promise<void> {}
}

export class PacedBottom extends Paced implements BottomSegment {
  async forward(batch: TokenBatch, at: PassPosition): Promise<ForwardResult> {
    await this.take("bottom");
    return { output: this.tensor(batch.ids.length), saved: at.training ? SAVED : undefined };
  }
  async backward(): Promise<void> {
    await this.take("bottomBackward");
  }
}

export class PacedTrunk extends Paced implements TrunkSegment {
  async forward(input: Float32Array, _lengths: Int32Array, at: PassPosition): Promise<ForwardResult> {
    await this.take("forward");
    return { output: this.tensor(input.length / this.hidden), saved: at.training ? SAVED : undefined };
  }
  async backward(_saved: SavedForward, gradient: Float32Array): Promise<Float32Array> {
    await this.take("backward");
    return this.tensor(gradient.length / this.hidden);
  }
}

export class PacedTop extends Paced implements TopSegment {
  async loss(input: Float32Array, labels: Int32Array): Promise<LossResult> {
    await this.take("top");
    const gradient = this.tensor(input.length / this.hidden);
    return { lossSum: labels.length, supervisedTokens: labels.length, gradient };
  }
  async lastLogits(): Promise<Float32Array> {
    return new Float32Array(0);
  }
}
