/**
 * The interface that every codec has: how a tensor of smashed data is written on the wire and read back.
 *
 * A codec is made for one *stream*: one cut, one direction, one client. The sender holds a
 * {@link TensorEncoder}, the receiver a {@link TensorDecoder}. All learning happens at the sender: it has x and its
 * reconstruction x̂, and it is sent the gradient with respect to x̂ anyway, so adapting costs no traffic.
 *
 * Tensors are [tokens, channels], row-major f32, holding real tokens only: padding never reaches a codec.
 */

/** Where in a run a tensor stands. Counter-based randomness is drawn from (seed, these), so a replay draws the same. */
export interface StreamPosition {
  /** Optimizer step, from 0. */
  readonly step: number;
  /** Micro-batch within the step, from 0. */
  readonly microBatch: number;
  /** The rows of text that the tokens belong to, where the caller knows them; for codecs that remember rows. */
  readonly rows?: RowLayout;
}

/** Which rows of text a tensor holds, one after another. Numbers only: nothing of the text. */
export interface RowLayout {
  /** Tokens of each row [rows]; they sum to the tensor's tokens. */
  readonly lengths: ArrayLike<number>;
  /**
   * Identity of each row [rows], 0 to 2^32 − 1: the same row has the same number whenever it comes again. Its
   * meaning is the sender's own.
   */
  readonly ids: ArrayLike<number>;
}

/**
 * Arrays of the caller's for an encoder to write into, so that encoding allocates no array. What is left out, or too
 * small, the encoder provides; {@link EncodedTensor} has the arrays that were used.
 */
export interface EncodeOutputs {
  /** For the payload. Every codec fits into 5 bytes per value and 1 kB; most into far less. */
  readonly payload?: Uint8Array;
  /** For the reconstruction: exactly [tokens, channels]. May not be x itself. `false`: nobody wants it, so it need not be made. */
  readonly reconstruction?: Float32Array | false;
}

/** A tensor as it goes on the wire. The encoder's byte arrays are valid until its next encode(). */
export interface EncodedTensor {
  /**
   * Widths of the channels; its meaning is the codec's own. Present in micro-batch 0 of each step until a
   * step in which it was sent has committed, and again from the step on where widths changed. Always
   * undefined for codecs that have none.
   */
  readonly bitTable: Uint8Array | undefined;
  /**
   * Increases by one whenever the bit table changes; the decoder refuses a body whose table it has not got. 0
   * for codecs that have none.
   */
  readonly bitTableVersion: number;
  /** Per-channel ranges; empty for codecs that have none. */
  readonly scales: Uint8Array;
  /** The packed elements. */
  readonly payload: Uint8Array;
  /**
   * Bytes that the payload would have had without the codec's entropy stage, the same numbers decoded from it. Left out
   * by codecs that have none.
   */
  readonly packedBytes?: number;
  /**
   * What the receiver will decode, bit for bit: [tokens, channels]. Belongs to the caller, which may keep it
   * to pass to {@link TensorEncoder.observe} when the gradient arrives. A new array where none was given; it may be
   * empty where none is wanted.
   */
  readonly reconstruction: Float32Array;
}

/**
 * The levels that a tensor was quantized to. With the tensor they give its reconstruction, which so need not be kept, nor
 * even made, until the gradient arrives. Its holder's.
 */
export interface SentLevels {
  readonly widths: Uint8Array;
  /** Lowest level and step of each channel [channels]. */
  readonly lo: Float64Array;
  readonly step: Float64Array;
}

/** What a codec keeps between messages, in plain values, so that a checkpoint can hold it. */
export interface CodecState {
  readonly codec: string;
  readonly bitTableVersion: number;
  readonly arrays: Readonly<Record<string, Float32Array | Float64Array | Uint8Array>>;
  readonly numbers: Readonly<Record<string, number>>;
}

export interface TensorEncoder {
  readonly channels: number;
  /** Mean width over the channels, bits per element, as the next encode() will use; 32 for f32, 16 for f16. */
  readonly meanBits: number;
  /** Width of each channel, bits; for reports. A copy. */
  widths(): Uint8Array;
  /**
   * What observe() is to be given of a tensor: nothing, since it ignores all; its levels, or its reconstruction as well;
   * or its reconstruction.
   */
  readonly observes: "nothing" | "levels" | "reconstruction";
  /** Where `observes` is "levels": the levels of the tensor that was encoded last; new arrays. */
  sentLevels?(): SentLevels;
  /**
   * Encodes x [tokens, channels]. Does not change what the next call would do: only endStep() does. A stream
   * of gradients that learns gathers its error here, once for each micro-batch however often that is encoded.
   * tokens may be 0. `outputs` are used by codecs that can. Throws NB_TENSOR_NOT_FINITE when x holds NaN or infinity.
   */
  encode(x: Float32Array, tokens: number, at: StreamPosition, outputs?: EncodeOutputs): EncodedTensor;
  /**
   * Shows the encoder the gradient g = dL/dx̂ of a tensor that it encoded earlier in this step, with that
   * tensor's x and x̂, or levels where it `observes` these. Order of calls within a step does not change the result beyond f64 rounding of a sum.
   * Streams of gradients need no call, as nothing comes back for them; they ignore it. Throws
   * NB_TENSOR_NOT_FINITE, and gathers nothing, when the gradient is not finite.
   */
  observe(
    x: Float32Array,
    reconstruction: Float32Array | SentLevels,
    gradient: Float32Array,
    tokens: number,
  ): void;
  /**
   * Called once when `step` has committed: gates move, the anneal moves to step + 1, widths may change. To
   * abandon a step instead, restore() the state that was saved before it.
   */
  endStep(step: number): void;
  /** A copy of the state; with the same seed and stream, an encoder restored from it goes on bit for bit. */
  save(): CodecState;
  /** Takes copies. Throws NB_CODEC_STATE_INVALID, and stays as it was, when the state is not of this codec and size. */
  restore(state: CodecState): void;
  /**
   * Tells the encoder of a gradient the widths [channels] of the activation at the same cut in this step, which this
   * side has received. Copied; of effect from the next endStep() on. Only codecs that can make use of it have it.
   */
  follow?(widths: Uint8Array): void;
  /**
   * The receiver is new and knows nothing: what the next bodies build on must be sent again. Only codecs whose
   * decoder keeps more than a bit table have it.
   */
  forgetPeer?(): void;
}

/** The sections of a received body, as the frame header delimited them. */
export interface EncodedSections {
  readonly bitTable: Uint8Array | undefined;
  readonly bitTableVersion: number;
  readonly scales: Uint8Array;
  readonly payload: Uint8Array;
}

export interface TensorDecoder {
  readonly channels: number;
  /** Rows of the body that was decoded last, where the codec's bodies name them. Valid until the next decode(). */
  readonly rows?: RowLayout | undefined;
  /**
   * Decodes into `out` [tokens, channels], which the caller owns. Every length is checked against tokens and
   * channels before anything is read; a body that does not fit throws NB_CODEC_BODY_INVALID and leaves `out`
   * and the decoder unchanged.
   */
  decode(sections: EncodedSections, tokens: number, out: Float32Array): void;
  /** Widths of the channels in the body that was decoded last, a copy; undefined before it. Only of codecs with a bit table. */
  widths?(): Uint8Array | undefined;
  save(): CodecState;
  restore(state: CodecState): void;
}
