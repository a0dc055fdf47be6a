/**
 * The client's computations for a job: takes text, runs bottom and top, encodes what is sent and decodes what comes. Labels are used here
 * and, in a U-shape, never leave.
 */
import type { CaptureRecorder } from "../shared/capture/recorder.ts";
import type { CodecState } from "../shared/codec/codec.ts";
import { fail } from "../shared/errors.ts";
import {
  AdapterAssembler,
  type FlatAdapters,
  flattenAdapters,
  parseManifest,
  unflattenAdapters,
} from "../shared/protocol/adapters.ts";
import type { ClientRequest, ClientResult } from "../shared/protocol/client-state.ts";
import { makeReceiver, makeSender } from "../shared/protocol/codecs.ts";
import type { JobConfig } from "../shared/protocol/job-config.ts";
import { encodeLabels } from "../shared/protocol/labels.ts";
import type {
  AdapterBeginMessage,
  AdapterChunkMessage,
  CommitMessage,
  StepKey,
  TensorMessage,
} from "../shared/protocol/messages.ts";
import type { SentTensor, TensorReceiver, TensorSender } from "../shared/protocol/tensor-stream.ts";
import { requireFinite } from "../shared/protocol/tensor-stream.ts";
import type {
  BottomSegment,
  NamedTensors,
  SavedForward,
  TokenBatch,
  TopSegment,
} from "../shared/train/segments.ts";

/** Where a client's text comes from. */
export interface BatchSource {
  /** The rows of a micro-batch. The same numbers must give the same rows: a step may have to be done again. */
  nextBatch(step: number, microBatch: number): TokenBatch | Promise<TokenBatch>;
}

/** What a client runs. */
export interface ClientSegments {
  readonly bottom: BottomSegment;
  /** Undefined in a vanilla split. */
  readonly top: TopSegment | undefined;
}

/** A micro-batch between its bottom pass forward and backward. */
interface PendingBatch {
  readonly batch: TokenBatch;
  readonly saved: SavedForward;
  /** To be shown the gradient of A1. */
  readonly learn: SentTensor["learn"];
}

interface OpenWork {
  readonly key: StepKey;
  readonly pending: Map<number, PendingBatch>;
  /** States of the encoders before the step. */
  readonly encoders: readonly CodecState[];
}

export interface EdgeWorkerOptions {
  readonly config: JobConfig;
  /** Index of the client in the job. */
  readonly client: number;
  readonly segments: ClientSegments;
  readonly batches: BatchSource;
  /** Is given the tensors of all phases: A1 and G2 before they are encoded, A2 and G1 as they were decoded. */
  readonly capture?: CaptureRecorder | undefined;
}

export class EdgeWorker {
  readonly senders: { readonly A1: TensorSender; readonly G2: TensorSender };
  readonly #receivers: { readonly A2: TensorReceiver; readonly G1: TensorReceiver };
  readonly #options: EdgeWorkerOptions;
  #open: OpenWork | undefined;
  #flat: FlatAdapters | undefined;
  readonly #transfers = new Map<number, AdapterAssembler>();
  #manifestSent = false;
  #computeMs = 0;
  #codecMs = 0;

  constructor(options: EdgeWorkerOptions) {
    const { config, client } = options;
    this.#options = options;
    this.senders = {
      A1: makeSender(config, client, "A1"),
      G2: makeSender(config, client, "G2"),
    };
    this.#receivers = { A2: makeReceiver(config, "A2"), G1: makeReceiver(config, "G1") };
  }

