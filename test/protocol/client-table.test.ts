/** Clients by index and name, and the counts that the server's rules rely on. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClientKind, ClientTable, kindsOf } from "../../shared/protocol/client-table.ts";
import { StepStatus } from "../../shared/protocol/server-state.ts";
import { newClient } from "../../shared/protocol/server-turn.ts";
import { ServerBench } from "./bench.ts";

const SEED = 20_261_122;
const STEPS = 3;
const KINDS = Object.values(ClientKind);

const status = fc.constantFrom(...Object.values(StepStatus));
const change = fc.record({
  index: fc.nat({ max: 40 }),
  status,
  connection: fc.option(fc.nat(), { nil: undefined }),
  ready: fc.boolean(),
  rejoining: fc.boolean(),
  step: fc.integer({ min: 0, max: STEPS }),
});

describe(`a table of clients (fast-check seed ${SEED})`, () => {
  it("counts its clients as counting them again does", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        let table = ClientTable.empty(STEPS);
        for (let i = 0; i <= 40; i++) table = table.with(newClient(i, `c${i}`, "p"));
        for (const fields of changes) table = table.with({ ...table.get(fields.index)!, ...fields });
        const all = [...table];
        expect(all.map(({ index }) => index)).toEqual(Array.from({ length: 41 }, (_, i) => i));
        for (const kind of KINDS) {
          const expected = all.filter((client) => (kindsOf(client, STEPS) & kind) !== 0);
          expect(table.count(kind)).toBe(expected.length);
          expect(table.of(kind)).toEqual(expected);
        }
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  it("finds every client by its name, also those whose names share a hash", () => {
    // FNV-1a of both is 0x5e4daa9d.
    const names = ["liquid", "costarring", ...Array.from({ length: 500 }, (_, i) => `client-${i}`)];
    const table = ClientTable.of(
      names.map((name, i) => newClient(i, name, "p")),
      STEPS,
    );
    expect(names.map((name) => table.named(name)?.index)).toEqual(names.map((_, i) => i));
    expect(table.named("client-500")).toBeUndefined();
  });

  it("takes note of a record that was changed in its place when it is put there again", () => {
    const record = { ...newClient(0, "c0", "p") };
    const table = ClientTable.empty(STEPS).with(record);
    record.status = StepStatus.STEPPING;
    expect(table.with(record).count(ClientKind.STEPPING)).toBe(1);
  });
});

describe("the work of one message", () => {
  it("does not touch the records of other clients", () => {
    const bench = new ServerBench({ steps: 2 }, { minClients: 40, maxClients: 40 });
    for (let i = 0; i < 40; i++) {
      bench.join(i, `c${i}`);
      bench.ready(i);
    }
    const before = [...bench.state.clients];
    bench.tensor(17, "A1", 0);
    const after = [...bench.state.clients];
    expect(after.filter((record, i) => record !== before[i]).map(({ index }) => index)).toEqual([17]);
  });
});
