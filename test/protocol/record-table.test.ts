/** A persistent table is a map with counts, and no change reaches an earlier one. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecordTable } from "../../shared/protocol/record-table.ts";

const SEED = 20_261_122;
const KINDS = [1 << 1, 1 << 2, 1 << 7, 1 << 30];

interface Entry {
  readonly kinds: number;
}

/** Small numbers meet each other; large ones make the tree deep. */
const key = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 80 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 40_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 32 - 1 }) },
);
const kinds = fc.subarray(KINDS).map((bits) => bits.reduce((mask, bit) => mask | bit, 0));
const change = fc.record({ key, record: fc.option(fc.record({ kinds })) });

function expectEqual(table: RecordTable<Entry>, model: ReadonlyMap<number, Entry>): void {
  const sorted = [...model].sort(([a], [b]) => a - b);
  expect(table.size).toBe(model.size);
  expect(table.entries()).toEqual(sorted);
  for (const kind of KINDS) {
    const ofKind = sorted.filter(([, record]) => (record.kinds & kind) !== 0);
    expect(table.count(kind)).toBe(ofKind.length);
    expect(table.entries(kind)).toEqual(ofKind);
    expect(table.first(kind)).toBe(ofKind[0]?.[1]);
  }
}

describe(`a table of records (fast-check seed ${SEED})`, () => {
  it("holds, counts and finds what a plain map does, after any changes, and so does every table before them", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        let table = RecordTable.empty<Entry>();
        let model = new Map<number, Entry>();
        const past: [RecordTable<Entry>, ReadonlyMap<number, Entry>][] = [[table, model]];
        for (const { key, record } of changes) {
          model = new Map(model);
          if (record === null) model.delete(key);
          else model.set(key, record);
          table = record === null ? table.without(key) : table.with(key, record, record.kinds);
          expect(table.get(key)).toBe(record ?? undefined);
          expect(table.has(key)).toBe(record !== null);
          expect(table.kinds(key)).toBe(record?.kinds ?? 0);
          past.push([table, model]);
        }
        for (const [then, model] of past.slice(-12)) expectEqual(then, model);
      }),
      { seed: SEED, numRuns: 150 },
    );
  });

  it("knows nothing of numbers beyond those that it has", () => {
    const table = RecordTable.empty<Entry>().with(3, { kinds: 0 });
    for (const key of [0, 4, 31, 32, 35, 1_024 + 3, 2 ** 31 + 3, 2 ** 32 - 1])
      expect(table.get(key)).toBeUndefined();
    expect(table.without(35)).toBe(table);
  });
});
