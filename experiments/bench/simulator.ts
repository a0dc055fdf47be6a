/**
 * The simulator against real sockets: the same job over each link profile, once through the shaping proxies with paced computations, once
 * in simulated time with costs taken from the run over no link. `npm run bench:simulator`; --json prints rows instead of a table.
 */
import { parseArgs } from "node:util";
import { formatTable } from "../../shared/command/format.ts";
import { PROFILES, type ProfileName } from "../link/profiles.ts";
import { simulatedJob } from "../simulator/job.ts";
import { costsOf, type PacedJobOptions, runPacedJob } from "../simulator/paced-job.ts";
import { simulate } from "../simulator/simulate.ts";

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });

const STEPS = 8;
const CLIENTS = 2;
const LINKS: readonly ProfileName[] = [
  "none",
  "lan",
  "fibre",
  "cable",
  "4g",
  "dsl",
  "satellite",
  "100m-50ms",
];
const PIPELINES = [
  { microBatches: 1, inFlight: 1 },
  { microBatches: 4, inFlight: 2 },
  { microBatches: 8, inFlight: 4 },
] as const;

/** Near the costs of base-6m with 4 rows of 128 tokens; 32 channels of f32 are as many bytes as 256 of 4 bits. */
const PACE = { bottom: 15, top: 50, bottomBackward: 15, forward: 45, backward: 75, optimizer: 1 };
const ROWS = 4;
const ROW_TOKENS = 128;
const HIDDEN = 32;

/**
 * The shortest step but the first, which finds connections cold: whatever else this machine does makes steps longer, never shorter.
 * Jitter and losses are the same draws in both runs.
 */
function shortestStep(commitMs: readonly number[]): number {
  return Math.min(...commitMs.slice(1).map((at, i) => at - commitMs[i]));
}

const rows: Record<string, number | string>[] = [];
for (const { microBatches, inFlight } of PIPELINES) {
  const { config, policy } = simulatedJob({
    steps: STEPS,
    clients: CLIENTS,
    microBatches,
    inFlight,
    hidden: HIDDEN,
    tokens: ROWS * ROW_TOKENS,
    activations: "f32",
    gradients: "f32",
  });
  const optionsFor = (name: ProfileName): PacedJobOptions => ({
    config,
    policy,
    pace: PACE,
    rows: ROWS,
    rowTokens: ROW_TOKENS,
    links: Array.from({ length: CLIENTS }, () => PROFILES[name]),
    seed: 3,
  });
  const costs = costsOf(optionsFor("none"), await runPacedJob(optionsFor("none")));
  let unlimited = Number.NaN;
  for (const link of LINKS) {
    const options = optionsFor(link);
    const measuredMs = shortestStep((await runPacedJob(options)).commitMs);
    const clients = options.links.map((profile) => ({ link: profile, slowness: 1, dropEverySeconds: 0 }));
    const predictedMs = shortestStep(simulate({ config, policy, costs, clients, seed: 3 }).commitMs);
    if (link === "none") unlimited = measuredMs;
    rows.push({
      microBatches,
      inFlight,
      link,
      measuredMs,
      predictedMs,
      error: predictedMs / measuredMs - 1,
      speed: unlimited / measuredMs,
    });
  }
}

if (values.json) console.log(JSON.stringify(rows, null, 2));
else {
  const ms = (value: number | string) => `${Number(value).toFixed(0)} ms`;
  const table = rows.map(({ microBatches, inFlight, link, measuredMs, predictedMs, error, speed }) => [
    `${microBatches} / ${inFlight}`,
    String(link),
    ms(measuredMs),
    ms(predictedMs),
    `${(100 * Number(error)).toFixed(1)} %`,
    `${(100 * Number(speed)).toFixed(0)} %`,
  ]);
  const head = ["micro-batches / in flight", "link", "measured", "predicted", "error", "of no link's speed"];
  for (const line of formatTable(head, table, new Set([2, 3, 4, 5]))) console.log(line);
}
