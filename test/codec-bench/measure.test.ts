/** The bench measures what its definitions say, on what a decoder reads, and not on what a codec learned from. */
import { describe, expect, it } from "vitest";
import { FAMILIES, familiesOf } from "../../experiments/codec-bench/arms.ts";
import { measure, partsOf, type Stream } from "../../experiments/codec-bench/measure.ts";
import { benchHtml } from "../../experiments/codec-bench/page.ts";
import {
  type BenchRow,
  errorText,
  runBench,
  savedBits,
  streamsOf,
  summaries,
  tableOf,
} from "../../experiments/codec-bench/result.ts";
import type { Capture, CapturedTensor } from "../../shared/capture/capture.ts";
import { createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { gaussianTensor } from "../codec/helpers.ts";

const CHANNELS = 16;
const TOKENS = 40;

function tensor(phase: CapturedTensor["phase"], step: number, values: Float32Array): CapturedTensor {
  const rows = { lengths: [TOKENS], ids: [step % 2] };
  return { phase, step, microBatch: 0, tokens: TOKENS, rows, values };
}

/** Four steps of two rows in turn; activations have means far from zero. */
const CAPTURE: Capture = {
  note: "a test <capture>",
  channels: CHANNELS,
  codecs: { A1: "f32" },
  tensors: [0, 1, 2, 3].flatMap((step) => [
    tensor(
      "A1",
      step,
      gaussianTensor(step % 2, TOKENS, CHANNELS, (c) => c + 1).map((v) => v + 100),
    ),
    tensor(
      "G1",
      step,
      gaussianTensor(10 + step, TOKENS, CHANNELS, () => 1e-4),
    ),
  ]),
};

const STREAM = Object.fromEntries(streamsOf(CAPTURE)) as Record<"A1" | "G1", Stream>;
const NEVER = new AbortController().signal;

describe("a measurement", () => {
  it("is by the definitions, worked out the long way", () => {
    const measured = measure(parseCodecSpec("fixed:3"), STREAM.A1);
    const parts = partsOf(STREAM.A1).measured;
    expect(parts.length).toBe(2);
    const options = { channels: CHANNELS, role: "activation", seed: 0, streamId: 0 } as const;
    const encoder = createEncoder(parseCodecSpec("fixed:3"), options);
    let bytes = 0;
    const [x, e, g] = [[], [], []] as number[][];
    parts.forEach(({ activation, gradient }, step) => {
      const body = encoder.encode(activation.values, TOKENS, { step, microBatch: 0 });
      bytes += body.scales.length + body.payload.length;
      x!.push(...activation.values);
      e!.push(...body.reconstruction.map((value, i) => value - activation.values[i]!));
      g!.push(...gradient!.values);
    });
    const channel = (c: number) => x!.flatMap((_, i) => (i % CHANNELS === c ? [i] : []));
    const mean = Array.from({ length: CHANNELS }, (_, c) => {
      return channel(c).reduce((sum, i) => sum + x![i]!, 0) / (2 * TOKENS);
    });
    const sum = (value: (i: number) => number, of = x!.map((_, i) => i)) =>
      of.reduce((s, i) => s + value(i), 0);
    const d = (i: number) => x![i]! - mean[i % CHANNELS]!;
    const close = (value: number | undefined, expected: number) =>
      expect(value! / expected).toBeCloseTo(1, 9);
    close(measured.bitsPerElement, (8 * bytes) / x!.length);
    close(measured.nmse, sum((i) => e![i]! ** 2) / sum((i) => d(i) ** 2));
    const ratios = mean.map(
      (_, c) => sum((i) => e![i]! ** 2, channel(c)) / sum((i) => d(i) ** 2, channel(c)),
    );
    close(measured.worstChannelNmse, Math.max(...ratios));
    expect(measured.deadChannels).toBe(ratios.filter((ratio) => ratio >= 1).length);
    const weighted = sum((i) => (g![i]! * e![i]!) ** 2);
    close(measured.gradientWeighted, weighted / sum((i) => (g![i]! * d(i)) ** 2));
    const dots = Array.from({ length: 2 * TOKENS }, (_, t) => {
      return sum((c) => g![t * CHANNELS + c]! * e![t * CHANNELS + c]!, [...Array(CHANNELS).keys()]);
    });
    close(measured.coherence, dots.reduce((s, dot) => s + dot * dot, 0) / weighted);
    expect(measured.errorOfSums).toBeUndefined();
  });

  it("has no error for f32, at 32 bits, and 1 for a codec that sends little but means", () => {
    expect(measure(parseCodecSpec("f32"), STREAM.A1)).toMatchObject({
      ...{ bitsPerElement: 32, nmse: 0, worstChannelNmse: 0, deadChannels: 0, gradientWeighted: 0 },
      ...{ coherence: undefined, laterVisits: false, messages: 2 },
    });
    const stream: Stream = {
      ...STREAM.A1,
      pairs: STREAM.A1.pairs.map((pair) => ({ ...pair, gradient: undefined })),
    };
    expect(measure(parseCodecSpec("fixed:4"), stream).gradientWeighted).toBeUndefined();
  });

  it("shows biased rounding in the error of sums: stochastic rounding loses by NMSE and wins by sums", () => {
    const values = Float32Array.from({ length: 400 * 16 }, (_, i) => (i < 16 ? 1 : i < 32 ? -1 : 0.2));
    const pairs = [
      { activation: { ...CAPTURE.tensors[1]!, tokens: 400, rows: undefined, values }, gradient: undefined },
    ];
    const stream: Stream = { role: "gradient", channels: CHANNELS, pairs };
    const nearest = measure(parseCodecSpec("fixpoint:2"), stream);
    const stochastic = measure(parseCodecSpec("fixpoint:2,rounding=stochastic"), stream);
    expect(nearest.nmse).toBeLessThan(stochastic.nmse);
    // All but two tokens become 0: every channel's mean would have been nearer.
    expect(nearest.deadChannels).toBe(CHANNELS);
    expect(stochastic.errorOfSums).toBeLessThan(nearest.errorOfSums! / 10);
  });

  it("of aqsgd is of rows that had come before", () => {
    const four: Stream = { ...STREAM.A1, pairs: [...STREAM.A1.pairs, ...STREAM.A1.pairs] };
    const later = measure(parseCodecSpec("aqsgd:4"), four);
    expect(later).toMatchObject({ laterVisits: true, messages: 2 });
    expect(later.bitsPerElement).toBeLessThan(5.5);
    const first = measure(parseCodecSpec("aqsgd:4"), STREAM.A1);
    expect(first).toMatchObject({ laterVisits: false, messages: 2 });
    expect(first.bitsPerElement).toBeGreaterThan(16);
    expect(measure(parseCodecSpec("aqsgd:4"), STREAM.G1).laterVisits).toBe(false);
  });
});

describe("a bench", () => {
  it("has a row for each codec and stream, which tables and page show", async () => {
    const seen: number[] = [];
    const families = familiesOf(["fixed:4,clip=none", "topk:0.1", "amaq:4-4@0"]);
    const result = await runBench(CAPTURE, families, NEVER, (done, total) => {
      expect(total).toBe(6);
      seen.push(done);
    });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(result.rows.map(({ codec, phase }) => `${codec} ${phase}`)).toEqual([
      ...["fixed:4,clip=none A1", "fixed:4,clip=none G1", "topk:0.1 A1", "topk:0.1 G1"],
      ...["amaq:4-4@0 A1", "amaq:4-4@0 G1"],
    ]);
    expect(JSON.parse(JSON.stringify(result)).rows.length).toBe(6);
    expect(summaries(result.rows, "gradient").map(({ codec }) => codec)).toEqual([
      "fixed:4,clip=none",
      "topk:0.1",
      "amaq:4-4@0",
    ]);
    const { head, cells } = tableOf(result.rows, "activation");
    expect(head).toContain("gradient-weighted");
    expect(cells[0]![0]).toBe("fixed:4,clip=none");
    const html = await benchHtml(result);
    expect(html).toContain("a test &lt;capture&gt;");
    expect(html).not.toContain("<capture>");
    expect(html.match(/<svg [^>]*role="img"/g)!.length).toBe(5);
    expect(html).not.toMatch(/<script(?! type="application\/json")|https?:\/\/(?!www\.w3\.org)/);
  });

  it("says what a codec saves against fixed at the same error", () => {
    const row = (codec: string, bitsPerElement: number, nmse: number) =>
      ({ codec, phase: "A1", bitsPerElement, nmse }) as BenchRow;
    const rows = [
      row("fixed:2", 2, 0.16),
      row("fixed:3", 3, 0.04),
      row("fixed:4", 4, 0.01),
      row("fixed:3,clip=none", 3, 9),
    ];
    expect(savedBits(row("other", 2.25, 0.04), rows)).toBeCloseTo(0.75, 12);
    expect(savedBits(row("other", 4, 0.02), rows)).toBeCloseTo(-0.5, 12);
    expect(savedBits(row("other", 4, 0.001), rows)).toBeUndefined();
    expect(savedBits(row("other", 1, 1), rows)).toBeUndefined();
    expect(savedBits(row("fixed:3", 3, 0.04), rows)).toBeCloseTo(0, 12);
  });

  it("ends when it is told to", async () => {
    const stop = new AbortController();
    const run = runBench(CAPTURE, familiesOf(["f32", "f16"]), stop.signal, () =>
      stop.abort(new Error("enough")),
    );
    await expect(run).rejects.toThrow("enough");
  });

  it("compares every registered codec when it is not told which, but f32", async () => {
    const { CODECS } = await import("../../shared/codec/registry.ts");
    const specs = FAMILIES.flatMap(({ codecs }) => codecs.map((text) => parseCodecSpec(text).codec));
    expect(new Set([...specs, "f32"])).toEqual(new Set(CODECS.map(({ name }) => name)));
  });

  it("writes errors short", () => {
    expect([undefined, 0, 0.0473, 1.234e-5, 12345.6].map(errorText)).toEqual([
      "",
      "0",
      "0.0473",
      "1.23e-5",
      "1.23e+4",
    ]);
  });
});
