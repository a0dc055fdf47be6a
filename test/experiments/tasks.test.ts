/** Tasks: fixed splits, partitions that lose nothing, metrics and baselines by hand. */
import { existsSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cell, cellsOf, parseExperiment } from "../../experiments/runner/experiment.ts";
import type { BareRow } from "../../experiments/runner/rows.ts";
import { examplesSeen, runCell } from "../../experiments/runner/run-cell.ts";
import { bagOfWordsBaseline, majorityBaseline } from "../../experiments/tasks/baselines.ts";
import { accuracy, macroF1 } from "../../experiments/tasks/measure.ts";
import { partitionExamples } from "../../experiments/tasks/partition.ts";
import { POLARITY_FILE, parseCsv } from "../../experiments/tasks/polarity.ts";
import { taskNamed } from "../../experiments/tasks/registry.ts";
import { mailText } from "../../experiments/tasks/spam.ts";
import { splitExamples, type Task, type TaskExample } from "../../experiments/tasks/task.ts";
import { labelled } from "../../shared/data/examples.ts";
import { fail } from "../../shared/errors.ts";

const example = (text: string, label: string, source = label): TaskExample => {
  return { example: labelled(text, label), label, source };
};
const many = Array.from({ length: 400 }, (_, i) => example(`text ${i}`, `l${i % 4}`, `s${i % 7}`));

describe("a split", () => {
  it("is always the same, and no example is in both parts", () => {
    const { train, test } = splitExamples(many, 50);
    expect(test.length).toBe(50);
    expect(new Set([...train, ...test]).size).toBe(400);
    expect(splitExamples(many, 50).test).toEqual(test);
  });
});

describe("a partition", () => {
  it("gives every example to exactly one client, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("iid", "source", "dirichlet:0.5", "dirichlet:100"),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 1_000 }),
        (partition, clients, seed) => {
          let parts: TaskExample[][];
          try {
            parts = partitionExamples(many, partition, clients, seed);
          } catch (error) {
            // Skew may leave a client without anything, and is then refused.
            expect((error as { code: string }).code).toBe("NB_CONFIG_INVALID");
            return;
          }
          expect(parts.length).toBe(clients);
          expect(parts.flat().length).toBe(400);
          expect(new Set(parts.flat()).size).toBe(400);
        },
      ),
      { seed: 3, numRuns: 60 },
    );
  });

  it("by source parts no source", () => {
    const parts = partitionExamples(many, "source", 3, 1);
    const owners = new Map<string, number>();
    for (const [client, part] of parts.entries())
      for (const { source } of part) {
        expect(owners.get(source) ?? client).toBe(client);
        owners.set(source, client);
      }
    expect(owners.size).toBe(7);
  });

  it("is more skewed the smaller alpha is", () => {
    const skew = (alpha: number): number => {
      const parts = partitionExamples(many, `dirichlet:${alpha}`, 2, 4);
      const share = (label: string) => parts[0].filter((e) => e.label === label).length / 100;
      return Math.max(...["l0", "l1", "l2", "l3"].map((label) => Math.abs(share(label) - 0.5)));
    };
    expect(skew(1_000)).toBeLessThan(0.1);
    expect(skew(0.1)).toBeGreaterThan(0.3);
  });

  it("is the same for a seed, and another for another", () => {
    expect(partitionExamples(many, "iid", 2, 1)).toEqual(partitionExamples(many, "iid", 2, 1));
    expect(partitionExamples(many, "iid", 2, 1)).not.toEqual(partitionExamples(many, "iid", 2, 2));
  });
});

describe("metrics", () => {
  it("count right answers, and weigh classes alike", () => {
    expect(accuracy([0, 0, 0, 1], [0, 0, 1, 1])).toBe(0.75);
    // Class 0: precision 1, recall 2/3; class 1: precision 1/2, recall 1.
    expect(macroF1([0, 0, 0, 1], [0, 0, 1, 1], 2)).toBeCloseTo((0.8 + 2 / 3) / 2, 12);
    expect(macroF1([0, 0], [0, 0], 3)).toBe(1);
  });
});

