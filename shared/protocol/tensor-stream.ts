/**
 * Codec streams on the wire: one phase of one client. The sender makes tensor messages and sends a bit table when the
 * receiver has not been sent its version on this connection; the receiver decodes and refuses what is not finite.
 */
import type { CodecState, RowLayout, TensorDecoder, TensorEncoder } from "../codec/codec.ts";
import { fail } from "../errors.ts";
import type { Phase, StepKey, TensorMessage } from "./messages.ts";

/** Names in a saved state of what is the sender's own. */
const TABLE = "sender.table";
const TABLE_VERSION = "sender.tableVersion";

/** A tensor that was sent. */
export interface SentTensor {
  readonly message: TensorMessage;
  /**
   * To be shown the gradient [tokens, channels] when that comes, once; holds the tensor until then. Undefined where the codec learns
   * nothing from it. NB_TENSOR_NOT_FINITE when the gradient is not finite.
   */
  readonly learn: ((gradient: Float32Array) => void) | undefined;
}

/** What a message holds besides its tensor. */
export interface TensorExtras {
  readonly lengths?: readonly number[];
  readonly labels?: Uint8Array;
  readonly lossSum?: number;
  readonly supervisedTokens?: number;
  /** Not a part of the message: what the encoder is told of the rows. */
  readonly rows?: RowLayout | undefined;
  /** Nor this: where the activation of a gradient's cut is received, whose widths the gradient's may follow. */
  readonly tiedTo?: TensorReceiver;
}

export class TensorSender {
  readonly encoder: TensorEncoder;
  readonly #phase: Phase;
  readonly #codec: number;
  #table: Uint8Array | undefined;
  #tableVersion = 0;
  #sentVersion: number | undefined;

  /** `codec`: its number in Tensor.codec. */
  constructor(encoder: TensorEncoder, phase: Phase, codec: number) {
    this.encoder = encoder;
    this.#phase = phase;
    this.#codec = codec;
  }

  /** The connection is new: its receiver has been sent no bit table on it. */
  resetPeer(): void {
    this.#sentVersion = undefined;
  }

  /** The receiver is another, or has begun anew: what the codec builds on must be sent again. */
  forgetPeer(): void {
    this.encoder.forgetPeer?.();
  }

  /**
   * Encodes x [tokens, channels], which must not change as long as learn() is held, into a message that owns its arrays, and has its bit table whether the receiver has that or not, so
   * that it can be sent again on another connection. NB_TENSOR_NOT_FINITE when x is not finite.
   */
  encode(
    x: Float32Array,
    tokens: number,
    key: StepKey,
    microBatch: number,
    extras: TensorExtras = {},
  ): SentTensor {
    const { step, attempt } = key;
    const { rows, tiedTo } = extras;
    const followed = tiedTo?.widths;
    if (followed !== undefined) this.encoder.follow?.(followed);
    const at = rows === undefined ? { step, microBatch } : { step, microBatch, rows };
    const { encoder } = this;
    const outputs = encoder.observes === "reconstruction" ? {} : ({ reconstruction: false } as const);
    const encoded = encoder.encode(x, tokens, at, outputs);
    if (encoded.bitTable !== undefined) {
      this.#table = encoded.bitTable.slice();
      this.#tableVersion = encoded.bitTableVersion;
    }
    const bitTable = this.#tableVersion === encoded.bitTableVersion ? this.#table : undefined;
    const message: TensorMessage = {
      type: "tensor",
      step,
      attempt,
      microBatch,
      phase: this.#phase,
      tokens,
      lengths: extras.lengths ?? [],
      channels: this.encoder.channels,
      codec: this.#codec,
      bitTableVersion: encoded.bitTableVersion,
      bitTable,
      labels: extras.labels,
      scales: encoded.scales.slice(),
      payload: encoded.payload.slice(),
      packedBytes: encoded.packedBytes,
      lossSum: extras.lossSum ?? 0,
      supervisedTokens: extras.supervisedTokens ?? 0,
    };
    if (encoder.observes === "nothing") return { message, learn: undefined };
    const sent = encoder.observes === "levels" ? encoder.sentLevels!() : encoded.reconstruction;
    return { message, learn: (gradient) => encoder.observe(x, sent, gradient, tokens) };
  }

