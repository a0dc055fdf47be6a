/**
 * Segments that give their memory back while nobody uses them: after some time without work the weights and compiled graphs are dropped, and adapters and
 * optimizer state are kept; the next piece of work loads the weights again. What is computed is the same, bit for bit.
 */
import { fail } from "../shared/errors.ts";
import { realTimer, type SetTimer } from "../shared/protocol/transport.ts";
import type {
  ForwardResult,
  LossResult,
  NamedTensors,
  PassPosition,
  SavedForward,
  TopSegment,
  TrainableSegment,
  TrunkSegment,
} from "../shared/train/segments.ts";

export interface UnloadingOptions<S extends TrainableSegment> {
  /** Loads the segment with fresh adapters. */
  readonly load: () => Promise<S>;
  /** Milliseconds without work after which the weights are dropped. */
  readonly idleMs: number;
  readonly setTimer?: SetTimer;
  /** Told of every change. */
  readonly onChange?: (loaded: boolean) => void;
}

/** What is kept of a segment while its weights are not there. */
interface Kept {
  readonly state: NamedTensors;
  readonly adapters: NamedTensors;
}

class Unloading<S extends TrainableSegment> implements TrainableSegment {
  readonly #options: UnloadingOptions<S>;
  readonly #setTimer: SetTimer;
  #inner: S | undefined;
  #kept: Kept | undefined;
  #loading: Promise<S> | undefined;
  /** The gradient accumulator while the weights are away; undefined when it is all zero. */
  #accumulated: NamedTensors | undefined;
  /** Pieces of work under way and forward passes that wait for their backward pass. */
  #busy = 0;
  #cancelTimer = (): void => {};
  #disposed = false;

  /** `first` is loaded already, so that a bad model is told of at the start. */
  constructor(first: S, options: UnloadingOptions<S>) {
    this.#inner = first;
    this.#options = options;
    this.#setTimer = options.setTimer ?? realTimer;
    this.#settle();
  }

  get loaded(): boolean {
    return this.#inner !== undefined;
  }

