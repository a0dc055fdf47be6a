/** The demo's report out of what its processes told and what was measured afterwards. */
import type { JobConfig } from "../../shared/protocol/job-config.ts";
import {
  type ClientReport,
  PHASE_NAMES,
  REPORT_FORMAT,
  REPORT_VERSION,
  type RunReport,
} from "../report/run-report.ts";
import type { ClientCollector, CommandResult } from "./events.ts";

/** Streams of a client in a U-shaped split. */
const PHASES = PHASE_NAMES.length;

export interface MeasuredClient {
  readonly collector: ClientCollector;
  readonly data: string;
  readonly result: CommandResult;
  readonly heldOut: ClientReport["heldOut"];
  /** Of each step's batch in the unsplit run. */
  readonly unsplitLosses: readonly number[] | undefined;
}

export interface DemoNumbers {
  readonly started: Date;
  readonly seconds: number;
  readonly job: JobConfig;
  readonly model: RunReport["model"];
  readonly clients: readonly MeasuredClient[];
  readonly server: CommandResult;
  readonly settings: RunReport["settings"];
  readonly environment: RunReport["environment"];
}

function clientReport(
  { collector, data, result, heldOut, unsplitLosses }: MeasuredClient,
  job: JobConfig,
): ClientReport {
  const { serverBits, clientWidths, serverWidths } = collector;
  // What a process was about to tell when it was killed is lost: such a step is in no series.
  const steps = collector.steps.filter(({ step }) => serverBits.has(step));
  const fromServer = (phase: "A2" | "G1") => steps.map(({ step }) => serverBits.get(step)?.[phase] ?? 0);
  const rows = {
    A1: clientWidths.map(({ step, A1 }) => ({ step, bits: A1 })),
    A2: serverWidths.map(({ step, A2 }) => ({ step, bits: A2 })),
    G2: clientWidths.map(({ step, G2 }) => ({ step, bits: G2 })),
    G1: serverWidths.map(({ step, G1 }) => ({ step, bits: G1 })),
  };
  return {
    name: collector.name,
    data,
    heldOut,
    series: {
      step: steps.map(({ step }) => step),
      loss: steps.map(({ loss }) => loss),
      ...(unsplitLosses === undefined
        ? {}
        : { unsplitLoss: steps.map(({ step }) => unsplitLosses[step - 1]) }),
      tokens: steps.map(({ tokens }) => tokens),
      elements: steps.map(({ tokens }) => tokens * PHASES * job.model.hidden),
      bytes: steps.map(({ bytes }) => bytes),
      bits: {
        A1: steps.map(({ bits }) => bits.A1),
        A2: fromServer("A2"),
        G2: steps.map(({ bits }) => bits.G2),
        G1: fromServer("G1"),
      },
    },
    widths: PHASE_NAMES.filter((phase) => rows[phase].length > 0).map((phase) => ({
      phase,
      step: rows[phase].map(({ step }) => step),
      bits: rows[phase].map(({ bits }) => [...bits]),
    })),
    bytes: { up: result.ledger.up, down: result.ledger.down },
    timeMs: { compute: result.computeMs, codec: result.codecMs, link: result.linkMs },
  };
}

/** Mean width over streams and clients: of the first step, the last, and the run, weighted by elements. */
export function bitsPerElement(clients: readonly ClientReport[]): RunReport["bitsPerElement"] {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const at = (client: ClientReport, i: number) =>
    mean(Object.values(client.series.bits).map((values) => values[i]));
  let weighted = 0;
  let elements = 0;
  for (const client of clients)
    client.series.elements.forEach((total, i) => {
      const own = total - (i === 0 ? 0 : client.series.elements[i - 1]);
      weighted += own * at(client, i);
      elements += own;
    });
  return {
    first: mean(clients.map((client) => at(client, 0))),
    last: mean(clients.map((client) => at(client, client.series.step.length - 1))),
    mean: weighted / elements,
  };
}

/** Mean width that a codec's anneal ends at; undefined for codecs that do not anneal. */
function targetOf(codec: string): number | undefined {
  const found = /^amaq:[\d.]+-([\d.]+)/.exec(codec);
  return found === null ? undefined : Number(found[1]);
}

export function buildReport(numbers: DemoNumbers): RunReport {
  const { job, server } = numbers;
  const clients = numbers.clients.map((client) => clientReport(client, job));
  const targets = new Set(PHASE_NAMES.map((phase) => targetOf(job.codecs[phase])));
  const [budgetBits] = targets.size === 1 ? targets : [undefined];
  const { totalBytes, baselines } = server.report;
  return {
    format: REPORT_FORMAT,
    version: REPORT_VERSION,
    title: `${numbers.clients.map(({ collector }) => collector.name).join(" and ")} fine-tune ${numbers.model.name} together`,
    started: numbers.started.toISOString(),
    seconds: numbers.seconds,
    model: numbers.model,
    split: {
      kind: job.split,
      bottomBlocks: job.model.bottomBlocks,
      trunkBlocks: job.model.trunkBlocks,
      topBlocks: job.model.topBlocks,
    },
    codecs: { ...job.codecs },
    ...(budgetBits === undefined ? {} : { budgetBits }),
    clients,
    server: { timeMs: { compute: server.computeMs, codec: server.codecMs, link: server.linkMs } },
    bytes: { total: totalBytes, ...baselines },
    bitsPerElement: bitsPerElement(clients),
    settings: numbers.settings,
    environment: numbers.environment,
  };
}
