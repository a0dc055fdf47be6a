/**
 * What the three parts of a split model can do, seen from the step protocol's side: run forward, run backward,
 * hold adapters and their gradients, take an optimizer step. How they compute it is the engine's business.
 *
 * Sequences are kept *packed*: rows stand one after another without padding, `lengths` says how long each is. A
 * segment pads to a shape bucket inside and returns packed tensors again, so padding never leaves it.
 *
 * Losses and gradients are sums over supervised tokens, never means: a sum over clients and micro-batches is then
 * plain addition, and the one division by the number of supervised tokens happens at the optimizer step.
 */

/** Some rows of text, packed. The arrays belong to whoever made the batch; segments only read them. */
export interface TokenBatch {
  /** Token ids [tokens]. */
  readonly ids: Int32Array;
  /** For each position the id to predict there (already shifted), or IGNORE [tokens]. */
  readonly labels: Int32Array;
  /** Tokens in each row [rows]; they sum to the length of ids. */
  readonly lengths: Int32Array;
  /** A number for each row that is the same whenever that row comes again [rows]; for codecs that remember rows. */
  readonly rowIds?: Uint32Array;
}

/** The label of a position that has no loss. */
export const IGNORE = -100;

/** What a forward pass keeps for its backward pass; opaque, single use, and must be released if it is not used. */
export interface SavedForward {
  /** Gives the memory back without a backward pass. */
  release(): void;
}

/** Where in the run a pass stands: dropout masks are drawn from (job seed, these, tensor name). */
export interface PassPosition {
  readonly step: number;
  readonly microBatch: number;
  /** False for evaluation: no dropout, nothing saved. */
  readonly training: boolean;
}

export interface ForwardResult {
  /** Smashed data [tokens, hidden], packed; belongs to the caller. */
  readonly output: Float32Array;
  /** Present when position.training. */
  readonly saved: SavedForward | undefined;
}

/** Named trainable tensors: PEFT key → values. */
export type NamedTensors = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly data: Float32Array }
>;

/** What every segment has: adapters, a gradient accumulator, an optimizer. */
export interface TrainableSegment {
  /** The adapters now, by PEFT key. A copy. */
  adapters(): NamedTensors;
  /** Replaces the adapters' values (an average of clients, a checkpoint). Names and shapes must be this segment's. */
  loadAdapters(adapters: NamedTensors): void;
  /** The accumulated gradient sums, by PEFT key. A copy. */
  gradients(): NamedTensors;
  /** Adds gradient sums that another worker computed. */
  addGradients(gradients: NamedTensors): void;
  zeroGradients(): void;
  /**
   * Divides the accumulated gradient by `supervisedTokens`, clips it, takes one optimizer step of number `step`
   * (from 0) and clears the accumulator. Returns the gradient's norm before clipping. With 0 tokens it does nothing.
   */
  optimizerStep(
    step: number,
    supervisedTokens: number,
  ): Promise<{ gradientNorm: number; learningRate: number }>;
  /** Optimizer state and adapters, for a checkpoint: name → values. A copy. */
  saveState(): NamedTensors;
  restoreState(state: NamedTensors): void;
  dispose(): Promise<void>;
}

/** Embedding and first blocks, on the client. */
export interface BottomSegment extends TrainableSegment {
  forward(batch: TokenBatch, at: PassPosition): Promise<ForwardResult>;
  /** Accumulates adapter gradients from dL/d(output). Consumes `saved`. */
  backward(saved: SavedForward, gradient: Float32Array): Promise<void>;
}

/** Middle blocks, on the server. */
export interface TrunkSegment extends TrainableSegment {
  forward(input: Float32Array, lengths: Int32Array, at: PassPosition): Promise<ForwardResult>;
  /** Accumulates adapter gradients and returns dL/d(input), packed; the result belongs to the caller. */
  backward(saved: SavedForward, gradient: Float32Array): Promise<Float32Array>;
}

export interface LossResult {
  /** Sum of −log p over supervised tokens, nats. */
  readonly lossSum: number;
  readonly supervisedTokens: number;
  /** dL/d(input) [tokens, hidden], packed; present when position.training. Belongs to the caller. */
  readonly gradient: Float32Array | undefined;
}

/** Last blocks, final norm, head and loss: on the client in a U-shape, on the server in a vanilla split. */
export interface TopSegment extends TrainableSegment {
  /** Forward, loss and, when training, backward in one go; accumulates adapter gradients. */
  loss(input: Float32Array, labels: Int32Array, lengths: Int32Array, at: PassPosition): Promise<LossResult>;
  /** Logits [rows, vocabulary] of each row's last position, for generation. */
  lastLogits(input: Float32Array, lengths: Int32Array): Promise<Float32Array>;
}
