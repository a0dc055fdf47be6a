/** Tables, plots and numbers of documents, from rows whose answers are known by hand. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keptRows } from "../../experiments/report/keep-rows.ts";
import { type Cell, cellsOf, parseExperiment } from "../../experiments/runner/experiment.ts";
import { parseCellRows } from "../../experiments/runner/rows.ts";
import { RowStore } from "../../experiments/runner/store.ts";
import { groupBy } from "../../experiments/statistics/groups.ts";
import { makeDocument } from "../../experiments/tables/run.ts";
import { modelName, type ResultsReader, resultsReader } from "../../experiments/tables/selection.ts";
import type { CapturedTensor } from "../../shared/capture/capture.ts";
import { writeCapture } from "../../shared/capture/capture-node.ts";
import { run } from "../command/helpers.ts";
import { failure, temporaryDirectory } from "../model/helpers.ts";

interface Arm {
  readonly arm: string;
  readonly codecs?: Record<string, string>;
  readonly settings?: object;
  readonly task?: string;
  readonly baseline?: boolean;
  readonly packedAs?: string;
  /** Of a seed: (bytes, metric) of its measurements. */
  readonly points: (seed: number) => readonly (readonly [number, number])[];
  readonly losses?: (seed: number) => readonly number[];
  readonly seeds?: readonly number[];
}

const ALL_F16 = { A1: "f16", A2: "f16", G1: "f16", G2: "f16" };

/** Lines of a cell's file. */
function linesOf(arm: Arm, cell: Cell, place: number): { readonly config: string; readonly text: string } {
  const { baseline = false, packedAs } = arm;
  const { seed, task } = cell;
  const config = `${place.toString(16).padStart(8, "0")}${seed.toString(16).padStart(8, "0")}`;
  const names = {
    experiment: "e",
    config,
    code: "c".repeat(16),
    task,
    model: "models/m",
    arm: arm.arm,
    seed,
    link: "none",
  };
  const accuracy = task === "wordnet-classes";
  const metricsOf = (value: number) => (accuracy ? { loss: 1, accuracy: value } : { loss: value });
  const points = arm.points(seed);
  const losses = arm.losses?.(seed) ?? points.slice(1).map(([, value]) => value);
  const [totalBytes] = points.at(-1)!;
  const bytes = { up: { payload: totalBytes }, down: {} };
  const ms = { clientCompute: 60, clientCodec: 6, serverCompute: 40, serverCodec: 4 };
  const rows = [
    {
      row: "cell",
      ...names,
      cell,
      inputs: {},
      metric: accuracy ? "accuracy" : "loss",
      higherIsBetter: accuracy,
      baseline,
      ...(packedAs === undefined ? {} : { packedAs }),
      machine: {},
      started: "2026-01-01T00:00:00Z",
    },
    ...points.map(([at, value], step) => ({
      row: "evaluation",
      ...names,
      step,
      totalBytes: at,
      ...(packedAs === undefined ? {} : { packedBytes: 2 * at }),
      metrics: metricsOf(value),
      clients: [metricsOf(value)],
    })),
    ...losses.map((loss, i) => ({
      row: "step",
      ...names,
      step: i + 1,
      loss,
      clientLosses: {},
      supervisedTokens: 1,
      tokens: i + 1,
      gradientNorm: i === 0 ? 3 : 1,
      bits: { A1: 4 },
      bytes,
      stepBytes: bytes,
      ms,
    })),
    {
      row: "end",
      ...names,
      steps: baseline ? 0 : 2,
      tokens: 1,
      elements: 8,
      bytes,
      totalBytes,
      codecBitsPerElement: totalBytes / 1e6,
      wireBitsPerElement: 5,
      phaseBits: { A1: 4 },
      ...(packedAs === undefined
        ? {}
        : { packedBytes: 2 * totalBytes, packedCodecBits: totalBytes / 5e5, packedPhaseBits: { A1: 8 } }),
      baselineBytes: { f32: 32, f16: 16, int8: 8 },
      ms,
      seconds: 1,
    },
  ];
  const raw = parseCellRows("rows", rows.map((row) => JSON.stringify(row)).join("\n"));
  return {
    config,
    text: keptRows(raw)
      .map((row) => JSON.stringify(row))
      .join("\n"),
  };
}

