/**
 * Which client holds which training examples.
 *
 * - `iid`: dealt out at random, equally many to each.
 * - `source`: each source (author, book, mailbox) whole to one client, the largest first to whoever has least.
 * - `dirichlet:ALPHA`: for each label, clients' shares are drawn from a Dirichlet distribution with that
 *   concentration (Hsu, Qi and Brown, 2019, "Measuring the Effects of Non-Identical Data Distribution"): small alpha, few labels
 *   a client; alpha to infinity, iid.
 *
 * Everything is drawn from the seed, so that a client's examples are the same in every arm.
 */
import { fail } from "../../shared/errors.ts";
import { permutation, random32 } from "../../shared/random.ts";
import type { TaskExample } from "./task.ts";

/** Streams of randomness: permutations and draws must not meet. */
const ORDER_STREAM = 0x7061_0000;
const DRAW_STREAM = 0x7061_1000;

const DIRICHLET = /^dirichlet:(\d+(?:\.\d+)?)$/;

/** Whether a text names a partition. */
export function isPartition(text: string): boolean {
  const match = DIRICHLET.exec(text);
  return text === "iid" || text === "source" || (match !== null && Number(match[1]) > 0);
}

/**
 * The examples of each client [clients], each in a random order.
 *
 * @throws NB_CONFIG_INVALID when a client would be left without any.
 */
export function partitionExamples(
  examples: readonly TaskExample[],
  partition: string,
  clients: number,
  seed: number,
): TaskExample[][] {
  const order = Array.from(permutation(examples.length, seed, ORDER_STREAM), (i) => examples[i]);
  const parts: TaskExample[][] = Array.from({ length: clients }, () => []);
  const alpha = DIRICHLET.exec(partition)?.[1];
  if (alpha !== undefined) dealByLabel(order, Number(alpha), parts, seed);
  else if (partition === "source") dealBySource(order, parts);
  else for (const [i, example] of order.entries()) parts[i % clients].push(example);
  const empty = parts.findIndex((part) => part.length === 0);
  if (empty >= 0)
    fail(
      "NB_CONFIG_INVALID",
      `partition: ${partition} leaves client ${empty + 1} of ${clients} without examples; accepted: fewer clients or another partition`,
    );
  return parts;
}

function groups(
  examples: readonly TaskExample[],
  key: (example: TaskExample) => string,
): Map<string, TaskExample[]> {
  const found = new Map<string, TaskExample[]>();
  for (const example of examples) {
    const name = key(example);
    const group = found.get(name);
    if (group === undefined) found.set(name, [example]);
    else group.push(example);
  }
  // By name: which client gets a source must not hang on the order of the draw.
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function dealBySource(order: readonly TaskExample[], parts: TaskExample[][]): void {
  const bySize = [...groups(order, ({ source }) => source).values()].sort((a, b) => b.length - a.length);
  for (const group of bySize) {
    const least = parts.reduce((best, part, i) => (part.length < parts[best].length ? i : best), 0);
    parts[least].push(...group);
  }
}

function dealByLabel(
  order: readonly TaskExample[],
  alpha: number,
  parts: TaskExample[][],
  seed: number,
): void {
  for (const [g, group] of [...groups(order, ({ label, source }) => label ?? source).values()].entries()) {
    const draw = new Uniforms(seed, DRAW_STREAM + g);
    const weights = parts.map(() => gamma(alpha, draw));
    const total = weights.reduce((a, b) => a + b, 0);
    let from = 0;
    let share = 0;
    for (const [client, weight] of weights.entries()) {
      share += weight / total;
      const to = client + 1 === parts.length ? group.length : Math.round(share * group.length);
      parts[client].push(...group.slice(from, to));
      from = Math.max(from, to);
    }
  }
}

/** Uniform numbers in (0, 1), one after another. */
class Uniforms {
  readonly #seed: number;
  readonly #stream: number;
  #count = 0;

  constructor(seed: number, stream: number) {
    this.#seed = seed;
    this.#stream = stream;
  }

  next(): number {
    return (random32(this.#seed, this.#stream, this.#count++) + 0.5) / 2 ** 32;
  }

  /** Standard normal, by Box and Muller (1958). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.next())) * Math.cos(2 * Math.PI * this.next());
  }
}

/** A Gamma(alpha, 1) number: Marsaglia and Tsang, 2000, "A Simple Method for Generating Gamma Variables". */
function gamma(alpha: number, draw: Uniforms): number {
  if (alpha < 1) return gamma(alpha + 1, draw) * draw.next() ** (1 / alpha);
  const d = alpha - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = draw.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(draw.next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
