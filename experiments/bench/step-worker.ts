/**
 * Measures one model in a process of its own, so that its peak memory is its own: told by its parent when to measure,
 * so that the parent can time PyTorch between.
 */
import type { Executable } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { fail } from "../../shared/errors.ts";
import { matmulFlops } from "../../shared/graph/cost.ts";
import { input, type MatmulOptions, matmul } from "../../shared/graph/ops.ts";
import { segmentsOf } from "../../shared/model/cut.ts";
import { adamwSchema } from "../../shared/train/adamw.ts";
import { lossProgram, type SegmentSpec } from "../../shared/train/programs.ts";
import { scheduleSchema } from "../../shared/train/schedule.ts";
import {
  BottomRunner,
  type RunnerOptions,
  SegmentRunner,
  TopRunner,
  TrunkRunner,
} from "../../shared/train/segment-runner.ts";
import { BENCH_MODELS, benchBatch, benchWeights, wholeSpec } from "./step-models.ts";

export interface WorkerOptions {
  readonly model: string;
  readonly threads: number;
  readonly spin: boolean;
}

/** Milliseconds of each run of one round: steps one after another as in training, then joint and split in turn, then products. */
export interface Round {
  /** A whole training step: forward, backward, optimizer. */
  readonly step: number[];
  /** The optimizer's part of it. */
  readonly optimizer: number[];
  /** Forward and backward in one graph. */
  readonly joint: number[];
  /** The same work by bottom, trunk and top, with saved activations between forward and backward. */
  readonly split: number[];
  /** Largest matrix products: GFLOP/s of each size and form, by name. */
  readonly gemm: Record<string, number[]>;
}

export interface Ready {
  /** Floating-point operations of the matrix products of a step. */
  readonly flops: number;
  readonly tokens: number;
  /** After the first training steps, before anything else was measured. */
  readonly peakRssBytes: number;
}

const AT = { step: 0, microBatch: 0, training: true };
/** Steps before the first that counts: memory is planned, kernels are packed, JavaScript is compiled. */
const WARM_UP = 3;

const now = (): number => performance.now();

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = now();
  await work();
  return now() - began;
}

interface Gemm {
  readonly name: string;
  readonly executable: Executable;
  readonly feeds: Record<string, Float32Array>;
  readonly into: Record<string, Float32Array>;
  readonly flops: number;
}

/** Square products as the same engine runs them, in the three forms that training has. */
async function gemms(engine: Awaited<ReturnType<typeof createEngine>>): Promise<Gemm[]> {
  const forms: Record<string, MatmulOptions> = { A·B: {}, A·Bᵀ: { transB: true }, Aᵀ·B: { transA: true } };
  const made: Gemm[] = [];
  for (const n of [512, 1024, 1536]) {
    for (const [form, options] of Object.entries(forms)) {
      const y = matmul(input("a", [n, n]), input("b", [n, n]), options);
      const data = Float32Array.from({ length: n * n }, (_, i) => ((i * 7) % 13) / 13 - 0.5);
      made.push({
        name: `${form} ${n}`,
        executable: await engine.compile({ outputs: new Map([["y", y]]) }),
        feeds: { a: data, b: data.slice() },
        into: { y: new Float32Array(n * n) },
        flops: 2 * n ** 3,
      });
    }
  }
  return made;
}

/** Runs in the child process: measures rounds on request until the parent hangs up. */
export async function runWorker({ model: name, threads, spin }: WorkerOptions): Promise<void> {
  const model = BENCH_MODELS.find((m) => m.name === name) ?? fail("NB_INTERNAL", `no model "${name}"`);
  const engine = await createEngine("onnxruntime", { threads, spin });
  const options = (spec: SegmentSpec): RunnerOptions => ({
    spec,
    engine,
    weights,
    seed: 1,
    optimizer: adamwSchema.parse({}),
    schedule: scheduleSchema.parse({ learningRate: 1e-4, decay: "constant" }),
    totalSteps: 1000,
  });
  const weights = benchWeights(model);
  const batch = benchBatch(model);
  const { ids, labels, lengths } = batch;
  const tokens = ids.length;
  const spec = wholeSpec(model);
  const whole = new SegmentRunner(options(spec));
  let steps = 0;
  const step = async (): Promise<{ step: number; optimizer: number }> => {
    const began = now();
    await whole.lossOf(ids, labels, lengths, AT);
    const optimizer = await timed(() => whole.optimizerStep(steps++, tokens));
    return { step: now() - began, optimizer };
  };
  for (let i = 0; i < WARM_UP; i++) await step();
  const peakRssBytes = process.resourceUsage().maxRSS * 1024;
  const flops = matmulFlops(lossProgram(spec, model.bucket).program);

  const ranges = segmentsOf(model.config, model.cut);
  const bottom = new BottomRunner(options({ ...spec, range: ranges.bottom }));
  const trunk = new TrunkRunner(options({ ...spec, range: ranges.trunk }));
  const top = new TopRunner(options({ ...spec, range: ranges.top }));
  const joint = async (): Promise<void> => {
    await whole.lossOf(ids, labels, lengths, AT);
    whole.zeroGradients();
  };
  const split = async (): Promise<void> => {
    const first = await bottom.forward(batch, AT);
    const last = await trunk.forward(first.output, lengths, AT);
    const { gradient } = await top.loss(last.output, labels, lengths, AT);
    if (first.saved === undefined || last.saved === undefined || gradient === undefined) {
      fail("NB_INTERNAL", "a training pass saved nothing");
    }
    await bottom.backward(first.saved, await trunk.backward(last.saved, gradient));
    for (const runner of [bottom, trunk, top]) runner.zeroGradients();
  };
  const products = await gemms(engine);

  const round = async (runs: number): Promise<Round> => {
    const result: Round = { step: [], optimizer: [], joint: [], split: [], gemm: {} };
    for (let i = 0; i < runs; i++) {
      const one = await step();
      result.step.push(one.step);
      result.optimizer.push(one.optimizer);
    }
    for (let i = 0; i < runs; i++) {
      result.joint.push(await timed(joint));
      result.split.push(await timed(split));
    }
    for (const { name: of, executable, feeds, into, flops: work } of products) {
      result.gemm[of] = [];
      for (let i = 0; i < runs; i++) {
        const ms = await timed(() => executable.run(feeds, into));
        result.gemm[of].push(work / ms / 1e6);
      }
    }
    return result;
  };
  await round(1);

  process.on("message", async (runs: number) => {
    process.send?.(await round(runs));
  });
  process.send?.({ flops, tokens, peakRssBytes } satisfies Ready);
}
