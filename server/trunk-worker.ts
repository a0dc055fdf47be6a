/**
 * The server's computations for a job: decodes what clients send, runs the trunk (and, in a vanilla split, the top), and encodes the
 * answers. What belongs to a client's open step is kept apart, so that it can be dropped until the step commits.
 */
import type { CodecState } from "../shared/codec/codec.ts";
import { fail } from "../shared/errors.ts";
import type { SideState } from "../shared/job/side-checkpoint.ts";
import { AdapterAssembler, type FlatAdapters, parseManifest } from "../shared/protocol/adapters.ts";
import { xxh32 } from "../shared/protocol/checksum.ts";
import { makeReceiver, makeSender } from "../shared/protocol/codecs.ts";
import { GradientSum } from "../shared/protocol/gradient-sum.ts";
import type { JobConfig } from "../shared/protocol/job-config.ts";
import { decodeLabels } from "../shared/protocol/labels.ts";
import type { AdapterBeginMessage, AdapterChunkMessage } from "../shared/protocol/messages.ts";
import { compareKeys, type StepKey, type TensorMessage } from "../shared/protocol/messages.ts";
import {
  addMembers,
  type MemberGradients,
  PLAIN_AGGREGATION,
  type RobustAggregation,
  refuseAbsurdNorm,
} from "../shared/protocol/robust-sum.ts";
import type { CommitGroup, ServerRequest, ServerResult } from "../shared/protocol/server-state.ts";
import type { SentTensor, TensorReceiver, TensorSender } from "../shared/protocol/tensor-stream.ts";
import type { SavedForward, TopSegment, TrunkSegment } from "../shared/train/segments.ts";

/** A micro-batch between its forward and its backward pass. */
interface PendingBackward {
  readonly saved: SavedForward;
  /** To be shown the gradient of A2. */
  readonly learn: SentTensor["learn"];
}

/** What is held for a client's open step. */
interface OpenWork {
  readonly key: StepKey;
  readonly pending: Map<number, PendingBackward>;
  readonly trunkGradients: GradientSum;
  readonly topGradients: GradientSum;
  /** States of the client's encoders before the step. */
  readonly encoders: readonly CodecState[];
}

/** Codec streams of one client, and its open step. */
class ClientWork {
  readonly senders: { readonly A2: TensorSender; readonly G1: TensorSender };
  readonly receivers: { readonly A1: TensorReceiver; readonly G2: TensorReceiver };
  open: OpenWork | undefined;
  /** Adapters that are arriving or have arrived. */
  upload: AdapterAssembler | undefined;
  /** XXH32 of the manifest that came on its connection. */
  manifest: number | undefined;

  constructor(config: JobConfig, index: number) {
    this.senders = {
      A2: makeSender(config, index, "A2"),
      G1: makeSender(config, index, "G1"),
    };
    this.receivers = { A1: makeReceiver(config, "A1"), G2: makeReceiver(config, "G2") };
  }
}

/** Milliseconds spent, cumulative. */
export interface WorkTimes {
  readonly computeMs: number;
  readonly codecMs: number;
}

export interface TrunkWorkerOptions {
  readonly config: JobConfig;
  readonly trunk: TrunkSegment;
  /** In a vanilla split. */
  readonly top: TopSegment | undefined;
  /** {@link PLAIN_AGGREGATION} where it is not said. */
  readonly robust?: Partial<RobustAggregation>;
}

export class TrunkWorker {
  readonly #options: TrunkWorkerOptions;
  readonly #robust: RobustAggregation;
  readonly #clients: ClientWork[] = [];
  #average: (FlatAdapters & { readonly number: number }) | undefined;
  #computeMs = 0;
  #codecMs = 0;

  constructor(options: TrunkWorkerOptions) {
    this.#options = options;
    this.#robust = { ...PLAIN_AGGREGATION, ...options.robust };
    if (options.config.split === "vanilla" && options.top === undefined) {
      fail("NB_INTERNAL", "a vanilla split needs its top on the server");
    }
  }

