/**
 * A run's report with the shapes that real runs have, made of formulas, for tests of the page alone. The bytes are
 * worked out as the wire would have them, so that sums can be checked.
 */

import {
  type ClientReport,
  PHASE_NAMES,
  REPORT_FORMAT,
  REPORT_VERSION,
  type RunReport,
} from "../../experiments/report/run-report.ts";
import { CATEGORIES, type Category } from "../../shared/ledger/ledger.ts";
import { random32 } from "../../shared/random.ts";

const CHANNELS = 256;
const TOKENS = 1024;

function noise(seed: number, i: number): number {
  return random32(seed, 1, i) / 2 ** 32 - 0.5;
}

/** Bits over a run of `steps`: 8, then falling along a cosine to 3 at 70 %, and 3 from there. */
function annealed(step: number, steps: number): number {
  const share = Math.min(1, (step - 1) / (0.7 * steps));
  return 3 + 5 * 0.5 * (1 + Math.cos(Math.PI * share));
}

function emptyBytes(): Record<Category, number> {
  return Object.fromEntries(CATEGORIES.map((c) => [c, 0])) as Record<Category, number>;
}

function syntheticClient(
  name: string,
  data: string,
  seed: number,
  steps: number,
  base: number,
  fall: number,
): ClientReport {
  const step = Array.from({ length: steps }, (_, i) => i + 1);
  const curve = (i: number) => base - fall * (1 - Math.exp(-i / (steps / 4)));
  const loss = step.map((s) => curve(s) + 0.25 * noise(seed, s));
  const unsplitLoss = step.map((s, i) => loss[i] - 0.01 - 0.02 * noise(seed + 7, s));
  const bits = Object.fromEntries(
    PHASE_NAMES.map((phase, p) => [phase, step.map((s) => annealed(s, steps) + 0.04 * noise(seed + p, s))]),
  );
  const up = emptyBytes();
  const down = emptyBytes();
  const bytes: number[] = [];
  up.handshake = 250;
  down.handshake = 129;
  down.control = 420;
  up.control = 160;
  let total = up.handshake + down.handshake + down.control + up.control;
  const add = (of: Record<Category, number>, category: Category, n: number) => {
    of[category] += n;
    total += n;
  };
  for (const [i] of step.entries()) {
    for (const phase of PHASE_NAMES) {
      const of = phase === "A1" || phase === "G2" ? up : down;
      add(of, "payload", Math.round((TOKENS * CHANNELS * bits[phase][i]) / 8));
      add(of, "scales", CHANNELS * 4);
      add(of, "bitTables", i % 10 === 0 ? CHANNELS / 2 : 0);
      add(of, "headers", 42);
      add(of, "websocketFraming", of === up ? 14 : 10);
    }
    add(down, "control", 30);
    add(up, "control", 24);
    bytes.push(total);
  }
  const snapshots = step.filter((s) => s === 1 || s % Math.ceil(steps / 40) === 0);
  const widths = PHASE_NAMES.map((phase, p) => ({
    phase,
    step: snapshots,
    bits: snapshots.map((s) =>
      Array.from({ length: CHANNELS }, (_, c) => {
        const lean = 2.5 * noise(seed + 31 * p, c) * Math.min(1, s / (0.5 * steps));
        return Math.max(2, Math.min(8, Math.round(annealed(s, steps) + lean)));
      }),
    ),
  }));
  return {
    name,
    data,
    heldOut: {
      tokens: 20_480,
      base: base + 0.05,
      tuned: base - fall + 0.21,
      unsplitF32: base - fall + 0.195,
    },
    series: {
      step,
      loss,
      unsplitLoss,
      tokens: step.map((s) => s * TOKENS),
      elements: step.map((s) => s * TOKENS * CHANNELS * 4),
      bytes,
      bits,
    },
    widths,
    bytes: { up, down },
    timeMs: { compute: 90 * steps, codec: 11.4 * steps, link: 240 * steps },
  };
}

export function syntheticReport(clients = 2, steps = 120): RunReport {
  const people = [
    ["ahab", "npm:moby-dick", 5.1, 0.9],
    ["atlas", "npm:factbook", 5.6, 1.8],
    ["third", "notes.txt", 4.4, 0.4],
  ] as const;
  const made = people
    .slice(0, clients)
    .map(([name, data, base, fall], i) => syntheticClient(name, data, 11 + i, steps, base, fall));
  const elements = made.reduce((n, { series }) => n + series.elements[steps - 1], 0);
  const total = made.reduce((n, { series }) => n + series.bytes[steps - 1], 0);
  const mean = (i: number) =>
    made.reduce((n, { series }) => n + PHASE_NAMES.reduce((m, p) => m + series.bits[p]![i], 0), 0) /
    (4 * made.length);
  return {
    format: REPORT_FORMAT,
    version: REPORT_VERSION,
    title: "Two clients fine-tune a model together",
    started: "2026-01-05T12:34:56.000Z",
    seconds: 96.4,
    model: {
      name: "models/base",
      parameters: 5_868_800,
      adapterParameters: 236_544,
      layers: 6,
      hidden: CHANNELS,
    },
    split: { kind: "u-shape", bottomBlocks: 1, trunkBlocks: 4, topBlocks: 1 },
    codecs: Object.fromEntries(PHASE_NAMES.map((phase) => [phase, "amaq:8:3"])),
    budgetBits: 3,
    clients: made,
    server: { timeMs: { compute: 21_000, codec: 2_400, link: 18_000 } },
    bytes: { total, f32: elements * 4, f16: elements * 2, int8: elements },
    bitsPerElement: {
      first: mean(0),
      last: mean(steps - 1),
      mean: Array.from({ length: steps }, (_, i) => mean(i)).reduce((a, b) => a + b, 0) / steps,
    },
    settings: {
      steps,
      "rows in a batch": 8,
      "tokens in a row": 128,
      "learning rate": 0.002,
      "LoRA rank": 8,
      seed: 0,
    },
    environment: {
      node: "v20.20.2",
      platform: "linux x64",
      processor: "an example CPU @ 2.50GHz",
      cores: 2,
      engine: "onnxruntime",
    },
  };
}
