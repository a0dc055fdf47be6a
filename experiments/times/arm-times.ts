/**
 * How long an arm would have taken to its target over other links: its steps to the target, out of its rows, as the simulator plays them with
 * the rows' own message sizes and with costs that were measured on this machine.
 */
import { PROFILES, type ProfileName } from "../link/profiles.ts";
import type { ArmRuns } from "../report/study.ts";
import type { Cell } from "../runner/experiment.ts";
import type { CellRows } from "../runner/rows.ts";
import type { Costs } from "../simulator/costs.ts";
import { addTimes, NO_TIME, type PathTimes, totalMs } from "../simulator/critical-path.ts";
import { simulatedJob } from "../simulator/job.ts";
import { meanStepPath, type SimulationResult, simulate } from "../simulator/simulate.ts";
import type { Moment } from "../simulator/simulated-server.ts";
import { type Estimate, estimate } from "../statistics/intervals.ts";
import { stepsToTarget } from "./targets.ts";
import { meanSizes, type TransferSizes, transferSizes } from "./transfer-sizes.ts";

/**
 * Steps times clients that are simulated at most for one run. Of longer ones a part is, once for all seeds, with the mean sizes of all steps, and
 * taken as often as it goes into the run.
 */
const MOST_CLIENT_STEPS = 30_000;
/** Steps of such a part at least. */
const LEAST_STEPS = 3;

export interface TimesSettings {
  readonly links: readonly ProfileName[];
  /** Numbers of clients; empty: as many as the run had. */
  readonly clients: readonly number[];
  /** How many times as fast as this machine, and as slow. */
  readonly serverSpeed: number;
  readonly slowness: number;
  /** Of the server's own line, bits per second each way; 0: unlimited. */
  readonly serverLine: number;
  readonly mostClientSteps?: number;
}

/** An arm over one link. */
export interface LinkTime {
  readonly link: ProfileName;
  readonly clients: number;
  /** Of a step, the mean of those up to the one that reaches the target (of all, where none does). */
  readonly stepMs: number;
  /** What its critical path spends on each part, milliseconds. */
  readonly stepPath: PathTimes;
  readonly upBytesPerStep: number;
  readonly downBytesPerStep: number;
  /** Share of the time. */
  readonly serverBusy: number;
  readonly clientBusy: number;
  /** From the first round's start to the target, mean over the seeds that reach it; null when none does. */
  readonly secondsToTarget: number | null;
  readonly ci95: readonly [number, number] | null;
  /** What the critical path to the target spends on each part, milliseconds, mean of those seeds. */
  readonly pathToTarget: PathTimes | null;
}

export interface ArmTimes {
  readonly model: string;
  readonly task: string;
  readonly arm: string;
  readonly metric: string;
  readonly seeds: number;
  /** Seeds that reach the target. */
  readonly reached: number;
  /** Trunk steps until then, mean of those seeds; null when none does. */
  readonly steps: number | null;
  readonly stepsCi95: readonly [number, number] | null;
  readonly times: readonly LinkTime[];
}

/** A run's settings with another number of clients than it had. */
type SeedCell = Cell & { readonly ownClients: number };

interface SeedRun {
  readonly seed: number;
  readonly rows: CellRows;
  readonly sizes: TransferSizes;
  /** Until the target; undefined when it is not reached. */
  readonly steps: number | undefined;
}

/** Times of an arm. `settings.clients` other than the run's own assume that a target takes as many steps. */
export function armTimes(
  arm: ArmRuns,
  cell: Cell,
  costs: Costs,
  targets: ReadonlyMap<number, number>,
  settings: TimesSettings,
): ArmTimes {
  const runs = [...arm.bySeed].map(
    ([seed, rows]): SeedRun => ({
      seed,
      rows,
      sizes: transferSizes(cell, arm.packedOf?.bySeed.get(seed) ?? rows, arm.packedOf !== undefined),
      steps: stepsToTarget(arm, seed, targets),
    }),
  );
  const steps = runs.flatMap((run) => run.steps ?? []);
  const about = steps.length === 0 ? undefined : estimate(steps);
  const counts = settings.clients.length === 0 ? [cell.clients] : settings.clients;
  return {
    model: arm.model,
    task: arm.task,
    arm: arm.arm,
    metric: arm.metric,
    seeds: runs.length,
    reached: steps.length,
    steps: about?.mean ?? null,
    stepsCi95: about?.ci95 ?? null,
    times: counts.flatMap((clients) =>
      settings.links.map((link) =>
        linkTime(runs, { ...cell, clients, ownClients: cell.clients }, costs, link, settings),
      ),
    ),
  };
}

interface SeedTime {
  /** From the first round's start to the target, or to the run's end. */
  readonly reached: Moment;
  readonly result: SimulationResult;
}

