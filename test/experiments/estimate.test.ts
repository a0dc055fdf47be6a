/** How long missing runs will take, by what runs like them took. */
import { expect, it } from "vitest";
import type { CellRows } from "../../experiments/runner/rows.ts";
import { secondsOf } from "../../experiments/study/estimate.ts";

const run = (task: string, arm: string, model = "m") => ({ model, task, arm });
const took = (task: string, arm: string, seconds: number, baseline = false) =>
  ({ cell: { ...run(task, arm), baseline }, end: { seconds } }) as unknown as CellRows;

it("takes the mean of the same arm's runs, else of the task's, else of all", () => {
  const finished = [took("a", "x", 10), took("a", "x", 20), took("a", "y", 30), took("b", "x", 100)];
  expect(secondsOf([run("a", "x")], finished)).toBe(15);
  expect(secondsOf([run("a", "z")], finished)).toBe(20);
  expect(secondsOf([run("c", "x")], finished)).toBe(40);
  expect(secondsOf([run("a", "x"), run("a", "z"), run("b", "x")], finished)).toBe(135);
});

it("does not judge training by baselines, which need none", () => {
  const finished = [took("a", "majority", 1, true), took("a", "x", 50)];
  expect(secondsOf([run("a", "majority"), run("a", "y")], finished)).toBe(51);
});

it("knows nothing before anything was run", () => {
  expect(secondsOf([run("a", "x")], [])).toBeUndefined();
  expect(secondsOf([], [])).toBe(0);
});
