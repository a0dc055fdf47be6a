/**
 * Segments for the simulator: the tiny ones, with an optimizer that has a state to lose (momentum), whose computations take
 * virtual time, so that anything can happen meanwhile.
 */
import type {
  ForwardResult,
  LossResult,
  NamedTensors,
  PassPosition,
  SavedForward,
  TokenBatch,
} from "../../shared/train/segments.ts";
import { LEARNING_RATE, TinyBottom, TinyTop, TinyTrunk } from "../server/tiny-segments.ts";

/** Waits for as long as a computation takes. */
export type Think = () => Promise<void>;

const BETA = 0.9;
const MOMENTUM = "momentum";

interface Parts {
  readonly scale: Float32Array;
  readonly gradient: Float32Array;
}

async function momentumStep(
  { scale, gradient }: Parts,
  momentum: Float32Array,
  supervisedTokens: number,
): Promise<{ gradientNorm: number; learningRate: number }> {
  if (supervisedTokens === 0) return { gradientNorm: 0, learningRate: LEARNING_RATE };
  let squares = 0;
  for (let c = 0; c < scale.length; c++) {
    const mean = gradient[c] / supervisedTokens;
    squares += mean * mean;
    momentum[c] = BETA * momentum[c] + mean;
    scale[c] -= LEARNING_RATE * momentum[c];
  }
  gradient.fill(0);
  return { gradientNorm: Math.sqrt(squares), learningRate: LEARNING_RATE };
}

function withMomentum(adapters: NamedTensors, momentum: Float32Array): NamedTensors {
  return new Map([...adapters, [MOMENTUM, { shape: [momentum.length], data: momentum.slice() }]]);
}

export class SimBottom extends TinyBottom {
  readonly #momentum: Float32Array;
  readonly #think: Think;

  constructor(hidden: number, think: Think) {
    super(hidden);
    this.#momentum = new Float32Array(hidden);
    this.#think = think;
  }

  override async forward(batch: TokenBatch, at: PassPosition): Promise<ForwardResult> {
    await this.#think();
    return super.forward(batch, at);
  }

  override async backward(saved: SavedForward, gradient: Float32Array): Promise<void> {
    await this.#think();
    return super.backward(saved, gradient);
  }

  override async optimizerStep(_step: number, supervisedTokens: number) {
    await this.#think();
    return momentumStep(this, this.#momentum, supervisedTokens);
  }

  override saveState(): NamedTensors {
    return withMomentum(this.adapters(), this.#momentum);
  }

  override restoreState(state: NamedTensors): void {
    this.loadAdapters(state);
    this.#momentum.set(state.get(MOMENTUM)!.data);
  }
}

export class SimTrunk extends TinyTrunk {
  readonly #momentum: Float32Array;
  readonly #think: Think;

  constructor(hidden: number, think: Think) {
    super(hidden);
    this.#momentum = new Float32Array(hidden);
    this.#think = think;
  }

  override async forward(input: Float32Array, lengths: Int32Array, at: PassPosition): Promise<ForwardResult> {
    await this.#think();
    return super.forward(input, lengths, at);
  }

  override async backward(saved: SavedForward, gradient: Float32Array): Promise<Float32Array> {
    await this.#think();
    return super.backward(saved, gradient);
  }

  override async optimizerStep(_step: number, supervisedTokens: number) {
    await this.#think();
    return momentumStep(this, this.#momentum, supervisedTokens);
  }

  override saveState(): NamedTensors {
    return withMomentum(this.adapters(), this.#momentum);
  }

  override restoreState(state: NamedTensors): void {
    this.loadAdapters(state);
    this.#momentum.set(state.get(MOMENTUM)!.data);
  }
}

export class SimTop extends TinyTop {
  readonly #momentum: Float32Array;
  readonly #think: Think;

  constructor(hidden: number, think: Think) {
    super(hidden);
    this.#momentum = new Float32Array(hidden);
    this.#think = think;
  }

  override async loss(
    input: Float32Array,
    labels: Int32Array,
    lengths: Int32Array,
    at: PassPosition,
  ): Promise<LossResult> {
    await this.#think();
    return super.loss(input, labels, lengths, at);
  }

  override async optimizerStep(_step: number, supervisedTokens: number) {
    await this.#think();
    return momentumStep(this, this.#momentum, supervisedTokens);
  }

  override saveState(): NamedTensors {
    return withMomentum(this.adapters(), this.#momentum);
  }

  override restoreState(state: NamedTensors): void {
    this.loadAdapters(state);
    this.#momentum.set(state.get(MOMENTUM)!.data);
  }
}
