/**
 * The settings of a run out of flags, environment and config file, in this order of precedence, and what is said
 * when one of them is wrong: which field, where it was given, what was given, what is accepted.
 */
import type { z } from "zod";
import { fail } from "../errors.ts";
import type { OptionSpec } from "./option-spec.ts";
import { valueOfText } from "./option-spec.ts";

/** A config file's content, and what messages call it. */
export interface ConfigFile {
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface Given {
  /** Values of flags, by the option's key. */
  readonly flags: ReadonlyMap<string, unknown>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly file: ConfigFile | undefined;
}

interface Placed {
  readonly value: unknown;
  /** How messages call the field. */
  readonly where: string;
}

/** Letters and digits only: two spellings of one name look the same. */
function bare(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, "").toLowerCase();
}

/** Refuses keys of the file that are no options. */
export function refuseUnknownKeys(specs: readonly OptionSpec[], file: ConfigFile): void {
  const known = new Set(specs.map(({ name }) => name));
  for (const key of Object.keys(file.values)) {
    if (known.has(key)) continue;
    const near = specs.find(({ name }) => bare(name) === bare(key));
    const accepted = near === undefined ? [...known].sort().join(", ") : near.name;
    fail(
      "NB_CONFIG_INVALID",
      `${file.name}: ${JSON.stringify(key)} is no setting of this command; accepted: ${accepted}`,
      {
        field: key,
      },
    );
  }
}

function placed(spec: OptionSpec, given: Given): Placed | undefined {
  if (given.flags.has(spec.key)) {
    const where = spec.meta.positional ? spec.name : `--${spec.name}`;
    return { value: given.flags.get(spec.key), where };
  }
  const { env } = spec.meta;
  const text = env === undefined ? undefined : given.environment[env];
  if (text !== undefined && text !== "")
    return { value: valueOfText(spec.schema, text), where: `${env} (environment)` };
  const value = given.file?.values[spec.name];
  // In YAML a key without a value is null: as if it were not there.
  if (value === undefined || value === null) return undefined;
  return { value, where: `${given.file?.name}: ${spec.name}` };
}

/** The option that zod's issue is about, and what is wrong with it. */
function complaint(
  issue: z.core.$ZodIssue,
  specs: readonly OptionSpec[],
  values: ReadonlyMap<string, Placed>,
): { field: string; text: string } {
  const spec = specs.find(({ key }) => key === issue.path[0]);
  if (spec === undefined) return { field: "", text: issue.message };
  const { key, name, meta, accepted } = spec;
  const at = values.get(key);
  const flag = meta.positional ? name : `--${name}`;
  if (at === undefined && issue.code !== "custom")
    return { field: name, text: `${flag} is missing; accepted: ${accepted}` };
  const given =
    at === undefined
      ? "nothing was given"
      : meta.secret === true
        ? "what was given is refused"
        : `${JSON.stringify(at.value)} was given`;
  // A check of our own says by itself what is accepted.
  const why = issue.code === "custom" ? issue.message : `accepted: ${accepted}`;
  return { field: name, text: `${at?.where ?? flag}: ${given}; ${why}` };
}

/**
 * The settings of a schema.
 *
 * @throws NB_CONFIG_INVALID naming every field that is wrong, one a line.
 */
export function resolveSettings<S extends z.ZodObject>(
  schema: S,
  specs: readonly OptionSpec[],
  given: Given,
): z.output<S> {
  const values = new Map<string, Placed>();
  for (const spec of specs) {
    const value = placed(spec, given);
    if (value !== undefined) values.set(spec.key, value);
  }
  const parsed = schema.safeParse(Object.fromEntries([...values].map(([key, { value }]) => [key, value])));
  if (parsed.success) return parsed.data;
  const complaints = parsed.error.issues.map((issue) => complaint(issue, specs, values));
  const texts = [...new Set(complaints.map(({ text }) => text))];
  return fail("NB_CONFIG_INVALID", texts.join("\n"), { field: complaints[0].field });
}

/** Settings as the content of a config file: by flag name, without those that have no value and without secrets. */
export function configValues(
  specs: readonly OptionSpec[],
  settings: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const { key, name, meta } of specs)
    if (settings[key] !== undefined && meta.secret !== true) out[name] = settings[key];
  return out;
}
