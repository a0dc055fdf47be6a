/** Runs a seed and says what is wrong with how it went, if anything. */
import { segmentName } from "../../shared/job/journal.ts";
import { parseSegment } from "../../shared/job/redo-log.ts";
import { type ServerRecord, serverRecordSchema } from "../../shared/job/server-records.ts";
import type { NamedTensors } from "../../shared/train/segments.ts";
import type { Disk } from "./disk.ts";
import { calmRun, calmSequentialRun } from "./reference.ts";
import { type Scenario, scenarioOf } from "./scenario.ts";
import { type SimCounts, Simulation } from "./simulation.ts";

export interface SeedResult {
  readonly seed: number;
  /** Undefined when everything is as it must be. */
  readonly reason: string | undefined;
  readonly trace: readonly string[];
  readonly counts: SimCounts;
}

class Wrong extends Error {}

function requireEqual(what: string, got: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
  if (a !== b) throw new Wrong(`${what}: ${a} where ${b} is right`);
}

function requireSameBits(what: string, got: NamedTensors, expected: NamedTensors): void {
  requireEqual(`${what}: names`, [...got.keys()], [...expected.keys()]);
  for (const [name, { data }] of got) {
    const want = expected.get(name)!.data;
    const [a, b] = [data, want].map((x) => Buffer.from(x.buffer, x.byteOffset, x.byteLength));
    if (!a.equals(b)) throw new Wrong(`${what}: ${name} is [${data}] where [${want}] is right`);
  }
}

/** Bytes that two checkpoints and their logs may take: small tensors, but all messages of some steps. */
const MOST_BYTES = 2 * 1024 * 1024;

/** A server's log that was never cut. */
function wholeLog(disk: Disk): ServerRecord[] {
  const name = segmentName(0);
  const { records } = parseSegment(disk.contents(name), 0, name);
  return records.map((record) => serverRecordSchema.parse(record));
}

async function compare(simulation: Simulation, scenario: Scenario): Promise<void> {
  const { config, clients } = scenario;
  const count = simulation.groups.size;
  const groups = Array.from({ length: count }, (_, trunkStep) => {
    const group = simulation.groups.get(trunkStep);
    if (group === undefined) throw new Wrong(`trunk step ${trunkStep} is missing among ${count}`);
    return group;
  });
  const steps = Array.from({ length: config.steps }, (_, step) => step);
  if (simulation.outcome?.reason !== "completed")
    throw new Wrong(`the job ended: ${simulation.outcome?.message}`);
  const whole = scenario.leaves === 0;
  const { texts } = simulation;
  requireEqual("clients of the job", [...texts].sort(), [...Array(clients).keys()]);
  for (const client of simulation.clients) {
    const index = texts.indexOf(client.index);
    const taken = groups.flatMap(({ members }) => members.filter((m) => m.client === index));
    const heard = [...client.heard.keys()].sort((a, b) => a - b);
    requireEqual(
      `steps that client ${client.index} applied`,
      heard,
      taken.map(({ step }) => step).sort((a, b) => a - b),
    );
    if (whole) requireEqual(`steps of client ${client.index}`, heard, steps);
  }
  if (whole) requireEqual("abandoned steps", simulation.abandoned, 0);
  if (config.mode === "sync") requireEqual("trunk steps", count, config.steps);
  for (const disk of [simulation.serverDisk, ...simulation.clients.map((client) => client.disk)]) {
    if (disk.peakBytes > MOST_BYTES) throw new Wrong(`a disk held ${disk.peakBytes} bytes`);
    const checkpoints = disk.names.filter((name) => name.endsWith(".nbck"));
    const segments = disk.names.filter((name) => name.endsWith(".nbredo"));
    // One more of each when a process was killed before it could remove the oldest.
    if (checkpoints.length > 3 || segments.length > 4)
      throw new Wrong(`files left: ${disk.names.join(", ")}`);
  }
  const several = config.mode === "sequential" && clients > 1;
  // What is left of the log is not all of it, or adapters were averaged with whoever was there.
  if (several && (scenario.every > 0 || config.aggregation === "fedavg")) return;
  const calm = several
    ? await calmSequentialRun(config, texts, groups, wholeLog(simulation.serverDisk))
    : await calmRun(config, texts, groups);
  requireSameBits("trunk", simulation.server!.trunk.saveState(), calm.trunk.saveState());
  if (config.split === "vanilla") {
    requireSameBits("top", simulation.server!.top.saveState(), calm.top.saveState());
  }
  for (const { index, process, heard, outcome } of simulation.clients) {
    // One that had left, and has not found the job any more, is wherever it was.
    if (outcome === undefined) continue;
    const own = texts.indexOf(index);
    const { bottom, top, worker } = calm.clients[own];
    requireSameBits(`bottom of client ${index}`, process!.bottom.saveState(), bottom.saveState());
    requireSameBits(`top of client ${index}`, process!.top.saveState(), top.saveState());
    for (const [step, { lossSum, supervisedTokens }] of heard) {
      const sums = calm.steps.get(`${own}:${step}`);
      requireEqual(`client ${index}, step ${step}`, { lossSum, supervisedTokens }, sums);
    }
    for (const phase of ["A1", "G2"] as const) {
      const [got, want] = [process!.edge.senders!, worker.senders].map((s) => [...s[phase].encoder.widths()]);
      requireEqual(`widths of ${phase} of client ${index}`, got, want);
    }
  }
}

export async function runSeed(
  seed: number,
  change: Partial<Scenario> = {},
  verbose = false,
): Promise<SeedResult> {
  const scenario = { ...scenarioOf(seed), ...change };
  const simulation = new Simulation(scenario, verbose);
  let reason: string | undefined;
  try {
    await simulation.run();
    await compare(simulation, scenario);
  } catch (error) {
    const { name, message, stack } = error as Error;
    reason = error instanceof Wrong ? message : `${name}: ${message}\n${stack}`;
  }
  return { seed, reason, trace: simulation.clock.trace, counts: simulation.counts };
}
