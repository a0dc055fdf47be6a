/**
 * The experiment file: model × task × arms × seeds (× link), checked, and taken apart into cells. A cell is one training run with every
 * setting filled in; it is all that decides a run's result besides the code and the data.
 */
import { z } from "zod";
import { codecText } from "../../server/serve/settings.ts";
import { parseConfig } from "../../shared/command/config-file.ts";
import { ENGINE_NAMES } from "../../shared/engine/registry.ts";
import { fail } from "../../shared/errors.ts";
import { canonicalJson } from "../../shared/job/fingerprint.ts";
import { codecSpecOf } from "../../shared/protocol/codecs.ts";
import { hasEntropyStage } from "../../shared/protocol/without-entropy.ts";
import { PROFILE_NAMES } from "../link/profiles.ts";
import { isPartition } from "../tasks/partition.ts";
import { taskNamed } from "../tasks/registry.ts";

const count = z.int().min(1);

/** What an experiment may set for all, for a task, or for an arm; later ones win. */
const settingsShape = {
  /** Steps of each client. */
  steps: count.max(100_000),
  clients: count.max(256),
  /** Rows of a micro-batch, and tokens of a row at most. */
  rows: count.max(1_024),
  length: z.int().min(2).max(8_192),
  microBatches: count.max(256),
  inFlight: count.max(256),
  split: z.enum(["u-shape", "vanilla"]),
  /** Where the model is cut: blocks before the first cut and behind the second. */
  bottom: z.int().min(0).max(1_024),
  top: z.int().min(0).max(1_024),
  mode: z.enum(["sync", "sequential"]),
  aggregation: z.enum(["personal", "fedavg"]),
  averageEvery: count.max(100_000),
  rank: count.max(1_024),
  /** Left out, twice the rank. */
  alpha: z.number().positive().max(65_536).optional(),
  dropout: z.number().min(0).max(0.95),
  learningRate: z.number().min(0).max(10),
  warmup: z.int().min(0).max(100_000),
  schedule: z.enum(["constant", "linear", "cosine"]),
  clipNorm: z.number().min(0),
  /** Who holds which examples; see tasks/partition.ts. */
  partition: z.string().refine(isPartition, "accepted: iid, source, dirichlet:ALPHA with ALPHA above 0"),
  /** Training examples of all clients together; 0 for all that the task has. */
  trainExamples: z.int().min(0).max(1_000_000),
  /** Test examples of classification and generation, and test tokens of language tasks, that are measured. */
  testExamples: count.max(1_000_000),
  testTokens: z.int().min(64).max(10_000_000),
  /** Test examples that each client's model writes answers to after the last step, of tasks that are judged so; 0 for none. */
  generateExamples: z.int().min(0).max(1_000_000),
  /** Steps between two measurements on test examples, the first before any step; 0 for one at the end alone. */
  evaluateEvery: z.int().min(0).max(100_000),
};
const settingsSchema = z.strictObject(settingsShape);
const someSettings = settingsSchema.partial();

export type CellSettings = Required<z.infer<typeof settingsSchema>>;

const DEFAULTS: z.infer<typeof settingsSchema> = {
  steps: 60,
  clients: 2,
  rows: 4,
  length: 64,
  microBatches: 1,
  inFlight: 2,
  split: "u-shape",
  bottom: 1,
  top: 1,
  mode: "sync",
  aggregation: "personal",
  averageEvery: 10,
  rank: 8,
  dropout: 0,
  learningRate: 3e-3,
  warmup: 5,
  schedule: "cosine",
  clipNorm: 1,
  partition: "iid",
  trainExamples: 4_000,
  testExamples: 200,
  testTokens: 4_096,
  generateExamples: 8,
  evaluateEvery: 0,
};

