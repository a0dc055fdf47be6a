/**
 * Reads options out of a command's schema: name, flag, kind of value, what is accepted, default. zod's own
 * JSON Schema export is the reader, so nothing here looks inside zod.
 */
import { z } from "zod";
import { fail } from "../errors.ts";
import { type OptionMeta, optionMeta } from "./definition.ts";

/** The part of JSON Schema that options use. */
interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

export interface OptionSpec {
  /** Key in the schema, camelCase. */
  readonly key: string;
  /** Name of the flag without dashes and key in a config file, kebab-case. */
  readonly name: string;
  readonly meta: OptionMeta;
  readonly schema: JsonSchema;
  readonly required: boolean;
  readonly default: unknown;
  /** What is accepted, in words. */
  readonly accepted: string;
}

/** The name of a setting as a flag and in a config file: `minClients` is `min-clients`. */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
}

/** The options of a schema, in its order. */
export function optionSpecs(options: z.ZodObject): OptionSpec[] {
  const json = z.toJSONSchema(options, { io: "input", unrepresentable: "any" });
  const properties = (json.properties ?? {}) as Record<string, JsonSchema>;
  const required = new Set(json.required);
  return Object.entries(options.shape).map(([key, field]) => {
    const meta = optionMeta(field as z.ZodType);
    if (meta === undefined) fail("NB_INTERNAL", `the option ${key} has no description`);
    const schema = properties[key];
    return {
      key,
      name: kebab(key),
      meta,
      schema,
      required: required.has(key),
      default: schema.default,
      accepted: meta.accepts ?? acceptedText(schema, WORDS[meta.value ?? ""]),
    };
  });
}

export function isBoolean(spec: OptionSpec): boolean {
  return spec.schema.type === "boolean";
}

/** Whether the flag may be repeated. */
export function isList(spec: OptionSpec): boolean {
  return alternatives(spec.schema).some(({ type }) => type === "array");
}

/** Whether the flag may stand alone or with a value. */
export function hasOptionalValue(spec: OptionSpec): boolean {
  const types = new Set(alternatives(spec.schema).map(({ type }) => type));
  return types.has("boolean") && types.size > 1;
}

function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  return schema.anyOf ?? [schema];
}

/** What stands for the value in help. */
export function placeholder(spec: OptionSpec): string {
  if (spec.meta.value !== undefined) return spec.meta.value;
  const [first] = alternatives(spec.schema);
  const one = first.type === "array" ? (first.items ?? first) : first;
  if (one.enum !== undefined || one.const !== undefined) return "name";
  return one.type === "integer" ? "n" : one.type === "number" ? "x" : "text";
}

interface Range {
  /** Words of the lower and the upper bound; empty where there is none that means anything. */
  readonly low: string;
  readonly high: string;
  /** Whether the two are joined without "and". */
  readonly closed: boolean;
}

function rangeOf(schema: JsonSchema, largest: number): Range {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const hasMinimum = minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER;
  const hasMaximum = maximum !== undefined && maximum <= largest;
  const low =
    exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : hasMinimum ? `from ${minimum}` : "";
  const closed = hasMinimum && hasMaximum;
  const high =
    exclusiveMaximum !== undefined
      ? `below ${exclusiveMaximum}`
      : hasMaximum
        ? closed
          ? `to ${maximum}`
          : `up to ${maximum}`
        : "";
  return { low, high, closed };
}

function joined({ low, high, closed }: Range): string {
  return low !== "" && high !== "" ? `${low} ${closed ? "" : "and "}${high}` : low + high;
}

/** zod bounds every whole number by what a double holds exactly; that is no news to anyone. */
const LARGEST_IN_MESSAGES = Number.MAX_SAFE_INTEGER - 1;
/** Upper bounds above this are guards and not guidance, and help leaves them out. */
const LARGEST_IN_HELP = 65_536;

/** What an option accepts, as briefly as help can say it beside the placeholder. */
export function acceptedHelp(spec: OptionSpec): string {
  if (spec.meta.accepts !== undefined) return spec.meta.accepts;
  return alternatives(spec.schema)
    .map((one) => {
      if (one.const !== undefined) return String(one.const);
      if (one.enum !== undefined) return one.enum.join(", ");
      if (one.type === "array") return one.items?.enum?.join(", ") ?? "";
      return joined(rangeOf(one, LARGEST_IN_HELP)).replace(/^from (\S+) to/, "$1 to");
    })
    .filter((text) => text !== "")
    .join(" or ");
}

/** What placeholders of texts stand for in a sentence. */
const WORDS: Readonly<Record<string, string>> = { dir: "a directory", file: "a file", path: "a path" };

/** What a schema accepts, in words; `text` is what its texts are. */
function acceptedText(schema: JsonSchema, text = "a text"): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => acceptedText(one, text)).join(" or ");
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum !== undefined) return `one of ${schema.enum.join(", ")}`;
  switch (schema.type) {
    case "integer":
      return `a whole number ${joined(rangeOf(schema, LARGEST_IN_MESSAGES))}`.trimEnd();
    case "number":
      return `a number ${joined(rangeOf(schema, LARGEST_IN_MESSAGES))}`.trimEnd();
    case "boolean":
      return "true or false";
    case "array":
      return `a list${schema.minItems === 1 ? " of at least one value" : ""}, each ${acceptedText(schema.items ?? {}, text)}`;
    default:
      return text;
  }
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * The value that a flag's or an environment variable's text stands for. A text that stands for none is given back as
 * it is: the schema then refuses it, and the message shows what was typed.
 */
export function valueOfText(schema: JsonSchema, text: string): unknown {
  for (const one of alternatives(schema)) {
    if (one.const === text || one.enum?.includes(text)) return text;
    if (one.type === "integer" || one.type === "number") {
      if (NUMBER.test(text)) return Number(text);
    } else if (one.type === "boolean") {
      if (text === "true" || text === "false") return text === "true";
    }
  }
  return text;
}

/** The value that one or more texts of a list option stand for. */
export function valueOfTexts(spec: OptionSpec, texts: readonly string[]): unknown {
  const whole = alternatives(spec.schema).find(
    ({ type, enum: names, const: name }) =>
      type !== "array" && (names?.includes(texts[0]) === true || name === texts[0]),
  );
  if (whole !== undefined && texts.length === 1) return texts[0];
  const items = alternatives(spec.schema).find(({ type }) => type === "array")?.items ?? {};
  const parts =
    spec.meta.splitsAtCommas === false
      ? texts
      : texts.flatMap((text) => text.split(",").map((part) => part.trim()));
  return parts.map((part) => valueOfText(items, part));
}
