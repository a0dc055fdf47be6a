/**
 * The command line as a whole (Node only): definitions become commander commands with flags and help, and a run becomes
 * settings, a context and an exit code.
 */
import { Command, CommanderError, Option } from "commander";
import { asNarrowbandError, NarrowbandError } from "../errors.ts";
import { configText, readConfigFile } from "./config-file.ts";
import { type CommandIo, createContext } from "./context.ts";
import { COMMON_GROUP, type CommandDefinition, commonOptions } from "./definition.ts";
import { onInterrupt, type SignalSource } from "./interrupt.ts";
import {
  acceptedHelp,
  hasOptionalValue,
  isBoolean,
  isList,
  type OptionSpec,
  optionSpecs,
  placeholder,
  valueOfText,
  valueOfTexts,
} from "./option-spec.ts";
import { type ConfigFile, configValues, refuseUnknownKeys, resolveSettings } from "./settings.ts";

export interface ProgramOptions {
  readonly description: string;
  readonly version: string;
  readonly io: CommandIo;
  readonly signals: SignalSource;
  /** What the second Ctrl-C does. */
  readonly exit: (code: number) => void;
}

/** What help says of an option behind its description: what is accepted, what is the default. */
export function optionDetail(spec: OptionSpec): string {
  const parts: string[] = [];
  const accepted = acceptedHelp(spec);
  if (accepted !== "") parts.push(accepted);
  if (spec.required) parts.push("required");
  else if (spec.meta.defaultHelp !== undefined) parts.push(`default ${spec.meta.defaultHelp}`);
  // A flag without a value says by its own form what is the default.
  else if (spec.default !== undefined && !isBoolean(spec) && spec.default !== false)
    parts.push(`default ${Array.isArray(spec.default) ? spec.default.join(",") : spec.default}`);
  if (spec.meta.env !== undefined) parts.push(`environment ${spec.meta.env}`);
  if (isList(spec))
    parts.push(spec.meta.splitsAtCommas === false ? "may be repeated" : "may be repeated, or hold commas");
  return parts.join("; ");
}

/** A flag as it is written in help, e.g. `--rows <n>`. */
export function flagText(spec: OptionSpec): string {
  if (isBoolean(spec)) return spec.default === true ? `--no-${spec.name}` : `--${spec.name}`;
  const value = placeholder(spec);
  return hasOptionalValue(spec) ? `--${spec.name} [${value}]` : `--${spec.name} <${value}>`;
}

function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function addOption(command: Command, spec: OptionSpec): void {
  const detail = optionDetail(spec);
  const text = detail === "" ? spec.meta.help : `${spec.meta.help} (${detail})`;
  const make = (flags: string) => new Option(flags, text).helpGroup(`${spec.meta.group}:`);
  if (isBoolean(spec)) {
    // Both forms exist, so that a flag can win over a config file either way; help shows the one that changes something.
    const negative = spec.default === true;
    const plain = make(`--${spec.name}`);
    const off = make(`--no-${spec.name}`);
    command.addOption(negative ? plain.hideHelp() : plain);
    command.addOption(negative ? off : off.hideHelp());
    return;
  }
  const made = make(flagText(spec));
  command.addOption(isList(spec) ? made.argParser(collect) : made);
}

/** Values of the flags that were typed, by key. */
function typedFlags(command: Command, specs: readonly OptionSpec[]): Map<string, unknown> {
  const flags = new Map<string, unknown>();
  for (const spec of specs) {
    if (spec.meta.positional) {
      const [text] = command.args;
      if (text !== undefined) flags.set(spec.key, valueOfText(spec.schema, text));
      continue;
    }
    if (command.getOptionValueSource(spec.key) !== "cli") continue;
    const value: unknown = command.getOptionValue(spec.key);
    if (isList(spec)) flags.set(spec.key, valueOfTexts(spec, value as string[]));
    else flags.set(spec.key, typeof value === "string" ? valueOfText(spec.schema, value) : value);
  }
  return flags;
}

function examplesText(definition: CommandDefinition): string {
  const lines = definition.examples.map(({ line, explanation }) => `  ${line}\n      ${explanation}`);
  return `\nExamples:\n${lines.join("\n")}\n`;
}

interface Chosen {
  readonly definition: CommandDefinition;
  readonly command: Command;
}

function buildCommand(
  program: Command,
  definition: CommandDefinition,
  choose: (chosen: Chosen) => void,
): Command {
  // The parent of a name of two words has the first.
  const command = new Command(definition.name.split(" ").at(-1))
    .copyInheritedSettings(program)
    .summary(definition.summary)
    .description(definition.description)
    .helpGroup(`${definition.group}:`);
  for (const spec of optionSpecs(definition.options)) {
    if (!spec.meta.positional) {
      addOption(command, spec);
      continue;
    }
    const detail = optionDetail(spec);
    // Optional for commander: it may stand in the config file. The schema knows whether it must be there at all.
    command.argument(`[${spec.name}]`, detail === "" ? spec.meta.help : `${spec.meta.help} (${detail})`);
  }
  const common = (flags: string, text: string) =>
    command.addOption(new Option(flags, text).helpGroup(`${COMMON_GROUP}:`));
  common("--config <file>", "settings from a YAML or JSON file: keys are the names of the flags, flags win");
  for (const spec of optionSpecs(commonOptions(definition))) addOption(command, spec);
  common("--print-config", "print all settings as a config file, and do nothing else");
  command.addHelpOption(new Option("-h, --help", "show this").helpGroup(`${COMMON_GROUP}:`));
  command.addHelpText("after", examplesText(definition));
  command.action(() => choose({ definition, command }));
  return command;
}