const name = z
  .string()
  .min(1)
  .max(80)
  .regex(/^[^\n\r\t,"]+$/, "accepted: text without commas, quotes and line breaks");

/** A codec as the registry reads it: a compact text, or an object with every setting. */
const codec = z.union([z.string().min(1), z.record(z.string(), z.unknown())]);

const armSchema = z.strictObject({
  name,
  activations: codec.optional(),
  gradients: codec.optional(),
  /** For a single phase; wins over the two above. */
  codecs: z.strictObject({ A1: codec, A2: codec, G2: codec, G1: codec }).partial().optional(),
  /** Shows the same runs a second time in the report, under this name, with their bytes without the entropy stage. */
  packedAs: name.optional(),
  ...someSettings.shape,
});

const taskSchema = z.union([
  z.string().min(1),
  z.strictObject({ task: z.string().min(1), ...someSettings.shape }),
]);

/** What needs no training: see docs/experiments.md for the examples that each is made from. */
export const BASELINES = ["majority", "bag-of-words-seen", "bag-of-words"] as const;
export type Baseline = (typeof BASELINES)[number];

export const experimentSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/, "accepted: letters, digits, dots, dashes"),
  /** What it is to answer; shown in the report. */
  question: z.string().max(2_000).optional(),
  models: z.array(z.string().min(1)).min(1).max(64),
  tasks: z.array(taskSchema).min(1).max(64),
  /** Numbers, or how many from 0. */
  seeds: z.union([count.max(1_000), z.array(z.int().min(0).max(0xffffffff)).min(1).max(1_000)]),
  settings: someSettings.default({}),
  arms: z.array(armSchema).min(1).max(256),
  /** Arms that every other one is compared with; the first arm by default. */
  against: z.array(name).optional(),
  /** Reference rows of classification tasks. */
  baselines: z.array(z.enum(BASELINES)).default([...BASELINES]),
  /** memory: all in one process, no network. process: real processes over real sockets. */
  transport: z.enum(["memory", "process"]).default("memory"),
  /** Links between clients and server, by profile, for runs over processes: each makes a run of its own. */
  links: z.array(z.enum(PROFILE_NAMES)).default([]),
  engine: z.enum(ENGINE_NAMES).default("onnxruntime"),
});

export type Experiment = z.infer<typeof experimentSchema>;

const PHASE_NAMES = ["A1", "A2", "G2", "G1"] as const;
type PhaseCodecs = Readonly<Record<(typeof PHASE_NAMES)[number], string>>;

/** One run, complete. Everything here goes into its hash. */
export interface Cell extends CellSettings {
  readonly model: string;
  readonly task: string;
  readonly arm: string;
  /** Instead of training: a reference that needs none. */
  readonly baseline?: Baseline;
  readonly codecs: PhaseCodecs;
  readonly seed: number;
  readonly engine: Experiment["engine"];
  readonly transport: Experiment["transport"];
  readonly link: string;
}

/**
 * Reads an experiment from YAML.
 *
 * @throws NB_CONFIG_INVALID that names the place of each mistake.
 */
