/**
 * Runs a part of a model: the segments of segments.ts on an engine, and the whole model in one piece, for
 * pretraining and as the unsplit reference.
 *
 * One runner owns the parameters that it trains, their gradient accumulators and their optimizer. Frozen weights
 * are the caller's arrays, shared by every program that reads them. Programs are compiled once per shape bucket.
 */
import type { Engine, Executable, Tensors } from "../engine/engine.ts";
import { RunQueue } from "../engine/ports.ts";
import { fail } from "../errors.ts";
import { sizeOf, type Value } from "../graph/ir.ts";
import { initialLora } from "../model/lora.ts";
import { type Bucket, buildSegment, DROPOUT, HIDDEN, IDS, LABELS } from "../model/transformer.ts";
import { AdamW, type AdamWConfig } from "./adamw.ts";
import { ArrayPool } from "./array-pool.ts";
import { fillDropoutMask } from "./dropout.ts";
import { bucketFor, pad, tokenCount, unpad } from "./padding.ts";
import {
  COTANGENT,
  evaluationProgram,
  GRADIENT,
  LOGITS,
  lossProgram,
  NLL,
  OUTPUT,
  type SegmentSpec,
  SOURCE_GRADIENT,
  trainingPrograms,
} from "./programs.ts";
import { learningRateAt, type ScheduleConfig } from "./schedule.ts";
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
} from "./segments.ts";

export interface RunnerOptions {
  readonly spec: SegmentSpec;
  readonly engine: Engine;
  /** The base model's tensors of this segment, by name. With trainable "all" the runner updates them in place. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** Seeds fresh adapters and dropout. */
  readonly seed: number;
  readonly optimizer: AdamWConfig;
  readonly schedule: ScheduleConfig;
  /** Length of the learning-rate schedule, optimizer steps. */
  readonly totalSteps: number;
  /** Which parameters weight decay applies to; all by default. */
  readonly decays?: (name: string) => boolean;
}

interface Parameter {
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** The accumulated sum. */
  gradient: Float32Array;
}

/** A compiled program with arrays for what only it is fed and what it returns. */
interface Compiled {
  readonly executable: Executable;
  readonly dropouts: ReadonlyMap<string, Value>;
}

interface CompiledTraining {
  readonly forward: Executable;
  readonly backward: Executable | undefined;
  readonly saved: ReadonlyMap<string, Value>;
  readonly dropouts: ReadonlyMap<string, Value>;
}

class Saved implements SavedForward {
  readonly bucket: Bucket;
  readonly lengths: Int32Array;
  /** Everything the backward program reads besides parameters and the cotangent; undefined once taken. */
  #feeds: Record<string, Float32Array | Int32Array> | undefined;
  readonly #pool: ArrayPool;

  constructor(
    bucket: Bucket,
    lengths: Int32Array,
    feeds: Record<string, Float32Array | Int32Array>,
    pool: ArrayPool,
  ) {
    this.bucket = bucket;
    this.lengths = lengths;
    this.#feeds = feeds;
    this.#pool = pool;
  }

  /** Hands over what was saved, once: a release while a backward pass is under way must not free what it reads. */
  take(): Record<string, Float32Array | Int32Array> | undefined {
    const feeds = this.#feeds;
    this.#feeds = undefined;
    return feeds;
  }

  release(): void {
    this.#pool.giveAll(this.take() ?? {});
  }
}

/**
 * Bottom, trunk, top or whole, as its range says. It has the methods of all; each fails where the range lacks what it needs.
 */
export class SegmentRunner implements TrainableSegment {
  readonly spec: SegmentSpec;
  readonly #options: RunnerOptions;
  readonly #parameters = new Map<string, Parameter>();
  readonly #optimizer: AdamW;
  readonly #programs = new Map<string, Promise<Compiled>>();
  readonly #training = new Map<string, Promise<CompiledTraining>>();
  readonly #pool = new ArrayPool();
  /** Gradients as the last program wrote them, before they are added to the accumulators. */
  readonly #fresh: Record<string, Float32Array> = {};
  /** A program that writes there is run, and its gradients are added, before the next one starts. */
  readonly #backwards = new RunQueue();
  #accumulated = false;

