import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  evaluationBatches,
  gatherBatch,
  makeRows,
  type Rows,
  supervisedTokens,
} from "../../shared/data/batches.ts";
import type { Example } from "../../shared/data/examples.ts";
import { tokenizeExamples } from "../../shared/data/token-dataset.ts";
import { IGNORE } from "../../shared/train/segments.ts";
import { failure, SEED } from "../model/helpers.ts";
import { asciiDataset, asciiTokenizer, shown, text } from "./helpers.ts";

const asked = (prompt: string, completion: string): Example => ({ kind: "completion", prompt, completion });

/** Rows as [ids, labels] in letters. */
function letters(rows: Rows): [string, string][] {
  return Array.from(rows.begin, (_, row) => {
    const { ids, labels, lengths } = gatherBatch(rows, [row]);
    expect(lengths[0]).toBe(ids.length);
    return [shown(ids), shown(labels)];
  });
}

describe("packed rows", () => {
  it("cut documents and the EOS between them every so many tokens; the last label is the next row's first token", async () => {
    const data = await asciiDataset([text("abcde"), text("fg"), text("hi")]);
    expect(letters(makeRows(data, { length: 4, packed: true }))).toEqual([
      ["abcd", "bcde"],
      ["e$fg", "$fg$"],
      ["$hi$", "hi$."],
    ]);
  });

  it("keep a short last row, and leave out one that has nothing to predict", async () => {
    const data = await asciiDataset([text("abcdef")]);
    expect(letters(makeRows(data, { length: 4, packed: true }))).toEqual([
      ["abcd", "bcde"],
      ["ef$", "f$."],
    ]);
    expect(letters(makeRows(data, { length: 3, packed: true }))).toEqual([
      ["abc", "bcd"],
      ["def", "ef$"],
    ]);
  });

  it("learn completions alone", async () => {
    const data = await asciiDataset([asked("ab", "cd"), asked("ef", "g")]);
    expect(letters(makeRows(data, { length: 20, packed: true }))).toEqual([["abcd$efg$", ".cd$..g$."]]);
    const all = await asciiDataset([asked("ab", "cd"), asked("ef", "g")], { completionOnly: false });
    expect(letters(makeRows(all, { length: 20, packed: true }))).toEqual([["abcd$efg$", "bcd$efg$."]]);
  });

  it("leave out rows that are all prompt", async () => {
    const data = await asciiDataset([asked("abcdefgh", "xy")]);
    expect(letters(makeRows(data, { length: 4, packed: true }))).toEqual([
      ["efgh", "...x"],
      ["xy$", "y$."],
    ]);
  });

  it("of any documents predict each token but the first exactly once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 2, max: 9 }),
        async (documents, length) => {
          const data = await asciiDataset(documents.map(text));
          const rows = letters(makeRows(data, { length, packed: true }));
          const stream = shown(data.ids);
          expect(rows.map(([, labels]) => labels).join("")).toBe(
            `${stream.slice(1)}${".".repeat(1)}`.slice(0, rows.map(([ids]) => ids).join("").length),
          );
          expect(stream.startsWith(rows.map(([ids]) => ids).join(""))).toBe(true);
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
  });
});

describe("unpacked rows", () => {
  it("give each document its own, and predict nothing across", async () => {
    const data = await asciiDataset([text("abc"), text("de")]);
    expect(letters(makeRows(data, { length: 10, packed: false }))).toEqual([
      ["abc$", "bc$."],
      ["de$", "e$."],
    ]);
  });

  it("continue a long text in further rows", async () => {
    const data = await asciiDataset([text("abcdefg"), text("xyz")]);
    const rows = makeRows(data, { length: 3, packed: false });
    expect(letters(rows)).toEqual([
      ["abc", "bcd"],
      ["def", "efg"],
      ["g$", "$."],
      ["xyz", "yz$"],
    ]);
    expect(rows.truncated).toBe(0);
  });

  it("shorten a long prompt from the front, so that the completion stays", async () => {
    const data = await asciiDataset([asked("abcdefgh", "xy")]);
    const rows = makeRows(data, { length: 5, packed: false });
    expect(letters(rows)).toEqual([["fghxy", "..xy$"]]);
    expect(rows.truncated).toBe(1);
  });

  it("shorten a completion that is itself too long from the end, one token of prompt before it", async () => {
    const data = await asciiDataset([asked("abc", "tuvwxyz")]);
    const rows = makeRows(data, { length: 4, packed: false });
    expect(letters(rows)).toEqual([["ctuv", "tuvw"]]);
    expect(rows.truncated).toBe(1);
  });

  it("keep a document that fits exactly", async () => {
    const data = await asciiDataset([asked("ab", "c")]);
    expect(letters(makeRows(data, { length: 3, packed: false }))).toEqual([["abc", ".c$"]]);
    expect(letters(makeRows(data, { length: 4, packed: false }))).toEqual([["abc$", ".c$."]]);
  });
});

describe("a tokenizer that adds BOS", () => {
  const withBos = { ...asciiTokenizer, bosId: 94, addsBos: true };

  it("begins every document with it, and never predicts it", async () => {
    const data = await tokenizeExamples("test", [text("ab"), text("c")], withBos);
    expect(letters(makeRows(data, { length: 10, packed: true }))).toEqual([["^ab$^c$", "ab$.c$."]]);
  });

  it("continues long texts as without it", async () => {
    const data = await tokenizeExamples("test", [text("abcde")], withBos);
    expect(letters(makeRows(data, { length: 3, packed: false }))).toEqual([
      ["^ab", "abc"],
      ["cde", "de$"],
    ]);
  });
});

it("a text that comes in parts is one document", async () => {
  const parts: Example[] = [
    { kind: "text", text: "ab", ends: false },
    { kind: "text", text: "cd", ends: true },
    text("e"),
  ];
  const data = await asciiDataset(parts);
  expect(shown(data.ids)).toBe("abcd$e$");
  expect([...data.starts]).toEqual([0, 5, 7]);
});

it("evaluation visits each row once, in order", async () => {
  const data = await asciiDataset(["ab", "cd", "ef"].map(text));
  const rows = makeRows(data, { length: 8, packed: false });
  const batches = [...evaluationBatches(rows, 2)];
  expect(batches.map(({ lengths }) => [...lengths])).toEqual([[3, 3], [3]]);
  expect(batches.map(({ ids }) => shown(ids))).toEqual(["ab$cd$", "ef$"]);
  expect(batches.map(supervisedTokens)).toEqual([4, 2]);
  expect(batches[0].labels.filter((label) => label === IGNORE)).toHaveLength(2);
});

it("data with nothing to predict, or without EOS, is refused", async () => {
  await failure("NB_DATA_INVALID", () => asciiDataset([]));
  const data = await asciiDataset([text("a")]);
  await failure("NB_DATA_INVALID", () =>
    makeRows({ ...data, learned: new Uint8Array(2) }, { length: 4, packed: true }),
  );
  const noEos = { ...asciiTokenizer, eosId: undefined };
  await failure("NB_TOKENIZER_INVALID", () => tokenizeExamples("test", [text("a")], noEos));
});
