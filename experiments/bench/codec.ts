/**
 * `npm run bench:codec`: how fast codecs encode and decode on one core, in GB of f32 input (1e9 bytes) per second of
 * processor time, beside Buffer.copy of the same bytes and beside the scalar reference, in one run. Rounds in which all
 * measurements take their turns, medians over rounds: so ratios hold on a machine that is not quite idle. Absolute figures
 * need an idle one, as cores share caches and memory.
 *
 * Encoding covers everything from x to the message: choosing the ranges, scales, rounding, the payload, into arrays of the
 * caller's; and, of streams of gradients, the sums that `amaq` learns from. A second figure has the reconstruction with it,
 * which nobody wants of most streams. Decoding covers checks, scales, and values in an array of the caller's.
 * `amaq` encodes with its bit table sent already, and does not include what it learns from gradients between messages.
 * With entropy=predict there is a predictor, learned and sent, and one message in four is learned from, as in a stream that
 * has run for a while. Its tensors have channels that go together; those of the others are independent, which costs the same.
 */
import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { Command, InvalidArgumentError, Option } from "commander";
import type { EncodeOutputs } from "../../shared/codec/codec.ts";
import { enableKernels, kernels } from "../../shared/codec/kernels/kernels.ts";
import {
  type CodecSpec,
  createDecoder,
  createEncoder,
  parseCodecSpec,
  type TensorRole,
} from "../../shared/codec/registry.ts";
import { formatTable } from "../../shared/command/format.ts";
import { fail } from "../../shared/errors.ts";
import { mix32 } from "../../shared/random.ts";

interface Settings {
  readonly json?: string;
  readonly rounds: number;
  readonly only?: string;
  readonly bits?: string;
  readonly shape?: string;
}

interface Row {
  readonly shape: readonly [tokens: number, channels: number];
  readonly bits: number | "mixed";
  readonly codec: string;
  /** Of a message alone. */
  readonly encodeGBps: number;
  /** Of a message and its reconstruction. */
  readonly encodeBothGBps: number;
  readonly decodeGBps: number;
  /** Scales and payload. */
  readonly bitsPerElement: number;
}

/** A codec of the bench at a width. */
interface Candidate {
  readonly name: string;
  readonly bits: number | "mixed";
  readonly spec: CodecSpec;
  readonly role: TensorRole;
  readonly kernels: boolean;
}

/** One thing whose time is taken; ms of one tensor in each round. */
interface Timed {
  readonly call: () => void;
  /** Tensors of a call. */
  readonly tensors: number;
  readonly calls: number;
  readonly times: number[];
}

const SHAPES = [
  [1024, 576],
  [2048, 4096],
  [128, 256],
] as const;
const WIDTHS = [2, 3, 4, 8, "mixed"] as const;
/** Least time of the calls between two readings of the clock: some calls, so that the first does not stand for all. */
const LEAST_MS = 40;
/** Rows and steps from which `mixed` widths are learned. */
const LEARNING_ROWS = 64;
const LEARNING_STEPS = 40;
/** Steps after which a predictor has been learned and sent, and the next message is one of those that are learned from. */
const PREDICTOR_STEPS = 19;
/** Messages of which one is learned from. */
const PREDICTOR_PERIOD = 4;
/** Tokens that a predictor is learned from in each step. */
const PREDICTOR_ROWS = 512;
/** What the channels of 256 have in common. */
const FACTORS = 24;

function candidates(): Candidate[] {
  return WIDTHS.flatMap((bits) => {
    const mixed = bits === "mixed";
    const amaq = mixed
      ? { codec: "amaq", startBits: 3, targetBits: 3, annealSteps: 0, allocator: "greedy", dwell: 1 }
      : { codec: "amaq", startBits: bits, targetBits: bits, annealSteps: 0 };
    const fixed = mixed ? amaq : { codec: "fixed", bits };
    const activation = { bits, role: "activation", kernels: true } as const;
    return [
      ...(mixed ? [] : [{ ...activation, name: "fixed", spec: parseCodecSpec(fixed) }]),
      ...(mixed
        ? []
        : [{ ...activation, name: "fixed clip=none", spec: parseCodecSpec({ ...fixed, clip: "none" }) }]),
      { ...activation, name: "amaq", spec: parseCodecSpec(amaq) },
      { ...activation, name: "amaq gradient", spec: parseCodecSpec(amaq), role: "gradient" as const },
      { ...activation, name: "reference", spec: parseCodecSpec(fixed), kernels: false },
      { ...activation, name: "amaq entropy=rans", spec: parseCodecSpec({ ...amaq, entropy: "rans" }) },
      { ...activation, name: "amaq entropy=predict", spec: parseCodecSpec({ ...amaq, entropy: "predict" }) },
    ];
  });
}