/** Writes results of arms, as they are published. */
async function publish(root: string, name: string, arms: readonly Arm[]): Promise<void> {
  const trained = arms.filter(({ baseline }) => baseline !== true);
  const file = JSON.stringify({
    name: "e",
    models: ["models/m"],
    seeds: 3,
    tasks: ["demo-texts", "wordnet-classes"],
    arms: [...groupBy(trained, ({ arm }) => arm)].map(
      ([arm, [{ codecs = ALL_F16, settings, packedAs }]]) => ({
        name: arm,
        codecs,
        packedAs,
        ...settings,
      }),
    ),
  });
  const store = new RowStore(join(root, name));
  const cells = cellsOf(await parseExperiment("file", file));
  for (const [place, arm] of arms.entries())
    for (const seed of arm.seeds ?? [0, 1, 2]) {
      const { task = "demo-texts" } = arm;
      const cell = cells.find((other) => other.arm === arm.arm && other.task === task && other.seed === seed);
      const { config, text } = linesOf(arm, cell!, place);
      await store.write(
        config,
        "c".repeat(16),
        text.split("\n").map((line) => JSON.parse(line)),
      );
    }
  writeFileSync(join(root, name, "experiment.yaml"), file);
}

/** Big spends 16 MB in each of two steps, small 4 and ends 0.1 to 0.12 worse. */
const BIG: Arm = {
  arm: "big",
  points: (seed) => [
    [0, 5 + seed],
    [16e6, 4 + seed],
    [32e6, 3 + seed],
  ],
};
const SMALL: Arm = {
  arm: "small",
  codecs: { A1: "fixed:4", A2: "fixed:4", G1: "f16", G2: "f16" },
  points: (seed) => [
    [0, 5 + seed],
    [4e6, 4.05 + seed],
    [8e6, 3.1 + 0.01 * seed + seed],
  ],
};
const onClasses = (arm: Arm, of: (seed: number) => number): Arm => ({
  ...arm,
  task: "wordnet-classes",
  points: (seed) => arm.points(seed).map(([bytes], i) => [bytes, 0.1 + (of(seed) - 0.1) * (i / 2)]),
});

let root: string;
let read: ResultsReader;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "narrowband-test-"));
  await publish(root, "pair", [BIG, SMALL]);
  await publish(root, "tasks", [
    BIG,
    SMALL,
    onClasses(BIG, (seed) => 0.8 + 0.01 * seed),
    onClasses(SMALL, (seed) => 0.7 + 0.01 * seed),
    { arm: "majority", baseline: true, task: "wordnet-classes", points: () => [[0, 0.1]] },
  ]);
  read = resultsReader(root, (path) => path !== join(root, "absent"));
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

const fill = async (text: string) => (await makeDocument("d.md", text, read)).text;
const table = async (spec: string) => {
  const lines = (await fill(`<!-- table: ${spec} -->\nold\n<!-- end -->`)).split("\n");
  expect([lines[0], lines.at(-1)]).toEqual([`<!-- table: ${spec} -->`, "<!-- end -->"]);
  return lines.slice(1, -1);
};
const number = async (spec: string) =>
  /-->(.*)<!-- -->/.exec(await fill(`a <!-- n: ${spec} -->old<!-- --> b`))![1];