  get times(): WorkTimes {
    return { computeMs: this.#computeMs, codecMs: this.#codecMs };
  }

  /** The newest average, for sending. */
  get average(): (FlatAdapters & { readonly number: number }) | undefined {
    return this.#average;
  }

  /** What the codecs of clients 0 to `clients` − 1 have learned, for a checkpoint. No step may be open. */
  saveCodecs(clients: number): Record<string, CodecState> {
    const states: Record<string, CodecState> = {};
    for (let index = 0; index < clients; index++) {
      const { senders, receivers } = this.#client(index);
      for (const phase of ["A2", "G1"] as const) states[`${index}/${phase}`] = senders[phase].save();
      for (const phase of ["A1", "G2"] as const) states[`${index}/${phase}`] = receivers[phase].save();
    }
    return states;
  }

  /** Digests of the manifests that clients have sent on their connections. */
  manifests(clients: number): (number | undefined)[] {
    return Array.from({ length: clients }, (_, index) => this.#client(index).manifest);
  }

  /** Takes over what a checkpoint holds. Nothing has been sent to anybody by this process. */
  restore(
    clients: number,
    { codecs, average, manifests }: Pick<SideState, "codecs" | "average" | "manifests">,
  ): void {
    for (let index = 0; index < clients; index++) {
      const work = this.#client(index);
      const { senders, receivers } = work;
      work.manifest = manifests[index];
      for (const phase of ["A2", "G1"] as const) {
        senders[phase].restore(stateOf(codecs, `${index}/${phase}`));
      }
      for (const phase of ["A1", "G2"] as const)
        receivers[phase].restore(stateOf(codecs, `${index}/${phase}`));
    }
    this.#average = average === undefined ? undefined : { ...average, manifest: new Uint8Array(0) };
  }

  /** A client's senders, for reports. */
  senders(client: number): { readonly A2: TensorSender; readonly G1: TensorSender } {
    return this.#client(client).senders;
  }

  /** The client's connection is new. `resumed`: its run is the one that was here before. */
  resetStreams(client: number, resumed: boolean): void {
    const work = this.#client(client);
    for (const sender of Object.values(work.senders)) sender.resetPeer();
    if (!resumed) {
      for (const sender of Object.values(work.senders)) sender.forgetPeer();
      for (const receiver of Object.values(work.receivers)) receiver.resetPeer();
    }
    // Adapters that have all come may be waiting for their average.
    if (work.upload?.complete === false) work.upload = undefined;
    work.manifest = undefined;
  }

  begin(client: number, { step, attempt }: StepKey): void {
    const work = this.#client(client);
    work.open = {
      key: { step, attempt },
      pending: new Map(),
      trunkGradients: new GradientSum(),
      topGradients: new GradientSum(),
      encoders: [work.senders.A2.encoder.save(), work.senders.G1.encoder.save()],
    };
  }

  /** Drops the step `key` of a client, if it is the open one. */
  discard(client: number, key: StepKey): void {
    const work = this.#client(client);
    const { open } = work;
    if (open === undefined || compareKeys(open.key, key) !== 0) return;
    for (const { saved } of open.pending.values()) saved.release();
    work.senders.A2.encoder.restore(open.encoders[0]);
    work.senders.G1.encoder.restore(open.encoders[1]);
    work.open = undefined;
  }

  /**
   * Carries out a request, unless the step that it is for has been dropped: then the answer is undefined. When it throws, the
   * segments' own accumulators are empty, and the client's step must be discarded.
   */
  async run(request: ServerRequest): Promise<ServerResult | undefined> {
    try {
      return await this.#carryOut(request);
    } catch (error) {
      this.#options.trunk.zeroGradients();
      this.#options.top?.zeroGradients();
      throw error;
    }
  }

  async #carryOut(request: ServerRequest): Promise<ServerResult | undefined> {
    switch (request.kind) {
      case "forward":
        return this.#forward(request.client, request.message);
      case "backward":
        return this.#backward(request.client, request.message);
      case "vanilla":
        return this.#vanilla(request.client, request.message);
      case "commit":
        return this.#commit(request.group);
      case "average":
        return this.#averageOf(request.average, request.members);
    }
  }

  async #forward(client: number, message: TensorMessage): Promise<ServerResult | undefined> {
    const { trunk } = this.#options;
    const work = this.#client(client);
    const open = openFor(work, message);
    if (open === undefined) return undefined;
    const input = this.#codec(() => work.receivers.A1.decode(message));
    const { rows } = work.receivers.A1;
    const lengths = Int32Array.from(message.lengths);
    const { output, saved } = await this.#compute(() => trunk.forward(input, lengths, at(message)));
    if (work.open !== open) {
      saved!.release();
      return undefined;
    }
    const { tokens, microBatch } = message;
    const sent = this.#codec(() => work.senders.A2.encode(output, tokens, open.key, microBatch, { rows }));
    open.pending.set(microBatch, { saved: saved!, learn: sent.learn });
    return { kind: "tensor", client, message: sent.message };
  }