/** Gaussian channels of unlike size, as activations are; drawn from counters. */
function makeTensor(tokens: number, channels: number): Float32Array {
  const x = new Float32Array(tokens * channels);
  for (let i = 0; i < x.length; i++) {
    let sum = 0;
    for (let k = 0; k < 6; k++) sum += mix32(Math.imul(i, 0x9e3779b9) + k) / 2 ** 32;
    x[i] = sum * 2 ** ((i % channels) % 6);
  }
  return x;
}

/** Channels that go together: each block of 256 is a mixture of FACTORS sources, with a third of its energy of its own. */
function makeCorrelated(tokens: number, channels: number): Float32Array {
  const own = makeTensor(tokens, channels);
  const x = new Float32Array(own.length);
  const source = (n: number) => (mix32(n) | 0) / 2 ** 31;
  const loads = Float32Array.from({ length: channels * FACTORS }, (_, i) => source(i * 7 + 3));
  const factors = new Float32Array(FACTORS);
  for (let t = 0; t < tokens; t++) {
    for (let c = 0; c < channels; c++) {
      const block = c >> 8;
      if (c % 256 === 0)
        for (let f = 0; f < FACTORS; f++) factors[f] = source(Math.imul(t, 65537) + block * 977 + f * 31);
      let sum = 0;
      for (let f = 0; f < FACTORS; f++) sum += loads[c * FACTORS + f]! * factors[f]!;
      const i = t * channels + c;
      x[i] = own[i]! + 0.6 * sum * 2 ** (c % 6);
    }
  }
  return x;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Processor time that this process has used: what others run on the same core meanwhile does not count. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** How many calls take LEAST_MS. Warms up, too. */
function calibrate(call: () => void, tensors = 1): Timed {
  let calls = 1;
  for (;;) {
    const start = processorMs();
    for (let i = 0; i < calls; i++) call();
    if (processorMs() - start >= LEAST_MS) return { call, tensors, calls, times: [] };
    calls *= 2;
  }
}

function measure({ call, tensors, calls, times }: Timed): void {
  const start = processorMs();
  for (let i = 0; i < calls; i++) call();
  times.push((processorMs() - start) / (calls * tensors));
}

/** What all candidates write into, one after another, so that the caches hold what they would in a run of one. */
interface Arrays {
  readonly payload: Uint8Array;
  readonly reconstruction: Float32Array;
  readonly out: Float32Array;
}

/** The encoder and decoder of a candidate, and a message of theirs. */
function prepare(candidate: Candidate, x: Float32Array, tokens: number, channels: number, arrays: Arrays) {
  const { spec, role } = candidate;
  const encoder = createEncoder(spec, { channels, role, seed: 1, streamId: 1 });
  const decoder = createDecoder(spec, { channels });
  const mixed = candidate.bits === "mixed";
  const predicts = "entropy" in spec && spec.entropy === "predict";
  const steps = predicts ? PREDICTOR_STEPS : mixed ? LEARNING_STEPS : 1;
  const rows = Math.min(predicts ? PREDICTOR_ROWS : LEARNING_ROWS, tokens);
  const part = x.subarray(0, rows * channels);
  for (let step = 0; step < steps; step++) {
    const message = encoder.encode(part, rows, { step, microBatch: 0 });
    decoder.decode(message, rows, new Float32Array(part.length));
    if (mixed) encoder.observe(part, message.reconstruction, part, rows);
    encoder.endStep(step);
  }
  if (mixed && new Set(encoder.widths()).size < 2) {
    fail("NB_INTERNAL", `${candidate.name} has not learned mixed widths`);
  }
  const at = { step: steps, microBatch: 0 };
  const { out, ...both } = arrays;
  const alone = { payload: both.payload, reconstruction: false } as const;
  const first = encoder.encode(x, tokens, at, both);
  const { bitTable, bitTableVersion } = first;
  const scales = first.scales.slice();
  const payload = first.payload.slice();
  decoder.decode({ bitTable, bitTableVersion, scales, payload }, tokens, out);
  if (!out.every((value, i) => value === both.reconstruction[i])) {
    fail("NB_INTERNAL", `${candidate.name} decodes to something else than its encoder's reconstruction`);
  }
  const sections = { bitTable: undefined, bitTableVersion, scales, payload };
  const toggled = (call: () => void) => () => {
    enableKernels(candidate.kernels);
    call();
    enableKernels(true);
  };
  const encoders = [encoder];
  if (predicts) {
    // The other messages of the period: one step on, nothing is learned.
    const later = createEncoder(spec, { channels, role, seed: 1, streamId: 1 });
    later.restore(encoder.save());
    later.encode(part, rows, at);
    later.endStep(steps);
    while (encoders.length < PREDICTOR_PERIOD) encoders.push(later);
  }
  const encode = (outputs: EncodeOutputs) =>
    calibrate(
      toggled(() => {
        for (const one of encoders) one.encode(x, tokens, at, outputs);
      }),
      encoders.length,
    );
  return {
    candidate,
    bitsPerElement: (8 * (scales.length + payload.length)) / x.length,
    encode: encode(alone),
    encodeBoth: encode(both),
    decode: calibrate(toggled(() => decoder.decode(sections, tokens, out))),
  };
}

function benchShape(shape: readonly [number, number], chosen: readonly Candidate[], rounds: number) {
  const [tokens, channels] = shape;
  const x = makeTensor(tokens, channels);
  const correlated = makeCorrelated(tokens, channels);
  const gigabytes = x.byteLength / 1e9;
  const arrays = {
    payload: new Uint8Array(5 * x.length + 1024),
    reconstruction: new Float32Array(x.length),
    out: new Float32Array(x.length),
  };
  const prepared = chosen.map((candidate) => {
    const predicts = "entropy" in candidate.spec && candidate.spec.entropy === "predict";
    return prepare(candidate, predicts ? correlated : x, tokens, channels, arrays);
  });
  const source = Buffer.from(x.buffer);
  const target = Buffer.alloc(x.byteLength);
  const copy = calibrate(() => void source.copy(target));
  for (let round = 0; round < rounds; round++) {
    measure(copy);
    for (const { encode, encodeBoth, decode } of prepared) {
      measure(encode);
      measure(encodeBoth);
      measure(decode);
    }
    console.error(`[${shape}] round ${round + 1} of ${rounds}`);
  }
  const speed = ({ times }: Timed) => gigabytes / (median(times) / 1000);
  const rows = prepared.map(
    ({ candidate, bitsPerElement, encode, encodeBoth, decode }): Row => ({
      shape,
      bits: candidate.bits,
      codec: candidate.name,
      encodeGBps: speed(encode),
      encodeBothGBps: speed(encodeBoth),
      decodeGBps: speed(decode),
      bitsPerElement,
    }),
  );
  return { shape, copyGBps: speed(copy), rows };
}

function count(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError("a whole number from 1 is accepted.");
  return n;
}

async function main(settings: Settings): Promise<void> {
  if (kernels() === undefined)
    fail("NB_INTERNAL", "there is no WebAssembly SIMD here; the bench compares it");
  const { only = "", bits, shape: wanted, rounds } = settings;
  const all = candidates();
  const chosen = all.filter(
    (one) => one.name.startsWith(only) && (bits === undefined || String(one.bits) === bits),
  );
  if (chosen.length === 0) {
    const at = bits === undefined ? "" : ` with --bits ${bits}`;
    const names = [...new Set(all.map(({ name }) => name))].join(", ");
    command.error(`error: --only ${only} has no codec${at}; accepted: the beginning of ${names}`);
  }
  const results = SHAPES.filter((shape) => wanted === undefined || shape.join("x") === wanted).map((shape) =>
    benchShape(shape, chosen, rounds),
  );
  const machine = {
    processor: cpus()[0]?.model ?? "unknown",
    node: process.version,
    rounds: settings.rounds,
  };
  console.log(`${machine.processor}, one core, Node ${machine.node}, median of ${settings.rounds} rounds`);
  const head = [
    "bits",
    "codec",
    "encode GB/s",
    "of copy",
    "with x̂",
    "decode GB/s",
    "of copy",
    "bits/element",
  ];
  for (const { shape, copyGBps, rows } of results) {
    console.log(`\n[${shape.join(", ")}]  Buffer.copy ${copyGBps.toFixed(2)} GB/s`);
    const cells = rows.map((row) => [
      String(row.bits),
      row.codec,
      row.encodeGBps.toFixed(2),
      (row.encodeGBps / copyGBps).toFixed(2),
      row.encodeBothGBps.toFixed(2),
      row.decodeGBps.toFixed(2),
      (row.decodeGBps / copyGBps).toFixed(2),
      row.bitsPerElement.toFixed(3),
    ]);
    for (const line of formatTable(head, cells, new Set([2, 3, 4, 5, 6, 7]))) console.log(line);
  }
  if (settings.json === undefined) return;
  const copies = results.map(({ shape, copyGBps }) => ({ shape, copyGBps }));
  // The largest shape's copy is the one that memory bounds.
  const { copyGBps } = copies.reduce((a, b) => (a.shape[0] * a.shape[1] > b.shape[0] * b.shape[1] ? a : b));
  const report = { copyGBps, copies, rows: results.flatMap(({ rows }) => rows), machine };
  await writeFile(settings.json, `${JSON.stringify(report, null, 2)}\n`);
}

const command = new Command("bench:codec")
  .description("Times the codecs' encoders and decoders on one core.")
  .option("--json <file>", "write the figures to a file as well")
  .option("--rounds <n>", "rounds in which every measurement is taken once", count, 7)
  .option("--only <codec>", "only codecs whose name begins with this")
  .addOption(new Option("--bits <bits>", "only this width").choices(WIDTHS.map(String)))
  .addOption(new Option("--shape <shape>", "only this shape").choices(SHAPES.map((shape) => shape.join("x"))))
  .parse();

await main(command.opts<Settings>());