describe("a table of arms", () => {
  it("has bits, bytes, the metric, and paired differences at equal bytes and in the end", async () => {
    // At 8 MB big stands at 4.5 and small at 3.1, 3.11, 3.12; t(0.975, 2) = 4.302653.
    expect(await table('arms pair against="big"')).toEqual([
      "| arm | bits | MB | loss | loss − big's at equal bytes | loss − big's in the end | bytes to reach big / its |",
      "|---|--:|--:|--:|--:|--:|--:|",
      "| big | 32.00 | 32.0 | 4.0000 ± 2.4841 | reference | reference | 1.00 |",
      "| small | 8.00 | 8.00 | 4.1100 ± 2.5090 | **−1.3900 ± 0.0248** | **+0.1100 ± 0.0248** | not reached |",
    ]);
  });

  it("shows any figure or setting, of arms that are chosen, in their order", async () => {
    expect(
      await table('arms pair arms="sm*,big" columns=clients,clientMs,serverMs,A1,cut,bitsA1,perplexity'),
    ).toEqual([
      "| arm | clients | client, ms a step | server, ms a step | A1 | blocks below / above | bits of A1 | perplexity |",
      "|---|--:|--:|--:|---|---|--:|--:|",
      "| small | 2 | 15.0 | 20.0 | `fixed:4` | 1 / 1 | 4.00 |  |",
      "| big | 2 | 15.0 | 20.0 | `f16` | 1 / 1 | 4.00 |  |",
    ]);
    expect((await table('arms pair except="b*"')).length).toBe(3);
  });

  it("has baselines' rows, and shares as percentages and points", async () => {
    expect(await table("arms tasks task=wordnet-classes against=big columns=mean,final")).toEqual([
      "| arm | accuracy, % | accuracy − big's in the end, points |",
      "|---|--:|--:|",
      "| majority | 10.00 ± 0.00 |  |",
      "| big | 81.00 ± 2.48 | reference |",
      "| small | 71.00 ± 2.48 | **−10.00 ± 0.00** |",
    ]);
  });

  it("knows a baseline by its name", async () => {
    expect(await number("tasks arm=majority task=wordnet-classes figure=mean")).toBe("10.00 %");
  });

  it("tells tasks apart, and says which arms are short of seeds", async () => {
    await publish(root, "short", [BIG, { ...SMALL, seeds: [1] }, onClasses(BIG, () => 0.5)]);
    const [head, , first, second, third] = await table("arms short columns=mean");
    expect(head).toBe("| task | arm | seeds | result |");
    expect(first).toBe("| demo-texts | big | 3 | 4.0000 ± 2.4841 |");
    expect(second).toBe("| demo-texts | small | 1 of 3 | 4.1100 |");
    expect(third).toBe("| wordnet-classes | big | 3 | 50.00 ± 0.00 % |");
  });

  it("has arms that are derived from others' rows", async () => {
    await publish(root, "packed", [
      { ...SMALL, codecs: { ...ALL_F16, A1: "fixed:4,entropy=rans" }, packedAs: "plain" },
    ]);
    expect(await table("arms packed against=plain columns=bits,MB,byteRatio,final")).toEqual([
      "| arm | bits | MB | bytes / plain's | loss − plain's in the end |",
      "|---|--:|--:|--:|--:|",
      "| small | 8.00 | 8.00 | 0.50 | 0.0000 ± 0.0000 |",
      "| plain | 16.00 | 16.0 | reference | reference |",
    ]);
  });
});

