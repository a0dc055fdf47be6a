/** The experiment file: what it may say, what is filled in, and how wrong ones are told. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { cellsOf, parseExperiment } from "../../experiments/runner/experiment.ts";
import { failure } from "../model/helpers.ts";

const SMALL = `
name: small
models: [models/base-6m]
seeds: [3, 5]
settings: { steps: 10, clients: 3, rank: 4 }
tasks: [moby-dick, { task: wordnet-classes, steps: 20 }]
arms:
  - { name: plain, activations: f32, gradients: f16 }
  - { name: adaptive, activations: "amaq:8-3", gradients: { codec: fixed, bits: 4 }, steps: 30 }
  - { name: by phase, activations: f32, gradients: f32, codecs: { G1: "fixed:3" } }
`;

const cells = async (text: string) => cellsOf(await parseExperiment("x.yaml", text));
const trained = async (text: string) => (await cells(text)).filter(({ baseline }) => baseline === undefined);

describe("an experiment file", () => {
  it("is models × tasks × arms × seeds, seed by seed", async () => {
    const all = await trained(SMALL);
    expect(all.map(({ seed, task, arm }) => `${seed} ${task} ${arm}`)).toEqual(
      [3, 5].flatMap((seed) =>
        ["moby-dick", "wordnet-classes"].flatMap((task) =>
          ["plain", "adaptive", "by phase"].map((arm) => `${seed} ${task} ${arm}`),
        ),
      ),
    );
  });

  it("adds the baselines of classification tasks, once for each seed", async () => {
    const all = await cells(SMALL);
    expect(all.filter(({ baseline }) => baseline).map(({ task, arm, seed }) => [task, arm, seed])).toEqual([
      ["wordnet-classes", "majority", 3],
      ["wordnet-classes", "bag-of-words-seen", 3],
      ["wordnet-classes", "bag-of-words", 3],
      ["wordnet-classes", "majority", 5],
      ["wordnet-classes", "bag-of-words-seen", 5],
      ["wordnet-classes", "bag-of-words", 5],
    ]);
    expect((await cells(`${SMALL}\nbaselines: []`)).every(({ baseline }) => baseline === undefined)).toBe(
      true,
    );
  });

  it("lets a task win over what is set for all, and an arm over its task", async () => {
    const of = (await trained(SMALL)).filter(({ seed }) => seed === 3);
    expect(of.map(({ steps }) => steps)).toEqual([10, 30, 10, 20, 30, 20]);
    expect(of.every(({ clients, rank, alpha }) => clients === 3 && rank === 4 && alpha === 8)).toBe(true);
  });

  it("gives each phase its codec, as text or as an object; an anneal gets a length that fits the run", async () => {
    const [plain, adaptive, byPhase] = await trained(SMALL);
    expect(plain.codecs).toEqual({ A1: "f32", A2: "f32", G2: "f16", G1: "f16" });
    expect(adaptive.codecs.A1).toBe("amaq:8-3@18");
    expect(JSON.parse(adaptive.codecs.G2)).toEqual({ codec: "fixed", bits: 4 });
    expect(byPhase.codecs).toEqual({ A1: "f32", A2: "f32", G2: "f32", G1: "fixed:3" });
  });

  it.each([
    ["a setting that does not exist", SMALL.replace("rank: 4", "rnak: 4"), /settings.*rnak/],
    ["an unknown task", SMALL.replace("moby-dick", "moby"), /"moby".*wordnet-classes/],
    ["an unknown codec", SMALL.replace("amaq:8-3", "amoq:8-3"), /amoq/],
    ["an arm without gradients", SMALL.replace("gradients: f16", "steps: 5"), /plain: no codec for G2/],
    ["two arms of one name", SMALL.replace("adaptive", "plain"), /plain.*twice/],
    ["a task that stands there twice", SMALL.replace("wordnet-classes", "moby-dick"), /moby-dick.*twice/],
    ["a reference that is no arm", `${SMALL}\nagainst: [other]`, /other.*plain, adaptive, by phase/],
    ["a partition that does not exist", SMALL.replace("rank: 4", "partition: alphabet"), /dirichlet/],
    ["no arm at all", SMALL.replace(/arms:[\s\S]*/, "arms: []"), /arms/],
    ["no YAML", "name: [", /x\.yaml/],
  ])("refuses %s", async (_, text, message) => {
    expect(await failure("NB_CONFIG_INVALID", () => cells(text))).toMatch(message);
  });

  it("goes over every link when it runs over processes; in memory there is none to ask for", async () => {
    const both = `${SMALL}\nlinks: [lan, dsl]`;
    const over = await trained(`${both}\ntransport: process`);
    expect(new Set(over.map(({ link }) => link))).toEqual(new Set(["lan", "dsl"]));
    expect(new Set((await trained(SMALL)).map(({ link }) => link))).toEqual(new Set(["none"]));
    expect(await failure("NB_CONFIG_INVALID", () => cells(both))).toMatch(/links.*transport: process/);
  });

  it("of the project all parse", async () => {
    const file = fileURLToPath(new URL("../../experiments/files/quick.yaml", import.meta.url));
    expect((await cells(readFileSync(file, "utf8"))).length).toBe(39);
  });
});
