/** What `narrowband codec list` does: the registries of codecs and allocators, for people and for scripts. */

import { z } from "zod";
import { ALLOCATORS } from "../../shared/codec/allocators/registry.ts";
import { amaqSchema } from "../../shared/codec/amaq-spec.ts";
import { CODECS } from "../../shared/codec/registry.ts";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatTable } from "../../shared/command/format.ts";

/** One setting of a codec, as JSON Schema has it. */
interface Setting {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

/** The settings of a codec but its name, by name. */
function settingsOf(schema: z.ZodType): Record<string, Setting> {
  const { properties = {} } = z.toJSONSchema(schema, { io: "input" });
  const { codec: _, ...rest } = properties as Record<string, Setting>;
  return rest;
}

function pick(
  settings: Readonly<Record<string, Setting>>,
  names: readonly string[],
): Record<string, Setting> {
  return Object.fromEntries(names.map((name) => [name, settings[name]!]));
}

function valuesText(setting: Setting): string {
  if (setting.enum !== undefined) return setting.enum.join(", ");
  if (setting.type === "boolean") return "true, false";
  const least = setting.minimum ?? setting.exclusiveMinimum;
  const range = [least, setting.maximum].map((bound) => (bound === undefined ? "" : String(bound)));
  return range.every((bound) => bound === "") ? (setting.type ?? "") : range.join(" to ");
}

export async function runCodecList(
  { settings }: { readonly settings: boolean },
  context: CommandContext,
): Promise<void> {
  const codecs = CODECS.map(({ name, wireId, summary, source, forms, examples, schema }) => {
    return { name, wireId, summary, source, forms, examples, settings: settingsOf(schema) };
  });
  const ofAmaq = settingsOf(amaqSchema);
  const allocators = ALLOCATORS.map((allocator) => {
    const { name, summary, source } = allocator;
    return { name, summary, source, options: pick(ofAmaq, allocator.settings) };
  });
  context.print("Codecs:");
  context.print("");
  for (const codec of codecs) {
    context.print(`${codec.name} (number ${codec.wireId}): ${codec.summary}`);
    context.print(`    written  ${codec.forms}`);
    context.print(`    source   ${codec.source}`);
    const entries = Object.entries(codec.settings);
    if (settings && entries.length > 0) {
      const rows = entries.map(([key, setting]) => [
        `    ${key}`,
        valuesText(setting),
        setting.default === undefined ? "" : String(setting.default),
        setting.description ?? "",
      ]);
      for (const line of formatTable(["    setting", "values", "default", ""], rows)) context.print(line);
    }
    context.print("");
  }
  context.print("Allocators, as in amaq:8-3,allocator=greedy, and the settings of amaq that are theirs:");
  context.print("");
  for (const { name, summary, source, options } of allocators) {
    context.print(`${name}: ${summary}`);
    context.print(`    settings ${Object.keys(options).join(", ")}`);
    context.print(`    source   ${source}`);
    context.print("");
  }
  await context.result({ codecs, allocators });
}