describe("the other tables", () => {
  it("overview: a row for each arm, a column for each task", async () => {
    expect(await table("overview tasks against=big value=final")).toEqual([
      "| arm | demo-texts (loss) | wordnet-classes (accuracy, points) |",
      "|---|--:|--:|",
      "| big | reference | reference |",
      "| small | **+0.1100 ± 0.0248** | **−10.00 ± 0.00** |",
    ]);
  });

  it("grid: by what a codec has other than the reference's, or by settings", async () => {
    const arms: Arm[] = [BIG];
    for (const [phase, bits, worse] of [
      ["G1", 2, 0.4],
      ["G1", 8, 0.1],
      ["G2", 2, 0.2],
    ] as const)
      arms.push({
        arm: `${phase} ${bits}`,
        codecs: { ...ALL_F16, [phase]: `fixed:${bits},rounding=nearest` },
        points: (seed) => BIG.points(seed).map(([bytes, loss], i) => [bytes, loss + worse * (i / 2)]),
      });
    await publish(root, "grid", arms);
    const cells = (await table("grid grid rows=bits columns=transfer against=big value=final")).map((line) =>
      line.replaceAll(" ± 0.0000", ""),
    );
    expect(cells).toEqual([
      "| loss − big's in the end: bits ↓ transfer → | G1 | G2 |",
      "|---|--:|--:|",
      "| 2 | **+0.4000** | **+0.2000** |",
      "| 8 | **+0.1000** |  |",
    ]);
    const again = await table("grid grid rows=arm columns=clients value=bits");
    expect(again.slice(0, 3)).toEqual(["| bits: arm ↓ clients → | 2 |", "|---|--:|", "| big | 32.00 |"]);
    expect(
      await failure("NB_DATA_INVALID", () => table("grid grid rows=clients columns=cut value=bits")),
    ).toMatch(/have one place/);
  });

  it("compares with the arm of the same settings and the reference's codecs, when told to", async () => {
    const arms = [2, 4].flatMap((clients): Arm[] => [
      {
        ...BIG,
        arm: `${clients} big`,
        settings: { clients },
        points: (seed) => BIG.points(seed).map(([bytes, loss]) => [bytes, loss + clients]),
      },
      {
        ...SMALL,
        arm: `${clients} small`,
        settings: { clients },
        points: (seed) => BIG.points(seed).map(([bytes, loss]) => [bytes, loss + 1.5 * clients]),
      },
    ]);
    await publish(root, "clients", arms);
    const lines = await table('arms clients against="2 big" same=clients columns=final');
    expect(lines.map((line) => line.replace(" ± 0.0000", ""))).toEqual([
      "| arm | loss − its reference's in the end |",
      "|---|--:|",
      "| 2 big | reference |",
      "| 2 small | **+1.0000** |",
      "| 4 big | reference |",
      "| 4 small | **+2.0000** |",
    ]);
  });

  it("stability: spikes, divergence, and the worst seed", async () => {
    const calm = Array.from({ length: 20 }, (_, i) => 3 - 0.01 * i + (i % 2 === 0 ? 0.001 : -0.001));
    const jumpy = calm.map((loss, i) => (i === 15 ? 5 : loss));
    await publish(root, "steady", [
      { ...BIG, losses: () => calm },
      { ...SMALL, losses: (seed) => (seed === 0 ? jumpy : seed === 1 ? calm.toReversed() : calm) },
    ]);
    const [head, , big, small] = await table("stability steady against=big");
    expect(head).toMatch(/^\| arm \| bits \| spikes in steps \| runs with spikes \| diverged \|/);
    expect(big).toBe("| big | 32.00 | 0 of 60 | 0 of 3 | 0 of 3 | 3.0 |  | reference |  |");
    // The reversed course rises steadily by 0.01 a step, which is no spike of a window that rises as well.
    const cells = small.split(" | ");
    expect(cells.slice(2, 5)).toEqual(["1 of 60", "1 of 3", "1 of 3"]);
    expect(cells[6]).toBe("+2.151");
    expect(cells.slice(7)).toEqual(["**+0.1100 ± 0.0248**", "+0.1200 |"]);
  });
});

describe("a table of codecs", () => {
  /** Four steps; one channel of ±1, one of ±0.5, both with a mean of zero. Gradients have a channel of zeros. */
  const tensors = [0, 1, 2, 3].flatMap((step) =>
    (["A1", "G1"] as const).map((phase): CapturedTensor => {
      const rest = phase === "A1" ? 0.5 : 0;
      const values = Float32Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? 1 : rest) * (i < 4 ? 1 : -1));
      return { phase, step, microBatch: 0, tokens: 4, rows: undefined, values };
    }),
  );
  const fill = async (spec: string) => {
    const directory = temporaryDirectory();
    await writeCapture(join(directory, "c.nbcap"), { note: "", channels: 2, codecs: {}, tensors });
    const text = `<!-- table: codecs ${spec} -->\n<!-- end -->`;
    return (await makeDocument(join(directory, "d.md"), text, read)).text.split("\n").slice(1, -1);
  };

  it("has the errors of both sides of a capture, and how many channels are dead", async () => {
    // Half of the values are kept: those of the large channel, so that nothing is left of the small one, 0.25 of 1.25 in all.
    const codecs = "f32 topk:0.5,feedback=false";
    expect(await fill(`c.nbcap codecs="${codecs}"`)).toEqual([
      "| codec | A1: NMSE | worst channel | dead | G1: NMSE | worst channel | dead |",
      "|---|--:|--:|--:|--:|--:|--:|",
      "| `f32` | 0 | 0 | 0 | 0 | 0 | 0 |",
      "| `topk:0.5,feedback=false` | 0.200 | 1.00 | 1 | 0 | 0 | 0 |",
    ]);
  });

  it.each([
    ['c.nbcap codecs="fixed:3 zip"', "NB_DATA_INVALID", /d\.md:1: codecs: .*"zip" is not known/],
    ['c.nbcap codecs=""', "NB_DATA_INVALID", /d\.md:1: codecs: /],
    ["c.nbcap,d.nbcap codecs=f16", "NB_DATA_INVALID", /2 captures were given; accepted: one/],
    ["d.nbcap codecs=f16", "NB_FILE_UNREADABLE", /d\.nbcap/],
  ] as const)("refuses %s", async (spec, code, message) => {
    expect(await failure(code, () => fill(spec))).toMatch(message);
  });
});

