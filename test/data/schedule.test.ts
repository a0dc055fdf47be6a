import { describe, expect, it } from "vitest";
import { BatchSchedule, makeRows, type Rows } from "../../shared/data/batches.ts";
import { permutation } from "../../shared/random.ts";
import { failure } from "../model/helpers.ts";
import { asciiDataset, shown, text } from "./helpers.ts";

/** Rows "aa$", "bb$", … */
async function rowsOf(count: number): Promise<Rows> {
  const documents = Array.from({ length: count }, (_, i) => text(String.fromCharCode(97 + i).repeat(2)));
  return makeRows(await asciiDataset(documents), { length: 8, packed: false });
}

describe("the batches of a run", () => {
  it("visit every row once an epoch, in another order each epoch", async () => {
    const schedule = new BatchSchedule(await rowsOf(12), 3, 5);
    expect(schedule.batchesPerEpoch).toBe(4);
    const epoch = (e: number) => Array.from({ length: 4 }, (_, i) => [...schedule.indices(4 * e + i)]).flat();
    const all = Array.from({ length: 12 }, (_, i) => i);
    expect(epoch(0).toSorted((a, b) => a - b)).toEqual(all);
    expect(epoch(1).toSorted((a, b) => a - b)).toEqual(all);
    expect(epoch(0)).not.toEqual(epoch(1));
    expect(epoch(0)).not.toEqual(all);
  });

  it("are the same whichever are asked for before", async () => {
    const rows = await rowsOf(10);
    const inOrder = new BatchSchedule(rows, 3, 5);
    const expected = Array.from({ length: 20 }, (_, i) => shown(inOrder.batch(i).ids));
    const backwards = new BatchSchedule(rows, 3, 5);
    for (let i = 19; i >= 0; i--) expect(shown(backwards.batch(i).ids)).toBe(expected[i]);
    expect(shown(new BatchSchedule(rows, 3, 5).batch(17).ids)).toBe(expected[17]);
  });

  it("differ by seed", async () => {
    const rows = await rowsOf(12);
    expect([...new BatchSchedule(rows, 12, 1).indices(0)]).not.toEqual([
      ...new BatchSchedule(rows, 12, 2).indices(0),
    ]);
  });

  it("leave out different rows each epoch when the last batch would be short", async () => {
    const schedule = new BatchSchedule(await rowsOf(10), 4, 9);
    expect(schedule.batchesPerEpoch).toBe(2);
    const left = new Set<number>();
    for (let epoch = 0; epoch < 20; epoch++) {
      const seen = new Set([...schedule.indices(2 * epoch)].concat([...schedule.indices(2 * epoch + 1)]));
      expect(seen.size).toBe(8);
      for (let row = 0; row < 10; row++) if (!seen.has(row)) left.add(row);
    }
    expect(left.size).toBe(10);
  });

  it("are all rows when there are fewer than a batch", async () => {
    const schedule = new BatchSchedule(await rowsOf(3), 8, 0);
    expect(schedule.batchSize).toBe(3);
    expect([...schedule.indices(7)].toSorted()).toEqual([0, 1, 2]);
  });

  it("count micro-batches within steps", async () => {
    const schedule = new BatchSchedule(await rowsOf(12), 2, 5);
    expect(shown(schedule.batch(2, 1, 3).ids)).toBe(shown(schedule.batch(7).ids));
  });

  it("need a batch size", async () => {
    const rows = await rowsOf(3);
    await failure("NB_CONFIG_INVALID", () => new BatchSchedule(rows, 0, 0));
    await failure("NB_CONFIG_INVALID", () => new BatchSchedule(rows, 1.5, 0));
  });
});

describe("a permutation", () => {
  it("holds each number once and is the same on every machine", () => {
    const order = permutation(1000, 3, 4);
    expect([...order].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect([...permutation(10, 0, 0)]).toEqual([...permutation(10, 0, 0)]);
    expect([...permutation(8, 42, 1)]).toMatchInlineSnapshot(`
      [
        6,
        0,
        3,
        4,
        2,
        5,
        1,
        7,
      ]
    `);
    expect([...permutation(0, 0, 0)]).toEqual([]);
  });

  it("puts every number at every place about as often", () => {
    const counts = Array.from({ length: 6 }, () => new Array<number>(6).fill(0));
    const draws = 6000;
    for (let stream = 0; stream < draws; stream++)
      permutation(6, 7, stream).forEach((value, place) => {
        counts[place][value]++;
      });
    // Standard deviation of a count: sqrt(6000 · 1/6 · 5/6) = 29.
    for (const row of counts)
      for (const count of row) expect(Math.abs(count - draws / 6)).toBeLessThan(5 * 29);
  });
});