/** The commander program of some commands. `choose` is told which of them was called. */
export function buildProgram(
  definitions: readonly CommandDefinition[],
  options: Pick<ProgramOptions, "description" | "version" | "io">,
  choose: (chosen: Chosen) => void = () => {},
): Command {
  const { io } = options;
  const output = {
    writeOut: (text: string) => void io.stdout.write(text),
    writeErr: () => {},
    getOutHelpWidth: () => io.stdout.columns ?? 100,
  };
  const program = new Command("narrowband")
    .description(options.description)
    .configureOutput(output)
    .helpCommand("help [command]", "show the help of a command")
    .helpOption("-h, --help", "show this")
    .version(options.version, "-V, --version", "show the version")
    .exitOverride();
  const parents = new Map<string, Command>();
  for (const definition of definitions) {
    const [first, second] = definition.name.split(" ");
    if (second === undefined) {
      program.addCommand(buildCommand(program, definition, choose));
      continue;
    }
    let parent = parents.get(first);
    if (parent === undefined) {
      const members = definitions.filter(({ name }) => name.startsWith(`${first} `));
      parent = buildParent(program, first, members);
      parents.set(first, parent);
      program.addCommand(parent);
    }
    parent.addCommand(buildCommand(program, definition, choose));
  }
  return program;
}

/** What holds the commands whose names begin with the same word; called alone it shows their help. */
function buildParent(program: Command, name: string, members: readonly CommandDefinition[]): Command {
  const summary = members.map((member) => `${member.name.split(" ")[1]}: ${member.summary}`).join("; ");
  const parent = new Command(name)
    .copyInheritedSettings(program)
    .summary(summary)
    .description(summary)
    .addHelpOption(new Option("-h, --help", "show this"))
    .helpGroup(`${members[0].group}:`);
  return parent.action(() => parent.outputHelp());
}

/** The flags that say where settings come from, and are none themselves. */
interface Meta {
  readonly config?: string;
  readonly printConfig?: boolean;
}

function reportError(io: CommandIo, error: NarrowbandError, machine: boolean): void {
  const { code, message, kind, details } = error;
  io.stderr.write(`${code}: ${message}\n  ${kind.remedy}\n`);
  if (code === "NB_INTERNAL") {
    const cause = error.cause instanceof Error ? error.cause : error;
    io.stderr.write(`${cause.stack ?? ""}\n`);
  }
  if (machine)
    io.stdout.write(`${JSON.stringify({ event: "error", code, message, exit: kind.exit, details })}\n`);
}

async function runChosen({ definition, command }: Chosen, options: ProgramOptions): Promise<number> {
  const { io } = options;
  // Whether errors are reported to a machine too; settled for good once the settings are known.
  let machine = command.getOptionValue("json") === true;
  try {
    const meta = command.opts<Meta>();
    const specs = optionSpecs(definition.options);
    const common = commonOptions(definition);
    const commonSpecs = optionSpecs(common);
    let file: ConfigFile | undefined;
    if (meta.config !== undefined) {
      file = await readConfigFile(meta.config);
      refuseUnknownKeys([...specs, ...commonSpecs], file);
    }
    const given = (of: readonly OptionSpec[]) => ({
      flags: typedFlags(command, of),
      environment: io.env,
      file,
    });
    const everywhere = resolveSettings(common, commonSpecs, given(commonSpecs));
    machine = everywhere.json === true;
    const settings = resolveSettings(definition.options, specs, given(specs));
    if (meta.printConfig === true) {
      io.stdout.write(
        await configText({ ...configValues(specs, settings), ...configValues(commonSpecs, everywhere) }),
      );
      return 0;
    }
    let note = (line: string): void => {
      io.stderr.write(`${line}\n`);
    };
    const interrupt = onInterrupt(options.signals, (line) => note(line), options.exit);
    const { signal } = interrupt;
    const { context, close } = await createContext(io, { ...everywhere, signal, command: definition.name });
    note = context.note;
    try {
      await definition.run(settings, context);
    } finally {
      close();
      interrupt.release();
    }
    return 0;
  } catch (error) {
    const known = asNarrowbandError(error);
    reportError(io, known, machine);
    return known.kind.exit;
  }
}

/** commander's complaint about flags that it does not know. */
function useError(error: CommanderError): NarrowbandError {
  return new NarrowbandError("NB_CONFIG_INVALID", error.message.replace(/^error: /, "").replace(/\n/g, " "));
}

/**
 * Runs the command that `argv` (without the program's name) asks for. Returns the exit code; throws nothing.
 */
export async function runProgram(
  definitions: readonly CommandDefinition[],
  argv: readonly string[],
  options: ProgramOptions,
): Promise<number> {
  const { io } = options;
  let chosen: Chosen | undefined;
  const program = buildProgram(definitions, options, (made) => {
    chosen = made;
  });
  if (argv.length === 0) {
    program.outputHelp();
    return 0;
  }
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    // Help and version were shown.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const known = error instanceof CommanderError ? useError(error) : asNarrowbandError(error);
    reportError(io, known, argv.includes("--json"));
    return known.kind.exit;
  }
  return chosen === undefined ? 0 : runChosen(chosen, options);
}
