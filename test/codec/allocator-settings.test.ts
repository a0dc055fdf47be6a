/** The settings that the registry names for an allocator are those that change what it does, and no other. */
import { describe, expect, it } from "vitest";
import { ALLOCATORS, type AllocatorSetting } from "../../shared/codec/allocators/registry.ts";
import { createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { gaussianTensor } from "./helpers.ts";

const CHANNELS = 32;
const TOKENS = 16;
const STEPS = 12;

/** Another value of each setting than the test's own. */
const CHANGES: Readonly<Record<AllocatorSetting, string>> = {
  minBits: "minBits=3",
  maxBits: "maxBits=6",
  signal: "signal=distortion",
  averaging: "averaging=0.1",
  gateLearningRate: "gateLearningRate=0.3",
  alpha: "alpha=9",
  freeze: "freeze=0.01",
  hysteresis: "hysteresis=2",
};
/** alpha is given, or it would undo what another learning rate does. */
const OWN = ["averaging=0.9", "gateLearningRate=0.05", "alpha=3", "hysteresis=0.05", "dwell=1"];

const CODED = [...OWN, "entropy=rans"];
const KEPT = [...OWN, "salient=auto"];

/** Channels that differ in size and in how much they matter, one of them far more than all others. */
const scale = (c: number) => (c === 5 ? 40 : 1 + (c % 7));
const matters = (c: number) => (c === 5 ? 1 : 0.01 * (1 + (c % 5)));

/** What the receiver is told and sent over some steps, as text. */
function trace(allocator: string, settings: readonly string[]): string {
  const spec = parseCodecSpec(["amaq:4.5-3.25@6", `allocator=${allocator}`, ...settings].join(","));
  // Only a gradient follows the activation of its cut.
  const role = allocator === "tied" ? "gradient" : "activation";
  const encoder = createEncoder(spec, { channels: CHANNELS, role, seed: 0, streamId: 0 });
  const seen: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    const x = gaussianTensor(step, TOKENS, CHANNELS, scale);
    const gradient = gaussianTensor(100 + step, TOKENS, CHANNELS, matters);
    const leader = Uint8Array.from({ length: CHANNELS }, (_, c) => 2 + ((c * 5 + (step >> 2)) % 6));
    encoder.follow?.(leader);
    const body = encoder.encode(x, TOKENS, { step, microBatch: 0 });
    if (encoder.observes !== "nothing")
      encoder.observe(
        x,
        encoder.observes === "levels" ? encoder.sentLevels!() : body.reconstruction,
        gradient,
        TOKENS,
      );
    encoder.endStep(step);
    seen.push(`${body.bitTable?.join() ?? ""};${body.payload.join()}`);
  }
  return seen.join("\n");
}

describe.each(ALLOCATORS)("$name", ({ name, settings }) => {
  const named: readonly string[] = settings;
  const known = new Map<readonly string[], string>();
  const traceOf = (base: readonly string[]) => {
    if (!known.has(base)) known.set(base, trace(name, base));
    return known.get(base);
  };
  const changes = (setting: AllocatorSetting, base: readonly string[]) => {
    const replaced = [...base.filter((own) => !own.startsWith(`${setting}=`)), CHANGES[setting]];
    return trace(name, replaced) !== traceOf(base);
  };

  it.each(Object.keys(CHANGES) as AllocatorSetting[])("is said to heed %s just where it does", (setting) => {
    // Bounds hold for all, if only where channels are kept at the widest.
    const bases = setting === "minBits" || setting === "maxBits" ? [OWN, CODED, KEPT] : [OWN, CODED];
    expect(bases.some((base) => changes(setting, base))).toBe(named.includes(setting));
  });
});
