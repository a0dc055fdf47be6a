/** A cell's text: the task's examples as its clients hold them, and the measure of its test examples. */
import { BatchSchedule, makeRows } from "../../shared/data/batches.ts";
import { tokenizeExamples } from "../../shared/data/token-dataset.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import { TaskMeasure } from "../tasks/measure.ts";
import { partitionExamples } from "../tasks/partition.ts";
import { taskNamed } from "../tasks/registry.ts";
import type { Task, TaskExample } from "../tasks/task.ts";
import type { Cell } from "./experiment.ts";

export interface CellData {
  readonly task: Task;
  /** Training examples of each client. */
  readonly train: readonly (readonly TaskExample[])[];
  /** Test examples that each client's model is measured on. */
  readonly test: readonly (readonly TaskExample[])[];
  /** Tokens of a row, at most. */
  readonly length: number;
  /** Whether documents share rows. */
  readonly packed: boolean;
}

/**
 * Test examples are common to all clients, but for language tasks parted by source: there each client's model is measured on its
 * own sources, as who fine-tunes on a book wants to read that book.
 */
export function cellData(cell: Cell, maxPositions: number): CellData {
  const task = taskNamed(cell.task);
  const { train, test } = task.load();
  const kept = cell.trainExamples === 0 ? train : train.slice(0, cell.trainExamples);
  const parts = partitionExamples(kept, cell.partition, cell.clients, cell.seed);
  const own = task.kind === "language" && cell.partition === "source";
  const common = task.kind === "language" ? test : test.slice(0, cell.testExamples);
  return {
    task,
    train: parts,
    test: parts.map((part) => {
      if (!own) return common;
      const sources = new Set(part.map(({ source }) => source));
      return test.filter(({ source }) => sources.has(source));
    }),
    length: Math.min(cell.length, maxPositions),
    packed: task.kind === "language",
  };
}

/** The batches of a client, as `narrowband train` draws them. */
export async function clientSchedule(
  cell: Cell,
  data: CellData,
  client: number,
  model: HfModel,
): Promise<BatchSchedule> {
  const { length, packed, task } = data;
  const examples = data.train[client].map(({ example }) => example);
  const tokens = await tokenizeExamples(task.name, examples, await model.tokenizer());
  return new BatchSchedule(makeRows(tokens, { length, packed }), cell.rows, cell.seed);
}

/** How each client's model is measured. Clients with the same test examples share one. */
export async function cellMeasures(
  cell: Cell,
  data: CellData,
  model: HfModel,
  signal: AbortSignal | undefined,
): Promise<TaskMeasure[]> {
  const tokenizer = await model.tokenizer();
  const made = new Map<readonly TaskExample[], Promise<TaskMeasure>>();
  const options = {
    length: data.length,
    positions: model.config.maxPositions,
    generateExamples: cell.generateExamples,
    testTokens: cell.testTokens,
    vocabulary: model.config.vocabSize,
    signal,
  };
  return Promise.all(
    data.test.map((examples) => {
      let measure = made.get(examples);
      if (measure === undefined) {
        measure = TaskMeasure.open(data.task, tokenizer, examples, options);
        made.set(examples, measure);
      }
      return measure;
    }),
  );
}
