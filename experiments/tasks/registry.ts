/** The one list of tasks: a new one is a file that exports a Task and a line here. */
import { fail } from "../../shared/errors.ts";
import { gsm8k } from "./gsm8k.ts";
import { LANGUAGE_TASKS } from "./language.ts";
import { polarity } from "./polarity.ts";
import { spam } from "./spam.ts";
import type { Task } from "./task.ts";
import { wordGloss, wordnetClasses } from "./wordnet.ts";

export const TASKS: readonly Task[] = [...LANGUAGE_TASKS, wordnetClasses, polarity, spam, wordGloss, gsm8k];

/** The task of that name; NB_CONFIG_INVALID when there is none. */
export function taskNamed(name: string): Task {
  const task = TASKS.find((known) => known.name === name);
  if (task !== undefined) return task;
  const names = TASKS.map((known) => known.name).join(", ");
  return fail("NB_CONFIG_INVALID", `task: ${JSON.stringify(name)} is not known; accepted: ${names}`);
}
