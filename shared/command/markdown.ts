/** The commands' reference page out of their definitions, so that page, help and program say the same. */
import { type CommandDefinition, commonOptions } from "./definition.ts";
import { isBoolean, type OptionSpec, optionSpecs } from "./option-spec.ts";
import { flagText, optionDetail } from "./program.ts";

/** Text for a cell of a table. */
function cell(text: string): string {
  return text.replace(/([|<>{}])/g, "\\$1");
}

function optionRow(spec: OptionSpec): string {
  const flag = spec.meta.positional ? `\`${spec.name}\` (no flag)` : `\`${flagText(spec)}\``;
  // A flag that switches something off is written so, and is this in a config file.
  const key = isBoolean(spec) && spec.default === true ? ` In a config file: \`${spec.name}: false\`.` : "";
  return `| ${flag} | ${cell(spec.meta.help)}.${key} | ${cell(optionDetail(spec))} |`;
}

function optionTables(specs: readonly OptionSpec[]): string[] {
  const groups = new Map<string, OptionSpec[]>();
  for (const spec of specs) groups.set(spec.meta.group, [...(groups.get(spec.meta.group) ?? []), spec]);
  return [...groups].flatMap(([group, members]) => [
    `**${group}**`,
    "",
    "| option | | accepted, default |",
    "|---|---|---|",
    ...members.map(optionRow),
    "",
  ]);
}

function commandSection(definition: CommandDefinition): string[] {
  return [
    `## narrowband ${definition.name}`,
    "",
    definition.description,
    "",
    "```sh",
    ...definition.examples.flatMap(({ line, explanation }) => [`# ${explanation}`, line]),
    "```",
    "",
    ...optionTables(optionSpecs(definition.options)),
    `\`--json\`: ${definition.json}`,
    "",
  ];
}

/** The reference of all commands, in Markdown. */
export function commandReference(definitions: readonly CommandDefinition[]): string {
  const [first] = definitions;
  const common = optionSpecs(commonOptions({ ...first, json: "", jsonFile: false, logLevel: undefined }));
  return [
    ...definitions.flatMap(commandSection),
    "## Options of every command",
    "",
    "| option | | accepted, default |",
    "|---|---|---|",
    "| `--config <file>` | settings from a YAML or JSON file. |  |",
    ...common.map((spec) =>
      optionRow({ ...spec, meta: { ...spec.meta, help: spec.meta.help.replace(/\.\s*$/, "") } }),
    ),
    "| `--print-config` | print all settings as a config file, and do nothing else. |  |",
    "| `-h, --help` | show the command's help. |  |",
    "",
  ].join("\n");
}
