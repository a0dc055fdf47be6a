/** Describes a capture of a run's tensors, after checking that it is whole. */
import { CAPTURE_PHASES, type CapturedTensor, type CapturePhase } from "../../../shared/capture/capture.ts";
import { readCapture } from "../../../shared/capture/capture-node.ts";
import { formatCount, formatTable } from "../../../shared/command/format.ts";
import type { Description, InspectSettings } from "../inspect.ts";

interface PhaseFacts {
  readonly phase: CapturePhase;
  readonly codec: string;
  readonly tensors: number;
  readonly tokens: number;
  /** Root mean square of the elements, and of the largest and the smallest channel. */
  readonly rms: number;
  readonly largestChannel: number;
  readonly smallestChannel: number;
}

function rmsOfChannels(tensors: readonly CapturedTensor[], channels: number): Float64Array {
  const squares = new Float64Array(channels);
  let tokens = 0;
  for (const { values, tokens: count } of tensors) {
    tokens += count;
    for (let i = 0; i < values.length; i++) squares[i % channels] = squares[i % channels]! + values[i]! ** 2;
  }
  return squares.map((sum) => Math.sqrt(sum / tokens));
}

export async function describeCapture(path: string, settings: InspectSettings): Promise<Description> {
  const { note, channels, codecs, tensors } = await readCapture(path);
  const phases = CAPTURE_PHASES.flatMap((phase): PhaseFacts[] => {
    const own = tensors.filter((tensor) => tensor.phase === phase);
    if (own.length === 0) return [];
    const rms = rmsOfChannels(own, channels);
    return [
      {
        phase,
        codec: codecs[phase] ?? "not known",
        tensors: own.length,
        tokens: own.reduce((sum, tensor) => sum + tensor.tokens, 0),
        rms: Math.sqrt(rms.reduce((sum, value) => sum + value * value, 0) / channels),
        largestChannel: rms.reduce((a, b) => Math.max(a, b)),
        smallestChannel: rms.reduce((a, b) => Math.min(a, b)),
      },
    ];
  });
  const steps = [...new Set(tensors.map((tensor) => tensor.step))];
  const list = tensors.map(({ phase, step, microBatch, tokens, rows }) => {
    return { phase, step, microBatch, tokens, rows: rows?.lengths.length ?? null };
  });
  const digits = (value: number) => value.toPrecision(3);
  const table = formatTable(
    ["tensor", "codec", "messages", "tokens", "rms", "largest channel", "smallest"],
    phases.map((p) => [
      p.phase,
      p.codec,
      formatCount(p.tensors),
      formatCount(p.tokens),
      ...[p.rms, p.largestChannel, p.smallestChannel].map(digits),
    ]),
  );
  return {
    facts: { kind: "capture", note, channels, steps, phases, tensors: settings.tensors ? list : list.length },
    lines: [
      `${path}: a whole capture of ${formatCount(tensors.length)} tensors of ${formatCount(channels)} channels, its checksum right`,
      `of: ${note}`,
      `steps ${steps.join(", ")}`,
      "",
      ...table,
      ...(settings.tensors
        ? [
            "",
            ...formatTable(
              ["tensor", "step", "micro-batch", "tokens", "rows"],
              list.map((t) => [t.phase, ...[t.step, t.microBatch, t.tokens, t.rows ?? ""].map(String)]),
            ),
          ]
        : []),
    ],
  };
}