  /** Does `work` with the weights there. */
  protected async use<T>(work: (segment: S) => Promise<T>): Promise<T> {
    this.hold();
    try {
      return await work(await this.#load());
    } finally {
      this.letGo();
    }
  }

  protected hold(): void {
    this.#busy += 1;
    this.#cancelTimer();
  }

  protected letGo(): void {
    this.#busy -= 1;
    this.#settle();
  }

  /** A saved forward pass keeps the weights until it is used or released. */
  protected keep(saved: SavedForward): SavedForward {
    this.hold();
    return new HeldForward(saved, () => this.letGo());
  }

  #settle(): void {
    this.#cancelTimer();
    if (this.#busy > 0 || this.#disposed || this.#inner === undefined) return;
    this.#cancelTimer = this.#setTimer(this.#options.idleMs, () => this.#unload());
  }

  #unload(): void {
    const inner = this.#inner;
    if (inner === undefined || this.#busy > 0) return;
    this.#kept = { state: inner.saveState(), adapters: inner.adapters() };
    // What was accumulated belongs to a step that is not committed yet.
    const pending = inner.gradients();
    const holds = [...pending.values()].some(({ data }) => data.some((value) => value !== 0));
    this.#accumulated = holds ? pending : undefined;
    this.#inner = undefined;
    void inner.dispose();
    this.#options.onChange?.(false);
  }

  #load(): Promise<S> {
    if (this.#disposed) fail("NB_INTERNAL", "a segment was used after it was disposed of");
    if (this.#inner !== undefined) return Promise.resolve(this.#inner);
    this.#loading ??= this.#restore().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #restore(): Promise<S> {
    const inner = await this.#options.load();
    const { state } = this.#kept as Kept;
    inner.restoreState(state);
    if (this.#accumulated !== undefined) inner.addGradients(this.#accumulated);
    this.#accumulated = undefined;
    this.#kept = undefined;
    this.#inner = inner;
    this.#options.onChange?.(true);
    return inner;
  }

  adapters(): NamedTensors {
    return this.#inner?.adapters() ?? copy((this.#kept as Kept).adapters);
  }

  loadAdapters(adapters: NamedTensors): void {
    if (this.#inner === undefined) this.#replace(adapters);
    else this.#inner.loadAdapters(adapters);
  }

  gradients(): NamedTensors {
    if (this.#inner !== undefined) return this.#inner.gradients();
    return copy(this.#accumulated ?? zeros((this.#kept as Kept).adapters));
  }

  addGradients(gradients: NamedTensors): void {
    if (this.#inner !== undefined) {
      this.#inner.addGradients(gradients);
      return;
    }
    this.#accumulated ??= zeros(gradients);
    for (const [name, { data }] of gradients) {
      const sum = (this.#accumulated.get(name) as { data: Float32Array }).data;
      for (let i = 0; i < sum.length; i++) sum[i] += data[i];
    }
  }

  zeroGradients(): void {
    this.#accumulated = undefined;
    this.#inner?.zeroGradients();
  }

  optimizerStep(step: number, supervisedTokens: number) {
    return this.use((segment) => segment.optimizerStep(step, supervisedTokens));
  }

  saveState(): NamedTensors {
    return this.#inner?.saveState() ?? copy((this.#kept as Kept).state);
  }

  restoreState(state: NamedTensors): void {
    if (this.#inner !== undefined) {
      this.#inner.restoreState(state);
      return;
    }
    this.#accumulated = undefined;
    this.#kept = { state: new Map(), adapters: (this.#kept as Kept).adapters };
    this.#replace(state);
  }

  /** Sets part of what is kept; the segment checks names and shapes when it takes it over. */
  #replace(tensors: NamedTensors): void {
    const { state, adapters } = this.#kept as Kept;
    const given = copy(tensors);
    const own = [...given].filter(([name]) => adapters.has(name));
    this.#kept = { state: new Map([...state, ...given]), adapters: new Map([...adapters, ...own]) };
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#cancelTimer();
    await this.#loading?.catch(() => {});
    await this.#inner?.dispose();
    this.#inner = undefined;
  }
}

class HeldForward implements SavedForward {
  readonly inner: SavedForward;
  readonly #letGo: () => void;
  #done = false;

  constructor(inner: SavedForward, letGo: () => void) {
    this.inner = inner;
    this.#letGo = letGo;
  }

  release(): void {
    if (this.#done) return;
    this.inner.release();
    this.used();
  }

  /** Its backward pass is done, or it was released. */
  used(): void {
    if (!this.#done) this.#letGo();
    this.#done = true;
  }
}

function copy(tensors: NamedTensors): NamedTensors {
  return new Map([...tensors].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]));
}

function zeros(like: NamedTensors): NamedTensors {
  return new Map(
    [...like].map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]),
  );
}

export class UnloadingTrunk extends Unloading<TrunkSegment> implements TrunkSegment {
  forward(input: Float32Array, lengths: Int32Array, at: PassPosition): Promise<ForwardResult> {
    return this.use(async (trunk) => {
      const { output, saved } = await trunk.forward(input, lengths, at);
      return { output, saved: saved === undefined ? undefined : this.keep(saved) };
    });
  }

  backward(saved: SavedForward, gradient: Float32Array): Promise<Float32Array> {
    const held = saved as HeldForward;
    return this.use(async (trunk) => {
      try {
        return await trunk.backward(held.inner, gradient);
      } finally {
        held.used();
      }
    });
  }
}

export class UnloadingTop extends Unloading<TopSegment> implements TopSegment {
  loss(input: Float32Array, labels: Int32Array, lengths: Int32Array, at: PassPosition): Promise<LossResult> {
    return this.use((top) => top.loss(input, labels, lengths, at));
  }

  lastLogits(input: Float32Array, lengths: Int32Array): Promise<Float32Array> {
    return this.use((top) => top.lastLogits(input, lengths));
  }
}