  /** The encoder's state and the bit table that is in force, for a checkpoint. */
  save(): CodecState {
    const state = this.encoder.save();
    if (this.#table === undefined) return state;
    const numbers = { ...state.numbers, [TABLE_VERSION]: this.#tableVersion };
    return { ...state, arrays: { ...state.arrays, [TABLE]: this.#table.slice() }, numbers };
  }

  /** Takes over what save() gave. The receiver has kept what it was sent, but for the table, which is sent again. */
  restore(state: CodecState): void {
    const { [TABLE]: table, ...arrays } = state.arrays;
    const { [TABLE_VERSION]: version, ...numbers } = state.numbers;
    this.encoder.restore({ ...state, arrays, numbers });
    this.#table = table instanceof Uint8Array ? table.slice() : undefined;
    this.#tableVersion = version ?? 0;
    this.#sentVersion = undefined;
  }

  /** A message as it goes on the wire: without its bit table if that was sent on this connection already. */
  toSend(message: TensorMessage): TensorMessage {
    const has = this.#sentVersion === message.bitTableVersion;
    this.#sentVersion = message.bitTableVersion;
    return has && message.bitTable !== undefined ? { ...message, bitTable: undefined } : message;
  }
}

export class TensorReceiver {
  readonly #makeDecoder: () => TensorDecoder;
  #decoder: TensorDecoder;

  constructor(makeDecoder: () => TensorDecoder) {
    this.#makeDecoder = makeDecoder;
    this.#decoder = makeDecoder();
  }

  /** Rows of the message that was decoded last, where its codec names them; valid until the next. */
  get rows(): RowLayout | undefined {
    return this.#decoder.rows;
  }

  /** Widths of the message that was decoded last, where its codec has a bit table. */
  get widths(): Uint8Array | undefined {
    return this.#decoder.widths?.();
  }

  /** The sender is another, or has begun anew: what was received before does not hold. */
  resetPeer(): void {
    this.#decoder = this.#makeDecoder();
  }

  /** What decoding the next message builds on, for a checkpoint. */
  save(): CodecState {
    return this.#decoder.save();
  }

  restore(state: CodecState): void {
    this.#decoder.restore(state);
  }

  /**
   * The tensor [tokens, channels] of a message, a new array. NB_CODEC_BODY_INVALID when its sections do not fit, NB_TENSOR_NOT_FINITE
   * when it holds NaN or infinity. The machine has bounded tokens and channels.
   */
  decode(message: TensorMessage): Float32Array {
    const { bitTable, bitTableVersion, scales, payload, tokens } = message;
    const out = new Float32Array(tokens * this.#decoder.channels);
    this.#decoder.decode({ bitTable, bitTableVersion, scales, payload }, tokens, out);
    requireFinite(out, `${message.phase} of micro-batch ${message.microBatch}`);
    return out;
  }
}

/** NB_TENSOR_NOT_FINITE when `values` holds NaN or infinity. */
export function requireFinite(values: Float32Array, what: string): void {
  // A value times 0 is 0 or −0, or else NaN, and so is a sum of them. Four sums, as each waits for itself.
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const whole = values.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    a += values[i]! * 0;
    b += values[i + 1]! * 0;
    c += values[i + 2]! * 0;
    d += values[i + 3]! * 0;
  }
  for (let i = whole; i < values.length; i++) a += values[i]! * 0;
  if (a + b + c + d === 0) return;
  const strange = values.find((value) => !Number.isFinite(value));
  fail("NB_TENSOR_NOT_FINITE", `${what} holds ${strange}`);
}