describe("baselines", () => {
  const task = { name: "t", labels: ["ham", "spam"] } as unknown as Task;
  const train = [
    example("hello friend", "ham"),
    example("good day", "ham"),
    example("buy pills now", "spam"),
  ];

  it("majority gives the commonest label of the training examples", () => {
    const { accuracy, macroF1 } = majorityBaseline(task, train, [example("x", "ham"), example("y", "spam")]);
    expect([accuracy, macroF1]).toEqual([0.5, (2 / 3 + 0) / 2]);
  });

  it("naive Bayes answers by the words that it has seen", () => {
    const test = [example("pills pills", "spam"), example("friend", "ham")];
    expect(bagOfWordsBaseline(task, train, test).accuracy).toBe(1);
    // By hand: (1+1)/(1+2) of spam has the word, and spam is (1+1)/(3+2) of all; of ham 1/4, which is 3/5.
    const [spam, ham] = [(2 / 3) * (2 / 5), (1 / 4) * (3 / 5)];
    expect(bagOfWordsBaseline(task, train, [test[0]]).loss).toBeCloseTo(-Math.log(spam / (spam + ham)), 10);
  });
});

describe("real data", () => {
  it("WordNet: ten classes of 2,400 glosses, 4,000 of them for testing", () => {
    const { train, test } = taskNamed("wordnet-classes").load();
    expect([train.length, test.length]).toEqual([20_000, 4_000]);
    const counts = new Map<string, number>();
    for (const { label } of [...train, ...test]) counts.set(label!, (counts.get(label!) ?? 0) + 1);
    expect([...counts.values()]).toEqual(Array(10).fill(2_400));
  });

  it("spam: subject and body only, and no mail twice", () => {
    const { train, test } = taskNamed("spam").load();
    const all = [...train, ...test].map(({ example: e }) => (e.kind === "completion" ? e.prompt : e.text));
    expect(new Set(all).size).toBe(all.length);
    expect(all.length).toBeGreaterThan(5_000);
    expect(all.filter((text) => /^(?:Received|Message-ID|Return-Path):/m.test(text))).toEqual([]);
  });

  it.skipIf(!existsSync(POLARITY_FILE))(
    "polarity: 2,000 sentences of each kind (needs python3-pattern)",
    () => {
      const { train, test } = taskNamed("polarity").load();
      const positive = [...train, ...test].filter(({ label }) => label === "positive").length;
      expect([train.length, test.length, positive]).toEqual([3_200, 800, 2_000]);
    },
  );

  it("a mail loses its headers, markup and encodings", () => {
    const mail = "From: a@b\nSubject: Buy\n now\nX-Spam: yes\n\n<p>Hello=20&nbsp;<b>you</b></p><!-- x -->\n";
    expect(mailText(mail)).toBe("Buy now Hello you");
  });

  it("comma-separated files may quote commas, quotes and line breaks", () => {
    expect(parseCsv('\ufeffa,"b ""c"", d"\n"e\nf",g\r\n')).toEqual([
      ["a", 'b "c", d'],
      ["e\nf", "g"],
    ]);
    expect(() => parseCsv('"open')).toThrow(/csv:1/);
  });

  it("an unknown task is refused with the names of those there are", () => {
    expect(() => taskNamed("nope")).toThrow(/wordnet-classes/);
  });
});

describe("the baseline that has seen as much as the clients", () => {
  it("is made from as many examples as their steps take, and no more than there are", async () => {
    const text = `
name: seen
models: [models/base-6m]
seeds: [1]
settings: { clients: 3, steps: 5, rows: 2, microBatches: 2, trainExamples: 100 }
tasks: [wordnet-classes]
arms: [{ name: a, activations: f16, gradients: f16 }]
`;
    const all = cellsOf(await parseExperiment("x.yaml", text));
    const metrics = async (arm: string, change: Partial<Cell> = {}) => {
      const rows: BareRow[] = [];
      const cell = { ...all.find((one) => one.arm === arm)!, ...change };
      await runCell(cell, () => fail("NB_INTERNAL", "nothing is launched"), {
        onRow: (row) => rows.push(row),
      });
      return rows.flatMap((row) => (row.row === "evaluation" ? [row.metrics] : []))[0];
    };
    const seen = await metrics("bag-of-words-seen");
    expect(seen).toEqual(await metrics("bag-of-words", { trainExamples: 60 }));
    expect(seen).not.toEqual(await metrics("bag-of-words"));
    expect([examplesSeen(all[0], 100), examplesSeen({ ...all[0], steps: 500 }, 100)]).toEqual([60, 100]);
  });
});