  async #backward(client: number, message: TensorMessage): Promise<ServerResult | undefined> {
    const { trunk } = this.#options;
    const work = this.#client(client);
    const open = openFor(work, message);
    if (open === undefined) return undefined;
    const { tokens, microBatch } = message;
    const gradient = this.#codec(() => work.receivers.G2.decode(message));
    const pending = open.pending.get(microBatch)!;
    this.#codec(() => pending.learn?.(gradient));
    open.pending.delete(microBatch);
    const inputGradient = await this.#compute(() => trunk.backward(pending.saved, gradient));
    open.trunkGradients.take(trunk, tokens);
    refuseAbsurdNorm(open.trunkGradients, this.#robust);
    if (work.open !== open) return undefined;
    const extras = { tiedTo: work.receivers.A1 };
    const sent = this.#codec(() =>
      work.senders.G1.encode(inputGradient, tokens, open.key, microBatch, extras),
    );
    return { kind: "tensor", client, message: sent.message };
  }

  async #vanilla(client: number, message: TensorMessage): Promise<ServerResult | undefined> {
    const { trunk, config } = this.#options;
    const top = this.#options.top!;
    const work = this.#client(client);
    const open = openFor(work, message);
    if (open === undefined) return undefined;
    const { tokens, microBatch } = message;
    const labels = decodeLabels(message.labels!, tokens, config.model.vocabulary);
    const input = this.#codec(() => work.receivers.A1.decode(message));
    const lengths = Int32Array.from(message.lengths);
    const { loss, inputGradient } = await this.#compute(async () => {
      const { output, saved } = await trunk.forward(input, lengths, at(message));
      const loss = await top.loss(output, labels, lengths, at(message));
      return { loss, inputGradient: await trunk.backward(saved!, loss.gradient!) };
    });
    open.topGradients.take(top, tokens);
    open.trunkGradients.take(trunk, tokens);
    for (const sum of [open.topGradients, open.trunkGradients]) refuseAbsurdNorm(sum, this.#robust);
    if (work.open !== open) return undefined;
    const { lossSum, supervisedTokens } = loss;
    if (!Number.isFinite(lossSum)) fail("NB_TENSOR_NOT_FINITE", `the loss is ${lossSum}`);
    const extras = { lossSum, supervisedTokens, tiedTo: work.receivers.A1 };
    const sent = this.#codec(() => {
      return work.senders.G1.encode(inputGradient, tokens, open.key, microBatch, extras);
    });
    return { kind: "tensor", client, message: sent.message };
  }

  /** One optimizer step with the members' gradients, added in order of client index. */
  async #commit(group: CommitGroup): Promise<ServerResult> {
    const { trunk, top } = this.#options;
    const works = group.members.map((member) => ({ member, work: this.#client(member.client) }));
    const sums = (of: "trunkGradients" | "topGradients"): MemberGradients[] =>
      works.map(({ member, work }) => ({ sum: work.open![of], supervisedTokens: member.supervisedTokens }));
    addMembers(sums("trunkGradients"), trunk, this.#robust);
    if (top !== undefined) addMembers(sums("topGradients"), top, this.#robust);
    const supervisedTokens = group.members.reduce((sum, m) => sum + m.supervisedTokens, 0);
    // Schedules run over the job's steps; in sequential mode the trunk takes several optimizer steps for each of them.
    const { step } = group.members[0];
    const norms = await this.#compute(async () => [
      (await trunk.optimizerStep(step, supervisedTokens)).gradientNorm,
      top === undefined ? 0 : (await top.optimizerStep(step, supervisedTokens)).gradientNorm,
    ]);
    for (const { member, work } of works) {
      work.senders.A2.encoder.endStep(member.step);
      work.senders.G1.encoder.endStep(member.step);
      work.open = undefined;
    }
    return { kind: "commit", trunkStep: group.trunkStep, gradientNorm: Math.hypot(...norms) };
  }

  /** Takes in a piece of a client's adapters. NB_ADAPTER_MISMATCH when they are not what they must be. */
  acceptAdapter(client: number, message: AdapterBeginMessage | AdapterChunkMessage): void {
    const work = this.#client(client);
    if (message.type === "adapterChunk") {
      work.upload!.add(message);
      if (work.upload!.complete) refuseInfinite(work);
      return;
    }
    const { manifest, manifestDigest, totalBytes } = message;
    if (manifest.length > 0) {
      parseManifest(manifest, totalBytes);
      if (xxh32(manifest) !== manifestDigest) {
        fail("NB_ADAPTER_MISMATCH", `a manifest whose digest is not ${manifestDigest}`);
      }
      work.manifest = manifestDigest;
    }
    if (work.manifest !== manifestDigest) {
      fail("NB_ADAPTER_MISMATCH", "adapters whose manifest was not sent on this connection");
    }
    work.upload = new AdapterAssembler(message);
  }

  /** Averages uploads, weighted, in order of client index and in f64, so that the result does not depend on arrival. */
  #averageOf(number: number, members: readonly { client: number; weight: number }[]): ServerResult {
    // One that was refused when it was whole is left out: the machine may have counted it in before it heard.
    const good = members.filter(({ client }) => this.#client(client).upload !== undefined);
    if (good.length === 0) fail("NB_TENSOR_NOT_FINITE", "no client's adapters could be averaged");
    const total = good.reduce((sum, { weight }) => sum + weight, 0);
    const first = this.#client(good[0].client).upload!.begin;
    const sum = new Float64Array(first.totalBytes / 4);
    for (const { client, weight } of good) {
      const work = this.#client(client);
      const bytes = work.upload!.data();
      const view = new DataView(bytes.buffer);
      for (let i = 0; i < sum.length; i++) sum[i] += weight * view.getFloat32(i * 4, true);
      work.upload = undefined;
    }
    const data = new Uint8Array(first.totalBytes);
    const view = new DataView(data.buffer);
    for (let i = 0; i < sum.length; i++) {
      const value = sum[i] / total;
      if (!Number.isFinite(value)) fail("NB_TENSOR_NOT_FINITE", `the average of the adapters holds ${value}`);
      view.setFloat32(i * 4, value, true);
    }
    this.#average = { number, manifest: new Uint8Array(0), digest: first.manifestDigest, data };
    return { kind: "average", average: number };
  }

  #client(index: number): ClientWork {
    const { config } = this.#options;
    this.#clients[index] ??= new ClientWork(config, index);
    return this.#clients[index];
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

/** Drops an upload that holds NaN or infinity, and says so: NB_TENSOR_NOT_FINITE. */
function refuseInfinite(work: ClientWork): void {
  const bytes = work.upload!.data();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += 4) {
    const value = view.getFloat32(at, true);
    if (Number.isFinite(value)) continue;
    work.upload = undefined;
    fail("NB_TENSOR_NOT_FINITE", `the adapters hold ${value}`);
  }
}

function stateOf(codecs: Readonly<Record<string, CodecState>>, name: string): CodecState {
  return codecs[name] ?? fail("NB_CHECKPOINT_INVALID", `checkpoint: no state of codec stream ${name}`);
}

function at({ step, microBatch }: TensorMessage): { step: number; microBatch: number; training: true } {
  return { step, microBatch, training: true };
}

/** The open step of a client if `message` belongs to it. */
function openFor(work: ClientWork, message: TensorMessage): OpenWork | undefined {
  return work.open !== undefined && compareKeys(work.open.key, message) === 0 ? work.open : undefined;
}