  constructor(options: RunnerOptions) {
    this.spec = options.spec;
    this.#options = options;
    const { config, range, lora, trainable } = options.spec;
    const graph = buildSegment(config, range, { rows: 1, length: 1 }, { lora, training: false });
    const trained = new Map<string, Float32Array>();
    for (const [name, value] of graph.weights) {
      const data = options.weights.get(name);
      if (data === undefined || data.length !== sizeOf(value.shape)) {
        const found = data === undefined ? "is missing" : `has ${data.length} elements`;
        fail("NB_TENSOR_MISSING", `weight "${name}" ${found}; expected ${sizeOf(value.shape)} elements`);
      }
      if (trainable === "all") trained.set(name, data);
    }
    if (trainable === "adapters") {
      for (const [name, { shape }] of graph.adapters)
        trained.set(name, initialLora(name, shape, options.seed));
    }
    this.#optimizer = new AdamW(trained, options.optimizer, options.decays);
    for (const [name, { shape }] of trainable === "all" ? graph.weights : graph.adapters) {
      const data = trained.get(name) as Float32Array;
      const gradient = this.#optimizer.gradientArray(data.length);
      this.#parameters.set(name, { shape, data, gradient });
      this.#fresh[GRADIENT + name] = this.#optimizer.gradientArray(data.length);
    }
  }

  // Forward and backward of a segment without the head.