export async function parseExperiment(file: string, text: string): Promise<Experiment> {
  const { values } = await parseConfig(file, text);
  const parsed = experimentSchema.safeParse(values);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.join(".") || "file"}: ${message}`,
    );
    return fail("NB_CONFIG_INVALID", `${file}: ${problems.join("; ")}`);
  }
  const experiment = parsed.data;
  const names = experiment.arms.map((arm) => arm.name);
  const twice = names.find((arm, i) => names.indexOf(arm) !== i);
  if (twice !== undefined)
    fail("NB_CONFIG_INVALID", `${file}: arms: ${JSON.stringify(twice)} stands there twice`);
  const tasks = taskNamesOf(experiment);
  const task = tasks.find((entry, i) => tasks.indexOf(entry) !== i);
  if (task !== undefined)
    fail(
      "NB_CONFIG_INVALID",
      `${file}: tasks: ${JSON.stringify(task)} stands there twice; accepted: once, and other settings of it in an experiment of its own`,
    );
  if (experiment.links.length > 0 && experiment.transport === "memory")
    fail(
      "NB_CONFIG_INVALID",
      `${file}: links: there are none in memory; accepted: links with transport: process`,
    );
  const packed = experiment.arms.flatMap((arm) => packedName(file, experiment, arm) ?? []);
  const all = [...names, ...packed];
  const again = packed.find((arm) => all.indexOf(arm) !== all.lastIndexOf(arm));
  if (again !== undefined)
    fail("NB_CONFIG_INVALID", `${file}: packedAs: ${JSON.stringify(again)} is the name of another arm`);
  const unknown = experiment.against?.find((arm) => !all.includes(arm));
  if (unknown !== undefined)
    fail(
      "NB_CONFIG_INVALID",
      `${file}: against: ${JSON.stringify(unknown)} is no arm; accepted: ${all.join(", ")}`,
    );
  return experiment;
}

/** An arm's `packedAs`, refused where there would be no such runs. */
function packedName(
  file: string,
  { transport }: Experiment,
  arm: z.infer<typeof armSchema>,
): string | undefined {
  const { packedAs } = arm;
  if (packedAs === undefined) return undefined;
  const refuse = (why: string): never =>
    fail("NB_CONFIG_INVALID", `${file}: arms: ${arm.name}: packedAs: ${why}`);
  if (transport === "process")
    refuse("only runs in memory know these bytes; accepted with transport: memory");
  const specs = PHASE_NAMES.map((phase) => codecOf(arm, phase, 1))
    .filter(hasEntropyStage)
    .map(codecSpecOf);
  if (specs.length === 0) refuse("no codec of it has an entropy stage; accepted with one that has");
  if (specs.some((spec) => spec.codec === "amaq" && spec.allocator === "gate-rate"))
    refuse(
      "gate-rate gives bits by what the entropy stage makes of them, so that without it the run would be another",
    );
  return packedAs;
}

/** What codec an arm has for a phase, as a job's settings hold it. */
function codecOf(arm: z.infer<typeof armSchema>, phase: keyof PhaseCodecs, steps: number): string {
  const side = phase === "A1" || phase === "A2" ? "activations" : "gradients";
  const given = arm.codecs?.[phase] ?? arm[side];
  if (given === undefined)
    return fail(
      "NB_CONFIG_INVALID",
      `arms: ${arm.name}: no codec for ${phase}; accepted: ${side}, or codecs with ${phase}`,
    );
  return codecText(typeof given === "string" ? given : JSON.stringify(given), steps);
}

/** All runs of an experiment: baselines first, then seed by seed, so that an early stop leaves whole comparisons. */
export function cellsOf(experiment: Experiment): Cell[] {
  const { models, tasks, arms, settings, engine, transport } = experiment;
  const seeds =
    typeof experiment.seeds === "number"
      ? Array.from({ length: experiment.seeds }, (_, i) => i)
      : experiment.seeds;
  const links = transport === "process" && experiment.links.length > 0 ? experiment.links : ["none"];
  const baselines: Cell[] = [];
  const cells: Cell[] = [];
  for (const seed of seeds)
    for (const model of models)
      for (const entry of tasks) {
        const { task: taskName, ...ofTask } = typeof entry === "string" ? { task: entry } : entry;
        const task = taskNamed(taskName);
        const common = { ...DEFAULTS, ...settings, ...ofTask };
        const base = { model, task: task.name, seed, engine, transport, link: "none" };
        if (task.kind === "classification")
          for (const baseline of experiment.baselines) {
            const none = { A1: "f32", A2: "f32", G2: "f32", G1: "f32" };
            baselines.push({ ...base, ...complete(common), arm: baseline, baseline, codecs: none });
          }
        for (const arm of arms) {
          const { name: armName, activations: _a, gradients: _g, codecs: _c, packedAs: _p, ...ofArm } = arm;
          const all = complete({ ...common, ...ofArm });
          const codecs = Object.fromEntries(
            PHASE_NAMES.map((phase) => [phase, codecOf(arm, phase, all.steps)]),
          ) as PhaseCodecs;
          for (const link of links) cells.push({ ...base, ...all, arm: armName, codecs, link });
        }
      }
  return [...baselines, ...cells];
}

/** Names of an experiment's tasks, in its order. */
export function taskNamesOf({ tasks }: Experiment): string[] {
  return tasks.map((entry) => (typeof entry === "string" ? entry : entry.task));
}

/** A cell's settings without where its model stands, which changes nothing. */
export function placeless<C extends { readonly model?: unknown }>(cell: C): C {
  return { ...cell, model: String(cell.model).replace(/^.*[\\/](?=.)/, "") };
}

/**
 * Tells whether an experiment has a run with these settings. What the version of the program that made the run could not be told yet is
 * taken for its default.
 */
export function gridOf(experiment: Experiment): (settings: Readonly<Record<string, unknown>>) => boolean {
  const key = (settings: { readonly model?: unknown }) =>
    canonicalJson(placeless({ ...DEFAULTS, ...settings }));
  const keys = new Set(cellsOf(experiment).map(key));
  return (settings) => keys.has(key(settings));
}

function complete(settings: z.infer<typeof settingsSchema>): CellSettings {
  return {
    ...settings,
    alpha: settings.alpha ?? 2 * settings.rank,
    inFlight: Math.min(settings.inFlight, settings.microBatches),
  };
}

/** A cell in a few words, for people. */
export function cellLabel({ task, arm, seed, link }: Cell): string {
  return `${task} | ${arm} | seed ${seed}${link === "none" ? "" : ` | ${link}`}`;
}