function linkTime(
  runs: readonly SeedRun[],
  cell: SeedCell,
  costs: Costs,
  link: ProfileName,
  settings: TimesSettings,
): LinkTime {
  const reaching = runs.filter(({ steps }) => steps !== undefined);
  // Of an arm that never reaches the target its whole runs say how long a step takes.
  const shown = seedTimes(reaching.length > 0 ? reaching : runs, cell, costs, link, settings);
  const mean = (of: (time: SeedTime) => number) =>
    shown.reduce((sum, time) => sum + of(time), 0) / shown.length;
  const meanPath = (of: (time: SeedTime) => PathTimes) =>
    shown.reduce((sum, time) => addTimes(sum, of(time), 1 / shown.length), NO_TIME);
  const seconds: Estimate | undefined =
    reaching.length === 0 ? undefined : estimate(shown.map(({ reached }) => reached.ms / 1_000));
  return {
    link,
    clients: cell.clients,
    stepMs: mean(({ result }) => totalMs(meanStepPath(result))),
    stepPath: meanPath(({ result }) => meanStepPath(result)),
    upBytesPerStep: mean(({ result }) => result.bytes.up / Math.max(1, result.commits.length)),
    downBytesPerStep: mean(({ result }) => result.bytes.down / Math.max(1, result.commits.length)),
    serverBusy: mean(({ result }) => result.serverBusy),
    clientBusy: mean(({ result }) => result.clientBusy),
    secondsToTarget: seconds?.mean ?? null,
    ci95: seconds?.ci95 ?? null,
    pathToTarget: seconds === undefined ? null : meanPath(({ reached }) => reached.path),
  };
}

/** The seeds' runs, up to their targets, over a link. */
function seedTimes(
  runs: readonly SeedRun[],
  cell: SeedCell,
  costs: Costs,
  link: ProfileName,
  settings: TimesSettings,
): SeedTime[] {
  const { clients, ownClients, mode } = cell;
  const stepsOf = ({ steps, rows }: SeedRun) => steps ?? rows.end.steps;
  const roundsOf = (run: SeedRun) =>
    Math.max(1, Math.ceil(stepsOf(run) / (mode === "sequential" ? ownClients : 1)));
  // In a sequential job as many rounds of each client are as many more steps of the trunk as there are more clients.
  const commitsOf = (run: SeedRun) =>
    mode === "sequential" ? (stepsOf(run) * clients) / ownClients : stepsOf(run);
  const { mostClientSteps = MOST_CLIENT_STEPS } = settings;
  const most = Math.max(LEAST_STEPS, Math.floor(mostClientSteps / clients));
  if (runs.every((run) => roundsOf(run) <= most))
    return runs.map((run) => {
      const result = play(run.seed, roundsOf(run), run.sizes, cell, costs, link, settings);
      return { reached: reachedAt(result, commitsOf(run)), result };
    });
  const [first] = runs;
  const sizes = meanSizes(first.sizes, roundsOf(first));
  const part = play(first.seed, most, sizes, cell, costs, link, settings);
  return runs.map((run) => ({ reached: reachedAt(part, commitsOf(run)), result: part }));
}

/** A job of so many rounds in the simulator. */
function play(
  seed: number,
  rounds: number,
  sizes: TransferSizes,
  cell: SeedCell,
  costs: Costs,
  link: ProfileName,
  settings: TimesSettings,
): SimulationResult {
  const { clients } = cell;
  const line = { bitsPerSecond: settings.serverLine, delayMs: 0, jitterMs: 0, loss: 0 };
  return simulate({
    ...simulatedJob({
      steps: rounds,
      clients,
      microBatches: cell.microBatches,
      inFlight: cell.inFlight,
      hidden: 1,
      tokens: costs.tokens,
      // Bytes and costs are given, so what codecs the simulated job names does not matter.
      activations: "f32",
      gradients: "f32",
      mode: cell.mode,
      ...(cell.aggregation === "fedavg" ? { averageEvery: cell.averageEvery } : {}),
    }),
    costs,
    tensorBytes: sizes,
    clients: Array.from({ length: clients }, () => ({
      link: PROFILES[link],
      slowness: settings.slowness,
      dropEverySeconds: 0,
    })),
    serverSlowness: 1 / settings.serverSpeed,
    ...(settings.serverLine === 0 ? {} : { serverLink: { up: line, down: line } }),
    seed,
  });
}

/** Time and path from the first round's start until so many commits: between two, and behind the last, by straight lines. */
function reachedAt(
  { firstRound, commits }: Pick<SimulationResult, "firstRound" | "commits">,
  steps: number,
): Moment {
  if (steps > commits.length) {
    const whole = reachedAt({ firstRound, commits }, commits.length);
    const share = steps / commits.length;
    return { ms: whole.ms * share, path: addTimes(NO_TIME, whole.path, share) };
  }
  const after = Math.max(1, Math.ceil(steps));
  const from = after === 1 ? firstRound : commits[after - 2];
  const to = commits[after - 1];
  const share = steps - (after - 1);
  const between = addTimes(addTimes(NO_TIME, from.path, 1 - share), to.path, share);
  return {
    ms: from.ms + share * (to.ms - from.ms) - firstRound.ms,
    path: addTimes(between, firstRound.path, -1),
  };
}