  /** Milliseconds spent, cumulative. */
  get times(): { readonly computeMs: number; readonly codecMs: number } {
    return { computeMs: this.#computeMs, codecMs: this.#codecMs };
  }

  /** The connection is new. `resumed`: the server is the one that this run has had before. */
  resetStreams(resumed: boolean): void {
    for (const sender of Object.values(this.senders)) sender.resetPeer();
    if (!resumed) {
      for (const sender of Object.values(this.senders)) sender.forgetPeer();
      for (const receiver of Object.values(this.#receivers)) receiver.resetPeer();
    }
    this.#manifestSent = false;
  }

  /** What the codecs have learned, for a checkpoint. No step may be open. */
  saveCodecs(): Record<string, CodecState> {
    const { A1, G2 } = this.senders;
    const { A2, G1 } = this.#receivers;
    return { A1: A1.save(), G2: G2.save(), A2: A2.save(), G1: G1.save() };
  }

  /** Takes over what a checkpoint holds. Nothing has been sent by this process. */
  restore(codecs: Readonly<Record<string, CodecState>>): void {
    for (const name of ["A1", "G2", "A2", "G1"]) {
      if (codecs[name] === undefined) fail("NB_CHECKPOINT_INVALID", `checkpoint: no state of codec ${name}`);
    }
    for (const phase of ["A1", "G2"] as const) {
      this.senders[phase].restore(codecs[phase]);
    }
    for (const phase of ["A2", "G1"] as const) this.#receivers[phase].restore(codecs[phase]);
  }

  begin(key: StepKey): void {
    const { A1, G2 } = this.senders;
    this.#open = { key, pending: new Map(), encoders: [A1.encoder.save(), G2.encoder.save()] };
  }

  /** Drops the open step: its gradients, and what its encoders have observed. */
  discard(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    for (const { saved } of open.pending.values()) saved.release();
    this.senders.A1.encoder.restore(open.encoders[0]);
    this.senders.G2.encoder.restore(open.encoders[1]);
    this.#zeroGradients();
  }

  /** Carries out a request, unless the step that it is for has been dropped: then the answer is undefined. */
  async run(request: Exclude<ClientRequest, { kind: "build" }>): Promise<ClientResult | undefined> {
    switch (request.kind) {
      case "bottom":
        return this.#bottom(request.key, request.microBatch);
      case "top":
        return this.#top(request.message);
      case "backward":
        return this.#backward(request.message);
      case "apply":
        return this.#apply(request.commit, request.supervisedTokens);
      case "loadAverage":
        return this.#loadAverage(request.average);
    }
  }

  async #bottom(key: StepKey, microBatch: number): Promise<ClientResult | undefined> {
    const { config, segments, batches } = this.#options;
    const open = this.#open;
    if (open === undefined || !sameKey(open.key, key)) return undefined;
    const batch = await batches.nextBatch(key.step, microBatch);
    checkBatch(batch, config);
    const tokens = batch.ids.length;
    const position = { step: key.step, microBatch, training: true };
    const { output, saved } = await this.#compute(() => segments.bottom.forward(batch, position));
    if (this.#open !== open) {
      saved!.release();
      return undefined;
    }
    const vanilla = config.split === "vanilla";
    const labels = vanilla ? encodeLabels(batch.labels, config.model.vocabulary) : undefined;
    const { lengths, rowIds } = batch;
    const rows = rowIds === undefined ? undefined : { lengths, ids: rowIds };
    const extras = { lengths: [...lengths], labels, rows };
    this.#options.capture?.add("A1", position, tokens, output, rows);
    const sent = this.#codec(() => this.senders.A1.encode(output, tokens, key, microBatch, extras));
    open.pending.set(microBatch, { batch, saved: saved!, learn: sent.learn });
    return { kind: "bottom", message: sent.message };
  }

  async #top(message: TensorMessage): Promise<ClientResult | undefined> {
    const top = this.#options.segments.top!;
    const open = this.#open;
    if (open === undefined || !sameKey(open.key, message)) return undefined;
    const { microBatch, tokens } = message;
    const { batch } = open.pending.get(microBatch)!;
    const input = this.#codec(() => this.#receivers.A2.decode(message));
    const position = { step: open.key.step, microBatch, training: true };
    const { rowIds: ids, lengths } = batch;
    const rows = ids && { lengths, ids };
    this.#options.capture?.add("A2", position, tokens, input, rows);
    const loss = await this.#compute(() => top.loss(input, batch.labels, batch.lengths, position));
    if (this.#open !== open) {
      this.#zeroGradients();
      return undefined;
    }
    const { lossSum, supervisedTokens, gradient } = loss;
    requireFinite(Float32Array.of(lossSum), "the loss");
    this.#options.capture?.add("G2", position, tokens, gradient!, rows);
    const extras = { tiedTo: this.#receivers.A2 };
    const sent = this.#codec(() => this.senders.G2.encode(gradient!, tokens, open.key, microBatch, extras));
    return { kind: "top", message: sent.message, lossSum, supervisedTokens };
  }

  async #backward(message: TensorMessage): Promise<ClientResult | undefined> {
    const { bottom } = this.#options.segments;
    const open = this.#open;
    if (open === undefined || !sameKey(open.key, message)) return undefined;
    const { microBatch, tokens } = message;
    const { batch, saved, learn } = open.pending.get(microBatch)!;
    const gradient = this.#codec(() => this.#receivers.G1.decode(message));
    const { rowIds: ids, lengths } = batch;
    this.#options.capture?.add(
      "G1",
      { step: open.key.step, microBatch },
      tokens,
      gradient,
      ids && { lengths, ids },
    );
    this.#codec(() => learn?.(gradient));
    open.pending.delete(microBatch);
    await this.#compute(() => bottom.backward(saved, gradient));
    if (this.#open !== open) {
      this.#zeroGradients();
      return undefined;
    }
    const { step, attempt } = message;
    return { kind: "backward", key: { step, attempt }, microBatch };
  }

