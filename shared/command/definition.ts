/**
 * What a command is: one zod schema from which its flags, its config file, its defaults, its checks and its help all
 * follow, so that none of them can say something that another does not.
 *
 * The schema is a flat strict object in camelCase. `learningRate` is the flag `--learning-rate` and the config
 * key `learning-rate`. A command's module holds only this description; what it does is imported when it runs, so
 * that `narrowband --help` reads no engine.
 */
import { z } from "zod";
import type { CommandContext } from "./context.ts";

/** What the schema of an option cannot say about it. */
export interface OptionMeta {
  /** What it is, for help: a phrase that begins with a small letter and ends without a full stop. */
  readonly help: string;
  /** Heading that it stands under in help. */
  readonly group: string;
  /** What stands for its value in help, e.g. "dir"; by default its type. */
  readonly value?: string;
  /** What is accepted, where the schema's own words are not enough. */
  readonly accepts?: string;
  /** What the default does, where its value does not say it. */
  readonly defaultHelp?: string;
  /** Whether it may be given without its flag, after the command's name. One option of a command at most. */
  readonly positional?: boolean;
  /** Environment variable that gives it when no flag does. */
  readonly env?: string;
  /** Whether its value is kept out of messages, logs and printed configs. */
  readonly secret?: boolean;
  /** Whether "a,b" gives a list two values; true by default. Off for paths, which may hold commas. */
  readonly splitsAtCommas?: boolean;
  /** A value that is accepted, where none can be made from the schema; tests use it. */
  readonly example?: string;
}

const metas = z.registry<OptionMeta>();

/** An option: its schema, and what help says of it. The schema is copied, so one may serve several options. */
export function option<T extends z.ZodType>(schema: T, meta: OptionMeta): T {
  const own = schema.clone() as T;
  metas.add(own, meta);
  return own;
}

/** What {@link option} was told about a schema. */
export function optionMeta(schema: z.ZodType): OptionMeta | undefined {
  return metas.get(schema);
}

export interface CommandExample {
  /** As typed, from the word `narrowband` on. */
  readonly line: string;
  readonly explanation: string;
}

export interface CommandDefinition<S extends z.ZodObject = z.ZodObject> {
  /** One word, or two for a command among several of a kind, such as "experiment run". */
  readonly name: string;
  /** Heading that it stands under in the list of commands. */
  readonly group: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** Paragraphs, for the command's own help. */
  readonly description: string;
  readonly examples: readonly CommandExample[];
  readonly options: S;
  /** What `--json` prints, in a sentence or two. */
  readonly json: string;
  /** `--json` takes an optional file for the result and, given one, leaves stdout to people. */
  readonly jsonFile?: boolean;
  /** Default of `--log-level`; "warn" unless it is said here. */
  readonly logLevel?: LogLevel;
  /** Does the work. Returns when all of it is done; throws NB_INTERRUPTED (the signal's reason) when it was cut short. */
  run(settings: z.output<S>, context: CommandContext): Promise<void>;
}

/** Names the type of the schema, so that `run` gets typed settings. */
export function defineCommand<S extends z.ZodObject>(definition: CommandDefinition<S>): CommandDefinition<S> {
  return definition;
}

export const LOG_LEVELS = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Heading of the options that every command has. */
export const COMMON_GROUP = "Every command";

/** The options that every command has, beside `--config` and `--print-config`, which stand in no config file. */
export function commonOptions(definition: CommandDefinition) {
  return z.strictObject({
    json: option(
      definition.jsonFile === true
        ? z.union([z.boolean(), z.string().min(1)]).default(false)
        : z.boolean().default(false),
      {
        help: definition.jsonFile
          ? `write the result as JSON into a file, or to stdout when no file is named. ${definition.json}`
          : `JSON on stdout, one object a line, and everything for people on stderr. ${definition.json}`,
        group: COMMON_GROUP,
        value: "file",
        accepts: definition.jsonFile ? "nothing or a file" : undefined,
      },
    ),
    logLevel: option(z.enum(LOG_LEVELS).default(definition.logLevel ?? "warn"), {
      help: "least level of what is logged",
      group: COMMON_GROUP,
      value: "level",
    }),
    logFile: option(z.string().min(1).optional(), {
      help: "file that log lines are added to",
      group: COMMON_GROUP,
      value: "file",
      defaultHelp: "stderr",
    }),
  });
}

export type CommonSettings = z.output<ReturnType<typeof commonOptions>>;
