/** The long fuzz run; scripts/fuzz.mjs sets its size and seed. */

import { expect, it } from "vitest";
import { fuzz } from "./fuzz.ts";

const frames = Number(process.env.NARROWBAND_FUZZ_FRAMES);
const seed = Number(process.env.NARROWBAND_FUZZ_SEED);

it(`${frames} hostile frames, seed ${seed}`, () => {
  const report = fuzz({
    frames,
    seed,
    progress: (done) => process.stderr.write(`${done} of ${frames} frames\n`),
  });
  const lines = [
    `seed               ${seed}`,
    `frames             ${report.frames} (${report.accepted} accepted, ${report.refused} refused with a typed error)`,
    `seconds            ${report.seconds.toFixed(1)}`,
    `longest frame      ${report.maxMilliseconds.toFixed(1)} ms`,
    `most bytes         ${report.maxAllocated} allocated for one frame`,
    ...Object.entries(report.targets).map(
      ([name, { accepted, refused }]) => `  ${name}: ${accepted} accepted, ${refused} refused`,
    ),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  expect(report.accepted + report.refused).toBe(frames);
});
