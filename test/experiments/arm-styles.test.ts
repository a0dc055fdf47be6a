/** Arms of an experiment can be told apart in its plots, whatever the colour vision and the paper. */
import { describe, expect, it } from "vitest";
import { ARM_COLOURS, armStyles } from "../../experiments/report/arm-styles.ts";
import { STYLE } from "../../experiments/report/style.ts";

interface Arm {
  readonly arm: string;
  readonly packedOf?: Arm;
}

const looks = ({ colour, shape, dash }: { colour: string; shape: string; dash: readonly number[] }) =>
  `${colour} ${shape} ${dash.join(",")}`;

describe("styles of arms", () => {
  // As many as the study's largest file has: an f16 arm, and thirteen with an entropy stage, twelve of them packed as well.
  const coded = Array.from({ length: 14 }, (_, i): Arm => ({ arm: `arm ${i}` }));
  const packed = coded.slice(1, 13).map((arm) => ({ arm: `${arm.arm} packed`, packedOf: arm }));

  it("are all different, and the packed twin of an arm has its colour and shape, and dashes", () => {
    const styles = armStyles([...coded, ...packed] as never);
    expect(new Set([...styles.values()].map(looks)).size).toBe(26);
    for (const { arm, packedOf } of packed) {
      const [own, twin] = [styles.get(packedOf.arm)!, styles.get(arm)!];
      expect([twin.colour, twin.shape]).toEqual([own.colour, own.shape]);
      expect([own.dash.length, twin.dash.length > 0]).toEqual([0, true]);
    }
  });

  it("of 42 arms differ in colour or shape, of neighbours in both", () => {
    const styles = [...armStyles(Array.from({ length: 42 }, (_, i) => ({ arm: String(i) }))).values()];
    expect(new Set(styles.map(({ colour, shape }) => `${colour} ${shape}`)).size).toBe(42);
    for (const [i, style] of styles.slice(1).entries()) {
      expect(style.colour).not.toBe(styles[i].colour);
      expect(style.shape).not.toBe(styles[i].shape);
    }
  });

  it("of a packed arm without its twin are an arm's own, once for all tasks", () => {
    const [twin] = packed;
    const styles = armStyles([twin, coded[5], twin] as never);
    expect([...styles.keys()]).toEqual([twin.arm, "arm 5"]);
    expect(styles.get(twin.arm)!.dash).toEqual([]);
    expect(new Set([...styles.values()].map(({ colour }) => colour)).size).toBe(2);
  });
});

type Triple = readonly [number, number, number];

const linear = (hex: string): Triple =>
  [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)) as unknown as Triple;
const dot = (a: Triple, b: Triple) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const luminance = (hex: string) => dot([0.2126, 0.7152, 0.0722], linear(hex));

/** CIELAB of a colour as one sees it whose eyes map linear RGB by `eyes`. */
function lab(hex: string, eyes: readonly Triple[]): Triple {
  const rgb = eyes.map((row) => Math.min(1, Math.max(0, dot(row, linear(hex))))) as unknown as Triple;
  const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27) * (t / 116) + 16 / 116);
  const x = f(dot([0.4124, 0.3576, 0.1805], rgb) / 0.9505);
  const y = f(dot([0.2126, 0.7152, 0.0722], rgb));
  const z = f(dot([0.0193, 0.1192, 0.9505], rgb) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Machado, Oliveira and Fernandes (2009), severity 1. */
const EYES: Readonly<Record<string, readonly Triple[]>> = {
  all: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

describe.each([
  ["light", 0],
  ["dark", 1],
] as const)("colours of arms on %s paper", (_, at) => {
  const colours = ARM_COLOURS.map((pair) => pair[at]);
  const paper = [...STYLE.matchAll(/--card: (#[0-9a-f]{6})/g)][at][1];

  it("have a contrast of 3 : 1 at least with it", () => {
    for (const colour of colours) {
      const [low, high] = [luminance(colour), luminance(paper)].toSorted((a, b) => a - b);
      expect((high + 0.05) / (low + 0.05), colour).toBeGreaterThanOrEqual(3);
    }
  });

  it.each(Object.entries(EYES))("are apart from one another: %s", (name, eyes) => {
    const seen = colours.map((colour) => lab(colour, eyes));
    for (const [i, a] of seen.entries())
      for (const [j, b] of seen.slice(0, i).entries()) {
        const apart = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
        expect(apart, `${colours[i]} and ${colours[j]}`).toBeGreaterThan(name === "all" ? 30 : 12);
      }
  });
});
