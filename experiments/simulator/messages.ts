/** Messages of a simulated job: their bodies are only counted, never made. */
import { codecIdOf } from "../../shared/protocol/codecs.ts";
import { encodeFrame } from "../../shared/protocol/frame.ts";
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import { ADAPTER_CHUNK_BYTES } from "../../shared/protocol/limits.ts";
import type { Frame, Message, Phase, StepKey, TensorMessage } from "../../shared/protocol/messages.ts";
import { frameHeaderBytes } from "../../shared/protocol/ws-socket-node.ts";
import type { Costs } from "./costs.ts";

const EMPTY = new Uint8Array(0);
/** Stands for any piece of adapters. */
const ZEROS = new Uint8Array(ADAPTER_CHUNK_BYTES);

/** A transfer of a micro-batch, without its body. */
export function tensorMessage(
  config: JobConfig,
  { tokens }: Costs,
  { step, attempt }: StepKey,
  microBatch: number,
  phase: Phase,
): TensorMessage {
  const vanilla = config.split === "vanilla";
  return {
    type: "tensor",
    step,
    attempt,
    microBatch,
    phase,
    tokens,
    lengths: phase === "A1" ? [tokens] : [],
    channels: config.model.hidden,
    codec: codecIdOf(config, phase),
    bitTableVersion: 0,
    bitTable: undefined,
    labels: vanilla && phase === "A1" ? EMPTY : undefined,
    scales: EMPTY,
    payload: EMPTY,
    lossSum: vanilla && phase === "G1" ? 1 : 0,
    supervisedTokens: vanilla && phase === "G1" ? tokens : 0,
  };
}

/** Adapters of so many bytes, as they are sent for an average. */
export function adapterMessages(adapterBytes: number, average: number): Message[] {
  const totalBytes = Math.max(1, adapterBytes);
  const begin: Message = {
    type: "adapterBegin",
    average,
    manifestDigest: 1,
    totalBytes,
    chunkBytes: ADAPTER_CHUNK_BYTES,
    manifest: EMPTY,
  };
  const chunks = Math.ceil(totalBytes / ADAPTER_CHUNK_BYTES);
  const rest: Message[] = Array.from({ length: chunks }, (_, index) => ({
    type: "adapterChunk",
    average,
    index,
    data: ZEROS.subarray(0, Math.min(ADAPTER_CHUNK_BYTES, totalBytes - index * ADAPTER_CHUNK_BYTES)),
  }));
  return [begin, ...rest];
}

/** Bytes of messages on a socket: tensors as they are said to have, all else as it is encoded, WebSocket's framing included. */
export class MessageSizes {
  readonly #tensorBytes: (step: number, phase: Phase) => number;
  /** Of control messages, by type and sender; encoding each of them again would be most of the work. */
  readonly #control = new Map<string, number>();

  /** @param tensorBytes of a micro-batch's transfer in one of its client's steps, counted from 0 */
  constructor(tensorBytes: (step: number, phase: Phase) => number) {
    this.#tensorBytes = tensorBytes;
  }

  of(frame: Frame, fromClient: boolean): number {
    const { message } = frame;
    if (message.type === "tensor") return this.#tensorBytes(message.step, message.phase);
    if (message.type === "adapterChunk") return this.#encoded(frame, fromClient);
    const key = `${message.type} ${fromClient}`;
    let size = this.#control.get(key);
    if (size === undefined) {
      size = this.#encoded(frame, fromClient);
      this.#control.set(key, size);
    }
    return size;
  }

  #encoded(frame: Frame, fromClient: boolean): number {
    const bytes = encodeFrame(frame).length;
    return bytes + frameHeaderBytes(bytes, fromClient);
  }
}