  /** Runs the blocks on packed token ids or packed smashed data. */
  async #forward(
    packed: Float32Array | Int32Array,
    lengths: Int32Array,
    at: PassPosition,
  ): Promise<ForwardResult> {
    const { config } = this.spec;
    const bucket = bucketFor(lengths, config.maxPositions);
    const hidden = bucket.rows * bucket.length * config.hiddenSize;
    const source = this.#paddedSource(packed, lengths, bucket);
    const padded = this.#pool.take(hidden);
    if (!at.training) {
      const { executable } = await this.#evaluation(OUTPUT, bucket);
      await executable.run(this.#feeds(source), { [OUTPUT]: padded });
      this.#releaseSource(source);
      const output = unpad(padded, lengths, bucket, config.hiddenSize);
      this.#pool.give(padded);
      return { output, saved: undefined };
    }
    const programs = await this.#trainingPrograms(bucket);
    const kept: Record<string, Float32Array | Int32Array> = { ...source };
    this.#addDropouts(kept, programs.dropouts, at);
    const into: Record<string, Float32Array> = { [OUTPUT]: padded };
    for (const [name, value] of programs.saved) into[name] = this.#pool.take(sizeOf(value.shape));
    await programs.forward.run(this.#feeds(kept), into);
    const output = unpad(padded, lengths, bucket, config.hiddenSize);
    this.#pool.give(padded);
    delete into[OUTPUT];
    return { output, saved: new Saved(bucket, lengths, Object.assign(kept, into), this.#pool) };
  }

  /** Accumulates gradients; returns dL/d(source), packed, unless the source is token ids. Consumes `saved`. */
  async #backward(saved: SavedForward, gradient: Float32Array): Promise<Float32Array | undefined> {
    const feeds = saved instanceof Saved ? saved.take() : undefined;
    if (!(saved instanceof Saved) || feeds === undefined) {
      return fail("NB_INTERNAL", "a saved forward pass was used twice, or is not this segment's");
    }
    const { config, range } = this.spec;
    const { bucket, lengths } = saved;
    const programs = await this.#trainingPrograms(bucket);
    const hidden = bucket.rows * bucket.length * config.hiddenSize;
    let sourceGradient: Float32Array | undefined;
    if (programs.backward !== undefined) {
      const cotangent = pad(gradient, lengths, bucket, config.hiddenSize, this.#pool.take(hidden));
      const into: Record<string, Float32Array> = {};
      if (!range.embedding) into[SOURCE_GRADIENT] = this.#pool.take(hidden);
      await this.#runBackward(programs.backward, { ...feeds, [COTANGENT]: cotangent }, into);
      this.#pool.give(cotangent);
      if (!range.embedding) {
        sourceGradient = unpad(into[SOURCE_GRADIENT], lengths, bucket, config.hiddenSize);
        this.#pool.give(into[SOURCE_GRADIENT]);
      }
    }
    this.#pool.giveAll(feeds);
    return sourceGradient;
  }

  /** Forward of token ids, for a bottom. */
  async forwardIds(batch: TokenBatch, at: PassPosition): Promise<ForwardResult> {
    return this.#forward(batch.ids, batch.lengths, at);
  }

  /** Forward of smashed data, for a trunk. */
  async forwardHidden(input: Float32Array, lengths: Int32Array, at: PassPosition): Promise<ForwardResult> {
    return this.#forward(input, lengths, at);
  }

  async backward(saved: SavedForward, gradient: Float32Array): Promise<Float32Array | undefined> {
    return this.#backward(saved, gradient);
  }

  // Loss of a segment with the head: a top, or the whole model.

  /** Source is token ids for the whole model, smashed data for a top; packed. */
  async lossOf(
    source: Float32Array | Int32Array,
    labels: Int32Array,
    lengths: Int32Array,
    at: PassPosition,
  ): Promise<LossResult> {
    const { config, range } = this.spec;
    const bucket = bucketFor(lengths, config.maxPositions);
    const tokens = bucket.rows * bucket.length;
    const feeds: Record<string, Float32Array | Int32Array> = this.#paddedSource(source, lengths, bucket);
    feeds[LABELS] = pad(labels, lengths, bucket, 1, new Int32Array(tokens), IGNORE);
    const into: Record<string, Float32Array> = { [NLL]: this.#pool.take(tokens) };
    let gradient: Float32Array | undefined;
    if (at.training) {
      const { executable, dropouts } = await this.#lossProgram(bucket);
      this.#addDropouts(feeds, dropouts, at);
      if (!range.embedding) into[SOURCE_GRADIENT] = this.#pool.take(tokens * config.hiddenSize);
      await this.#runBackward(executable, feeds, into);
      if (!range.embedding) {
        gradient = unpad(into[SOURCE_GRADIENT], lengths, bucket, config.hiddenSize);
        this.#pool.give(into[SOURCE_GRADIENT]);
      }
    } else {
      const { executable } = await this.#evaluation(NLL, bucket);
      await executable.run(this.#feeds(feeds), into);
    }
    let lossSum = 0;
    for (const nll of into[NLL]) lossSum += nll;
    let supervisedTokens = 0;
    for (const label of labels) if (label >= 0) supervisedTokens++;
    this.#pool.give(into[NLL]);
    this.#releaseSource(feeds);
    return { lossSum, supervisedTokens, gradient };
  }

  /** Logits of each row's last `counts[row]` real positions, one by default, row after row [sum of counts, vocabSize]. */
  async lastLogitsOf(
    source: Float32Array | Int32Array,
    lengths: Int32Array,
    counts: Int32Array = new Int32Array(lengths.length).fill(1),
  ): Promise<Float32Array> {
    const { config } = this.spec;
    const bucket = bucketFor(lengths, config.maxPositions);
    const { executable } = await this.#evaluation(LOGITS, bucket);
    const feeds = this.#paddedSource(source, lengths, bucket);
    const all = this.#pool.take(bucket.rows * bucket.length * config.vocabSize);
    await executable.run(this.#feeds(feeds), { [LOGITS]: all });
    const last = new Float32Array(tokenCount(counts) * config.vocabSize);
    let to = 0;
    lengths.forEach((length, row) => {
      const end = row * bucket.length + length;
      last.set(all.subarray((end - counts[row]) * config.vocabSize, end * config.vocabSize), to);
      to += counts[row] * config.vocabSize;
    });
    this.#pool.give(all);
    this.#releaseSource(feeds);
    return last;
  }

  // Programs, feeds, masks.

  #evaluation(result: typeof OUTPUT | typeof NLL | typeof LOGITS, bucket: Bucket): Promise<Compiled> {
    return this.#once(this.#programs, `${result}:${bucket.rows}x${bucket.length}`, async () => ({
      executable: await this.#options.engine.compile(evaluationProgram(this.spec, bucket, result)),
      dropouts: new Map(),
    }));
  }

  #lossProgram(bucket: Bucket): Promise<Compiled> {
    return this.#once(this.#programs, `loss:${bucket.rows}x${bucket.length}`, async () => {
      const { program, dropouts } = lossProgram(this.spec, bucket);
      return { executable: await this.#options.engine.compile(program), dropouts };
    });
  }

  #trainingPrograms(bucket: Bucket): Promise<CompiledTraining> {
    return this.#once(this.#training, `${bucket.rows}x${bucket.length}`, async () => {
      const { forward, backward, saved, dropouts } = trainingPrograms(this.spec, bucket);
      const { engine } = this.#options;
      const hasBackward = backward.outputs.size > 0;
      return {
        forward: await engine.compile(forward),
        backward: hasBackward ? await engine.compile(backward) : undefined,
        saved,
        dropouts,
      };
    });
  }

  #once<T>(cache: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
    let made = cache.get(key);
    if (made === undefined) {
      made = make();
      cache.set(key, made);
    }
    return made;
  }

  #paddedSource(
    packed: Float32Array | Int32Array,
    lengths: Int32Array,
    bucket: Bucket,
  ): Record<string, Float32Array | Int32Array> {
    const tokens = bucket.rows * bucket.length;
    const { hiddenSize } = this.spec.config;
    if (packed instanceof Int32Array)
      return { [IDS]: pad(packed, lengths, bucket, 1, new Int32Array(tokens)) };
    return { [HIDDEN]: pad(packed, lengths, bucket, hiddenSize, this.#pool.take(tokens * hiddenSize)) };
  }

  #releaseSource(feeds: Record<string, Float32Array | Int32Array>): void {
    for (const [name, array] of Object.entries(feeds)) {
      if (array instanceof Float32Array && (name === HIDDEN || name.startsWith(DROPOUT)))
        this.#pool.give(array);
    }
  }

  #addDropouts(
    feeds: Record<string, Float32Array | Int32Array>,
    dropouts: ReadonlyMap<string, Value>,
    at: PassPosition,
  ): void {
    for (const [name, value] of dropouts) {
      const mask = this.#pool.take(sizeOf(value.shape));
      fillDropoutMask(mask, this.spec.lora?.dropout ?? 0, this.#options.seed, at, name);
      feeds[name] = mask;
    }
  }

  /** Base weights and adapters with `own` on top. */
  #feeds(own: Tensors): Tensors {
    const feeds: Record<string, Float32Array | Int32Array> = {};
    for (const [name, data] of this.#options.weights) feeds[name] = data;
    for (const [name, { data }] of this.#parameters) feeds[name] = data;
    return Object.assign(feeds, own);
  }

  /** Runs a program whose results are `into` and the fresh gradients, and accumulates those. */
  #runBackward(executable: Executable, own: Tensors, into: Tensors): Promise<void> {
    return this.#backwards.run(async () => {
      await executable.run(this.#feeds(own), { ...into, ...this.#fresh });
      this.#accumulate();
    });
  }

  #accumulate(): void {
    for (const [name, parameter] of this.#parameters) {
      const { gradient } = parameter;
      const fresh = this.#fresh[GRADIENT + name];
      if (this.#accumulated) for (let i = 0; i < gradient.length; i++) gradient[i] += fresh[i];
      else {
        // The first of a step: instead of being copied, the arrays change places.
        parameter.gradient = fresh;
        this.#fresh[GRADIENT + name] = gradient;
      }
    }
    this.#accumulated = true;
  }

  // Adapters, gradients, optimizer.

  adapters(): NamedTensors {
    return this.#copy((p) => p.data);
  }

  gradients(): NamedTensors {
    // While nothing has been accumulated the arrays hold whatever they held before.
    if (!this.#accumulated) for (const { gradient } of this.#parameters.values()) gradient.fill(0);
    return this.#copy((p) => p.gradient);
  }

  #copy(pick: (p: Parameter) => Float32Array): NamedTensors {
    return new Map(
      [...this.#parameters].map(([name, p]) => [name, { shape: p.shape, data: pick(p).slice() }]),
    );
  }

  /** The given tensors in this runner's order; NB_ADAPTER_MISMATCH, before anything is changed, when they are not its own. */
  #matching(tensors: NamedTensors, what: string): [Parameter, Float32Array][] {
    if (tensors.size !== this.#parameters.size) {
      fail(
        "NB_ADAPTER_MISMATCH",
        `${what}: ${tensors.size} tensors given; expected ${this.#parameters.size}`,
      );
    }
    return [...this.#parameters].map(([name, p]) => {
      const given = tensors.get(name);
      if (given === undefined || given.data.length !== p.data.length) {
        const found = given === undefined ? "is missing" : `has ${given.data.length} elements`;
        fail("NB_ADAPTER_MISMATCH", `${what}: "${name}" ${found}; expected shape [${p.shape.join(", ")}]`);
      }
      return [p, given.data];
    });
  }

  loadAdapters(adapters: NamedTensors): void {
    for (const [p, data] of this.#matching(adapters, "adapters")) p.data.set(data);
  }

  addGradients(gradients: NamedTensors): void {
    for (const [p, data] of this.#matching(gradients, "gradients")) {
      if (!this.#accumulated) p.gradient.set(data);
      else for (let i = 0; i < data.length; i++) p.gradient[i] += data[i];
    }
    this.#accumulated = true;
  }

  zeroGradients(): void {
    this.#accumulated = false;
  }

  async optimizerStep(
    step: number,
    supervisedTokens: number,
  ): Promise<{ gradientNorm: number; learningRate: number }> {
    const learningRate = learningRateAt(this.#options.schedule, step, this.#options.totalSteps);
    if (supervisedTokens === 0 || !this.#accumulated) return { gradientNorm: 0, learningRate };
    const gradients = new Map([...this.#parameters].map(([name, p]) => [name, p.gradient]));
    const gradientNorm = this.#optimizer.step(gradients, step, learningRate, 1 / supervisedTokens);
    this.#accumulated = false;
    return { gradientNorm, learningRate };
  }

  saveState(): NamedTensors {
    const state = new Map(this.#copy((p) => p.data));
    for (const [name, data] of this.#optimizer.state()) {
      state.set(name, { shape: [data.length], data: data.slice() });
    }
    return state;
  }

  restoreState(state: NamedTensors): void {
    const own = new Map([...state].filter(([name]) => this.#parameters.has(name)));
    const matching = this.#matching(own, "checkpoint");
    this.#optimizer.restore(new Map([...state].map(([name, { data }]) => [name, data])));
    for (const [p, data] of matching) p.data.set(data);
    this.zeroGradients();
  }

  async dispose(): Promise<void> {
    for (const { executable } of await Promise.all(this.#programs.values())) await executable.dispose();
    for (const { forward, backward } of await Promise.all(this.#training.values())) {
      await forward.dispose();
      await backward?.dispose();
    }
    this.#programs.clear();
    this.#training.clear();
  }
}

/** A runner as a bottom: token ids in, smashed data out. */
export class BottomRunner extends SegmentRunner implements BottomSegment {
  async forward(batch: TokenBatch, at: PassPosition): Promise<ForwardResult> {
    return this.forwardIds(batch, at);
  }

  override async backward(saved: SavedForward, gradient: Float32Array): Promise<undefined> {
    await super.backward(saved, gradient);
  }
}

/** A runner as a trunk: smashed data in and out. */
export class TrunkRunner extends SegmentRunner implements TrunkSegment {
  async forward(input: Float32Array, lengths: Int32Array, at: PassPosition): Promise<ForwardResult> {
    return this.forwardHidden(input, lengths, at);
  }

  override async backward(saved: SavedForward, gradient: Float32Array): Promise<Float32Array> {
    return (await super.backward(saved, gradient)) as Float32Array;
  }
}

/** A runner as a top: smashed data and labels in, loss out. */
export class TopRunner extends SegmentRunner implements TopSegment {
  async loss(
    input: Float32Array,
    labels: Int32Array,
    lengths: Int32Array,
    at: PassPosition,
  ): Promise<LossResult> {
    return this.lossOf(input, labels, lengths, at);
  }

  async lastLogits(input: Float32Array, lengths: Int32Array): Promise<Float32Array> {
    return this.lastLogitsOf(input, lengths);
  }
}
