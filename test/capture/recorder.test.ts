/** A recorder takes whole micro-batches of the wanted steps while they fit, and a repeat replaces what it repeats. */
import { describe, expect, it } from "vitest";
import { CaptureRecorder } from "../../shared/capture/recorder.ts";

const ABOUT = { note: "", channels: 2, codecs: {} };
const PHASES = ["A1", "A2", "G2", "G1"] as const;

function run(recorder: CaptureRecorder, steps: readonly number[], fill = 1, phases = PHASES.slice()) {
  for (const step of steps) {
    for (const phase of phases)
      recorder.add(phase, { step, microBatch: 0 }, 3, new Float32Array(6).fill(fill));
  }
}

describe("a capture recorder", () => {
  it("takes the steps that are wanted, in order, and copies", () => {
    const recorder = new CaptureRecorder({
      wants: (step) => step % 2 === 0,
      maxBytes: 1e6,
      tensorsPerMicroBatch: 4,
    });
    const values = new Float32Array(6).fill(1);
    recorder.add("A1", { step: 0, microBatch: 0 }, 3, values, { lengths: [1, 2], ids: Uint32Array.of(4, 5) });
    values.fill(9);
    run(recorder, [2, 1, 3]);
    const { tensors } = recorder.finish(ABOUT);
    expect(tensors.map(({ phase, step }) => `${phase}${step}`)).toEqual(["A10", "A12", "A22", "G22", "G12"]);
    expect(tensors[0]).toMatchObject({ tokens: 3, rows: { lengths: [1, 2], ids: [4, 5] } });
    expect([...tensors[0]!.values]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(recorder.full).toBe(false);
  });

  it("ends before the first micro-batch that would not fit as a whole", () => {
    // A micro-batch is 4 tensors of 24 bytes.
    const recorder = new CaptureRecorder({
      wants: () => true,
      maxBytes: 4 * 24 * 2,
      tensorsPerMicroBatch: 4,
    });
    run(recorder, [0, 1, 2]);
    const { tensors } = recorder.finish(ABOUT);
    expect(tensors.length).toBe(8);
    expect(Math.max(...tensors.map(({ step }) => step))).toBe(1);
    expect(recorder.full).toBe(true);
  });

  it("takes a step that is done again in the place of the first attempt", () => {
    const recorder = new CaptureRecorder({ wants: () => true, maxBytes: 4 * 24, tensorsPerMicroBatch: 4 });
    run(recorder, [0], 1, ["A1", "A2"]);
    run(recorder, [0], 2);
    const { tensors } = recorder.finish(ABOUT);
    expect(tensors.map(({ phase, values }) => [phase, values[0]])).toEqual(PHASES.map((phase) => [phase, 2]));
    expect(recorder.full).toBe(false);
  });

  it("takes no phase of a micro-batch whose A1 it has not got", () => {
    const recorder = new CaptureRecorder({ wants: () => true, maxBytes: 1e6, tensorsPerMicroBatch: 4 });
    run(recorder, [0], 1, ["A2", "G1"]);
    expect(recorder.finish(ABOUT).tensors).toEqual([]);
  });
});
