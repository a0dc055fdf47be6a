import { describe, expect, it } from "vitest";
import { matmulFlops } from "../../shared/graph/cost.ts";
import {
  type OpKind,
  type Program,
  programInputs,
  topologicalOrder,
  type Value,
} from "../../shared/graph/ir.ts";
import { input, matmul, mul, silu } from "../../shared/graph/ops.ts";
import { partition, SAVED } from "../../shared/graph/partition.ts";
import type { SegmentRange } from "../../shared/model/cut.ts";
import { HIDDEN, IDS } from "../../shared/model/transformer.ts";
import {
  COTANGENT,
  GRADIENT,
  OUTPUT,
  SOURCE_GRADIENT,
  trainingPrograms,
} from "../../shared/train/programs.ts";
import { fullSpec, type Golden, loadGolden, loraSpec } from "../model/golden-cases.ts";
import { relativeDifference } from "../tensors.ts";
import { numbers } from "./operator-cases.ts";
import { gradientGraph, interpret } from "./reference.ts";

const BUCKET = { rows: 2, length: 5 };
const TOKENS = BUCKET.rows * BUCKET.length;
const TRUNK: SegmentRange = { embedding: false, from: 1, to: 2, head: false };
const BOTTOM: SegmentRange = { embedding: true, from: 0, to: 2, head: false };

function count(program: Program, kind: OpKind): number {
  const order = topologicalOrder([...program.outputs.values()]);
  return order.filter((v) => v.op.kind === kind).length;
}

function run(program: Program, feeds: Record<string, ArrayLike<number>>): Map<string, Float64Array> {
  const results = interpret([...program.outputs.values()], feeds);
  return new Map([...program.outputs.keys()].map((name, i) => [name, results[i]]));
}

function feedsOf(golden: Golden, range: SegmentRange): Record<string, ArrayLike<number>> {
  const feeds: Record<string, ArrayLike<number>> = {};
  for (const [name, data] of golden.weights) feeds[name] = data;
  for (const [name, { data }] of golden.adapters) feeds[name] = data;
  if (range.embedding) feeds[IDS] = Int32Array.from({ length: TOKENS }, (_, i) => (7 * i) % 60);
  else feeds[HIDDEN] = numbers("hidden", TOKENS * golden.config.hiddenSize);
  feeds[COTANGENT] = numbers("cotangent", TOKENS * golden.config.hiddenSize);
  return feeds;
}

/** Forward and backward in one program, as the graph is before it is cut apart. */
function jointOf(programs: {
  forward: Program;
  backward: Program;
  saved: ReadonlyMap<string, Value>;
}): Program {
  // Putting the saved values back in the place of the inputs that stand for them undoes the cut.
  const whole = new Map<Value, Value>();
  for (const value of topologicalOrder([...programs.backward.outputs.values()])) {
    const name = value.op.kind === "input" ? value.op.name : "";
    const inputs = value.inputs.map((v) => whole.get(v) as Value);
    whole.set(value, programs.saved.get(name) ?? { ...value, inputs });
  }
  const backward = [...programs.backward.outputs].map(([n, v]) => [n, whole.get(v) as Value] as const);
  return { outputs: new Map([...programs.forward.outputs, ...backward]) };
}