describe("a number in a sentence", () => {
  it("is a figure of one arm: its value, its interval, or both", async () => {
    expect(await number("pair arm=small against=big figure=byteRatio")).toBe("0.25");
    expect(await number("pair arm=small against=big figure=final")).toBe("+0.1100");
    expect(await number("pair arm=small against=big figure=final part=interval")).toBe("+0.0852 to +0.1348");
    expect(await number("tasks arm=small task=wordnet-classes figure=accuracy part=both")).toBe(
      "71.00 (68.52 to 73.48) %",
    );
    expect(await failure("NB_DATA_INVALID", () => number("tasks arm=small figure=bits"))).toMatch(
      /leaves one/,
    );
  });
});

describe("a plot", () => {
  const plot = async (spec: string) => {
    const document = await makeDocument(
      "docs/d.md",
      `<!-- plot: ${spec} file=d/p.svg -->\n<!-- end -->`,
      read,
    );
    const svg = document.pictures.get(join("docs", "d/p.svg"))!;
    return { svg, text: document.text };
  };

  it.each(["cost tasks", "dots tasks against=big", "bits tasks", "bits tasks value=final against=big"])(
    "%s: is one small file with its own paper, light and dark, a panel for each task",
    async (spec) => {
      const { svg, text } = await plot(spec);
      expect(text).toMatch(/!\[.+\]\(d\/p\.svg\)/);
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+" height="\d+"/);
      expect(svg).toContain("@media (prefers-color-scheme:dark)");
      expect(svg).not.toMatch(/var\(--|NaN|undefined/);
      for (const name of [">demo-texts<", ">wordnet-classes<", ">small<"]) expect(svg).toContain(name);
      expect(svg.length).toBeLessThan(60_000);
    },
  );

  it("can have a scale of ratios, of values above zero", async () => {
    expect((await plot("dots tasks task=demo-texts value=final against=big scale=log")).svg).toContain(
      "0.1<",
    );
    expect(
      await failure("NB_DATA_INVALID", () =>
        plot("bits tasks task=wordnet-classes value=final against=big scale=log"),
      ),
    ).toMatch(/scale: log was given for values from -0\.1/);
  });

  it("shows points that lie on one another around one another, and every arm's shape in the legend", async () => {
    const spread = ["a", "b", "c"].map(
      (arm, i): Arm => ({
        ...BIG,
        arm,
        points: (seed) => BIG.points(seed).map(([bytes]) => [bytes, 3 + 4 * (i === 2 ? 1 : 0)]),
      }),
    );
    await publish(root, "same", spread);
    const { svg } = await plot("bits same");
    const colours = ["#0072b2", "#95392c", "#0d9355"];
    // The drawing's points, then the legend's.
    const paths = [...svg.matchAll(/<path[^>]*? d="([^"]+)"[^>]*? fill="(#[0-9a-f]{6})"/g)];
    const drawn = colours.map((colour) => paths.filter(([, , fill]) => fill === colour).map(([, d]) => d));
    expect(drawn.map(({ length }) => length)).toEqual([2, 2, 2]);
    // Paths begin at a corner or at the rim.
    const reach = drawn.map(([d]) => {
      const [, x, y] = /^M(-?[\d.]+),(-?[\d.]+)/.exec(d)!;
      return Math.max(Math.abs(Number(x)), Math.abs(Number(y)));
    });
    const [below, above, alone] = reach;
    expect(below).toBeGreaterThan(1.2 * above);
    expect(above).toBeLessThan(alone);
    expect(new Set(drawn.map(([, d]) => d)).size).toBe(3);
    // None is hollow: that is for intervals that hold zero, in the other plot.
    expect(svg).not.toMatch(/<path[^>]* fill="#ffffff"/);
  });

  it("is the same whenever it is drawn", async () => {
    expect((await plot("cost tasks")).svg).toBe((await plot("cost tasks")).svg);
  });

  it("draws baselines where they are asked for", async () => {
    expect((await plot("cost tasks")).svg).not.toContain("without training");
    expect((await plot('cost tasks arms="big,majority"')).svg).toContain("without training");
  });
});

describe("a model's name", () => {
  it("is the last part of its path, and of a GGUF file its directory's or its own", () => {
    expect(["models/base-6m", "models/smol/model.gguf", "a/b.Q8_0.gguf", "base"].map(modelName)).toEqual([
      "base-6m",
      "smol",
      "b.Q8_0",
      "base",
    ]);
  });
});

describe("marks", () => {
  it("are filled where they stand, and nothing else is touched", async () => {
    const text =
      "# a\n\nb <!-- n: pair arm=big figure=MB -->x<!-- -->, <!-- other -->\n<!-- n: pair arm=small figure=MB --><!-- -->";
    expect(await fill(text)).toBe(text.replace("x<", "32.0<").replace("MB --><!", "MB -->8.00<!"));
  });

  it("say so of a task or arm that the experiment has and that was not run yet", async () => {
    expect(await table("arms pair task=wordnet-classes")).toEqual(["*no rows of pair yet*"]);
  });

  it("say that there are no rows yet", async () => {
    const { text, empty } = await makeDocument("d.md", "\n<!-- table: arms absent -->\n<!-- end -->", read);
    expect(text).toContain("*no rows of absent yet*");
    expect(empty).toEqual(["d.md:2"]);
  });

  it.each([
    ["<!-- table: arms pair -->\n", /d\.md:1: a mark of a table has no <!-- end -->/],
    [
      "<!-- n: pair arm=big figure=MB -->\n<!-- table: arms pair -->\n<!-- end --> <!-- -->",
      /mark of a n has no/,
    ],
    ["<!-- table: arms -->\n<!-- end -->", /a kind, names of results/],
    ["<!-- table: armies pair -->\n<!-- end -->", /"armies" is no table; accepted: arms, overview/],
    ["<!-- table: arms pair color=red -->\n<!-- end -->", /color.*accepted: task, model/],
    [
      '<!-- table: arms pair against="huge" -->\n<!-- end -->',
      /against: "huge" was given; accepted: big, small/,
    ],
    ["<!-- table: arms pair columns=height -->\n<!-- end -->", /"height" is no figure; accepted: arm, task/],
    [
      "<!-- table: arms pair task=none -->\n<!-- end -->",
      /task: "none" was given; accepted: demo-texts, wordnet-classes/,
    ],
    [
      "<!-- table: arms pair against=big same=colour -->\n<!-- end -->",
      /same: "colour" was given; accepted: .*clients, /,
    ],
    ["<!-- table: stability pair -->\n<!-- end -->", /against: is missing/],
    ["<!-- plot: cost pair file=x.png -->\n<!-- end -->", /file: accepted: a path that ends with \.svg/],
  ])("are refused with their place: %s", async (text, message) => {
    expect(await failure("NB_DATA_INVALID", () => fill(text))).toMatch(message);
  });
});

describe("narrowband experiment tables", () => {
  it("writes documents and pictures, and with --check only says what differs", async () => {
    const directory = temporaryDirectory();
    const document = join(directory, "d.md");
    writeFileSync(
      document,
      "<!-- table: arms pair -->\n<!-- end -->\n<!-- plot: cost pair file=p/c.svg -->\n<!-- end -->\n",
    );
    const args = ["experiment", "tables", "--documents", document, "--results", root];
    const stale = await run([...args, "--check", "--json"]);
    expect([stale.exit, stale.stderr]).toEqual([2, expect.stringContaining("not what the rows")]);
    expect(stale.json().at(-2)).toMatchObject({ marks: 2, changed: [join(directory, "p/c.svg"), document] });
    const written = await run([...args]);
    expect(written.exit, written.stderr).toBe(0);
    expect(readFileSync(document, "utf8")).toContain("| big | 32.00 |");
    expect(readFileSync(join(directory, "p/c.svg"), "utf8")).toContain("<svg");
    expect((await run([...args, "--check"])).stdout).toContain(
      "2 tables, plots and numbers say what the rows say",
    );
    writeFileSync(document, readFileSync(document, "utf8").replace("32.00", "31.00"));
    expect((await run([...args, "--check"])).exit).toBe(2);
  });
});