  async #apply(commit: CommitMessage, supervisedTokens: number): Promise<ClientResult> {
    const { bottom, top } = this.#options.segments;
    const { step, attempt } = commit;
    await this.#compute(async () => {
      await bottom.optimizerStep(step, supervisedTokens);
      await top?.optimizerStep(step, supervisedTokens);
    });
    this.senders.A1.encoder.endStep(step);
    this.senders.G2.encoder.endStep(step);
    this.#open = undefined;
    return { kind: "apply", key: { step, attempt } };
  }

  /** The adapters as they are sent; the manifest only if the server lacks it. */
  adaptersToSend(): Pick<FlatAdapters, "digest" | "data"> & { readonly manifest: Uint8Array | undefined } {
    const { bottom, top } = this.#options.segments;
    const flat = flattenAdapters(new Map([...bottom.adapters(), ...(top?.adapters() ?? [])]));
    const manifest = this.#manifestSent ? undefined : flat.manifest;
    this.#manifestSent = true;
    this.#flat = flat;
    return { digest: flat.digest, data: flat.data, manifest };
  }

  acceptAdapter(message: AdapterBeginMessage | AdapterChunkMessage): void {
    if (message.type === "adapterBegin") this.#transfers.set(message.average, new AdapterAssembler(message));
    else this.#transfers.get(message.average)?.add(message);
  }

  /** Puts an average in the adapters' place. Optimizer state stays the client's own. */
  #loadAverage(average: number): ClientResult {
    const { bottom, top } = this.#options.segments;
    const transfer = this.#transfers.get(average)!;
    for (const number of [...this.#transfers.keys()]) if (number <= average) this.#transfers.delete(number);
    const own = new Map([...bottom.adapters(), ...(top?.adapters() ?? [])]);
    this.#flat ??= flattenAdapters(own);
    if (transfer.begin.manifestDigest !== this.#flat.digest) {
      fail("NB_ADAPTER_MISMATCH", "the average's names or shapes are not this client's");
    }
    const entries = parseManifest(this.#flat.manifest, transfer.begin.totalBytes);
    const tensors = unflattenAdapters(entries, transfer.data());
    for (const [name, { data }] of tensors) requireFinite(data, `the average of ${name}`);
    bottom.loadAdapters(pick(tensors, bottom.adapters()));
    if (top !== undefined) top.loadAdapters(pick(tensors, top.adapters()));
    return { kind: "loadAverage", average };
  }

  #zeroGradients(): void {
    const { bottom, top } = this.#options.segments;
    bottom.zeroGradients();
    top?.zeroGradients();
  }

  #codec<T>(work: () => T): T {
    const start = performance.now();
    const result = work();
    this.#codecMs += performance.now() - start;
    return result;
  }

  async #compute<T>(work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await work();
    this.#computeMs += performance.now() - start;
    return result;
  }
}

function sameKey(a: StepKey, b: StepKey): boolean {
  return a.step === b.step && a.attempt === b.attempt;
}

function pick(all: NamedTensors, names: NamedTensors): NamedTensors {
  return new Map([...names.keys()].map((name) => [name, all.get(name)!]));
}

/** NB_CONFIG_INVALID when a micro-batch is larger than the job accepts: the server would refuse it. */
function checkBatch({ ids, lengths }: TokenBatch, config: JobConfig): void {
  const longest = lengths.reduce((a, b) => Math.max(a, b), 0);
  const found = { maxTokens: ids.length, maxRows: lengths.length, maxRowTokens: longest };
  for (const [limit, value] of Object.entries(found) as [keyof typeof found, number][]) {
    if (value > config[limit]) {
      fail(
        "NB_CONFIG_INVALID",
        `batch: ${value} where the job's ${limit} is ${config[limit]}; use smaller batches`,
      );
    }
  }
  if (ids.length === 0) fail("NB_CONFIG_INVALID", "batch: no tokens");
}