describe("a forward and a backward program made by partition", () => {
  it.each([
    ["llama", "none", TRUNK],
    ["llama", "block", TRUNK],
    ["llama", "none", BOTTOM],
    ["llama", "block", BOTTOM],
    ["gpt2", "none", TRUNK],
    ["gpt2", "block", BOTTOM],
  ] as const)(
    "of %s, rematerialising %s, give what the graph in one piece gives",
    async (name, rematerialise, range) => {
      const golden = await loadGolden(name);
      const feeds = feedsOf(golden, range);
      const programs = trainingPrograms(loraSpec(golden, range, rematerialise), BUCKET);
      const forward = run(programs.forward, feeds);
      for (const saved of programs.saved.keys()) feeds[saved] = forward.get(saved) as Float64Array;
      const backward = run(programs.backward, feeds);
      const joint = run(jointOf(programs), feeds);
      expect(relativeDifference(forward.get(OUTPUT)!, joint.get(OUTPUT)!)).toBe(0);
      expect([...backward.keys()].some((key) => key.startsWith(GRADIENT))).toBe(true);
      for (const [key, value] of backward)
        expect(relativeDifference(value, joint.get(key)!), key).toBeLessThan(1e-14);
    },
  );

  it("share only parameters, the source and saved values", async () => {
    const golden = await loadGolden("llama");
    const { forward, backward, saved } = trainingPrograms(loraSpec(golden, TRUNK), BUCKET);
    const forwardInputs = programInputs(forward);
    for (const name of programInputs(backward).keys()) {
      expect(forwardInputs.has(name) || saved.has(name) || name === COTANGENT, name).toBe(true);
    }
    for (const name of saved.keys()) {
      expect(name.startsWith(SAVED)).toBe(true);
      expect(forward.outputs.has(name)).toBe(true);
    }
  });

  it("recompute no matrix product unless asked to rematerialise", async () => {
    const golden = await loadGolden("llama");
    const plain = trainingPrograms(loraSpec(golden, TRUNK, "none"), BUCKET);
    const block = trainingPrograms(loraSpec(golden, TRUNK, "block"), BUCKET);
    const flops = (p: typeof plain): number => matmulFlops(p.forward) + matmulFlops(p.backward);
    expect(flops(plain)).toBe(matmulFlops(jointOf(plain)));
    expect(flops(block)).toBeGreaterThan(flops(plain));
    expect(count(plain.backward, "softmax")).toBe(0);
    expect(count(block.backward, "softmax")).toBe(1);
  });

  it("save what the backward program reads, not what that is made of", async () => {
    const golden = await loadGolden("llama");
    const { forward, backward, saved } = trainingPrograms(loraSpec(golden, TRUNK), BUCKET);
    // Queries and keys are saved rotated, so that the only rotations left are those of their gradients.
    expect(count(forward, "rope")).toBe(2);
    expect(count(backward, "rope")).toBe(2);
    // Layers are saved with their adapters added: 6 of 7, since the last makes the output. Beside them the 7 inputs of lora_B,
    // the softmax, and what attention mixes.
    const kinds = [...saved.values()].map((v) => v.op.kind);
    expect(kinds.filter((kind) => kind === "softmax")).toHaveLength(1);
    expect(saved.size).toBe(6 + 7 + 1 + 1);
  });

  it("save no more than what passes from block to block when they rematerialise", async () => {
    const golden = await loadGolden("llama");
    const { saved } = trainingPrograms(loraSpec(golden, BOTTOM, "block"), BUCKET);
    const hidden = [TOKENS, golden.config.hiddenSize];
    expect([...saved.values()].map((v) => v.shape)).toEqual([hidden, hidden]);
    expect(trainingPrograms(loraSpec(golden, TRUNK, "block"), BUCKET).saved.size).toBe(0);
  });
});

describe("frozen weights", () => {
  it("get no gradient and cost no matrix product", async () => {
    const golden = await loadGolden("llama");
    const lora = trainingPrograms(loraSpec(golden, TRUNK), BUCKET);
    const names = [...lora.backward.outputs.keys()];
    expect(names).toContain(SOURCE_GRADIENT);
    expect(names.filter((n) => n.startsWith(GRADIENT)).every((n) => n.includes(".lora_"))).toBe(true);
    // Of one block's 7 layers, forward: x·Wᵀ, x·Aᵀ, (x·Aᵀ)·Bᵀ. Backward: dx through W; dB, the way through B, dA, dx
    // through A. The two products of attention have two each backward.
    expect(count(lora.forward, "matmul")).toBe(7 * 3 + 2);
    expect(count(lora.backward, "matmul")).toBe(7 * (1 + 4) + 4);

    const full = trainingPrograms(fullSpec(golden, TRUNK), BUCKET);
    expect(count(full.forward, "matmul")).toBe(7 + 2);
    expect(count(full.backward, "matmul")).toBe(7 * 2 + 4);
  });

  it("below everything that is trained end the backward pass there", async () => {
    const golden = await loadGolden("llama");
    const spec = loraSpec(golden, BOTTOM);
    const last = { ...spec, lora: { ...spec.lora!, targetModules: ["layers.1.mlp.down_proj"] } };
    const { backward } = trainingPrograms(last, BUCKET);
    // dA, dB and the way through B; nothing of the layers before.
    expect(count(backward, "matmul")).toBe(3);
    expect(count(backward, "scatterAddRows")).toBe(0);
  });
});

describe("partition", () => {
  it("saves a value once however often the backward program reads it", () => {
    const x = input("x", [3, 3]);
    const w = input("w", [3, 3]);
    const h = matmul(x, w);
    const y = mul(silu(h), matmul(h, w));
    const graph = gradientGraph(y, [x, w]);
    const parts = partition({
      forward: new Map([["y", y]]),
      backward: new Map(graph.map((g, i) => [`g${i}`, g])),
    });
    // Both products; the activation is made again from the first.
    expect([...parts.saved.values()].map((v) => v.op.kind)).toEqual(["matmul", "matmul"]);
    expect(new Set(parts.saved.values()).size).toBe(2);
    const feeds: Record<string, ArrayLike<number>> = {
      x: numbers("x", 9),
      w: numbers("w", 9),
      cotangent: numbers("c", 9),
    };
    const forward = run(parts.forward, feeds);
    for (const name of parts.saved.keys()) feeds[name] = forward.get(name) as Float64Array;
    const backward = run(parts.backward, feeds);
    const whole = interpret(graph, feeds);
    graph.forEach((_, i) => {
      expect(relativeDifference(backward.get(`g${i}`)!, whole[i])).toBeLessThan(1e-15);
    });
  });
});
