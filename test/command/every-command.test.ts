/** Every command has help that teaches, and settings that a config file can hold. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../commands.ts";
import { configText } from "../../shared/command/config-file.ts";
import { type CommandDefinition, commonOptions } from "../../shared/command/definition.ts";
import {
  hasOptionalValue,
  isBoolean,
  isList,
  type OptionSpec,
  optionSpecs,
} from "../../shared/command/option-spec.ts";
import { temporaryDirectory } from "../model/helpers.ts";
import { run } from "./helpers.ts";

/** A value that the option takes and that is not its default, as a config file and as flags hold it. */
function sample(spec: OptionSpec): { value: unknown; flags: string[] } {
  const flag = `--${spec.name}`;
  if (isBoolean(spec)) {
    const value = spec.default !== true;
    return { value, flags: [value ? flag : `--no-${spec.name}`] };
  }
  if (hasOptionalValue(spec)) return { value: "file.json", flags: [flag, "file.json"] };
  const { schema, meta } = spec;
  const [first] = schema.anyOf ?? [schema];
  let value: unknown;
  const whole = schema.items?.type === "integer";
  if (meta.example !== undefined)
    value = isList(spec) ? [whole ? Number(meta.example) : meta.example] : meta.example;
  else if (isList(spec)) value = ["one", "two"];
  else if (first.enum !== undefined)
    value = first.enum.find((name) => name !== spec.default) ?? first.enum[0];
  else if (first.type === "integer") value = Math.max(Number(first.minimum ?? 0), 2);
  else if (first.type === "number") value = ((first.minimum ?? first.exclusiveMinimum ?? 0) + 0.25) as number;
  else value = "some text";
  if (spec.meta.positional) return { value, flags: [String(value)] };
  return {
    value,
    flags: Array.isArray(value) ? value.flatMap((v) => [flag, String(v)]) : [flag, String(value)],
  };
}

function specsOf(definition: CommandDefinition): OptionSpec[] {
  return [...optionSpecs(definition.options), ...optionSpecs(commonOptions(definition))];
}

describe.each(COMMANDS.map((definition) => [definition.name, definition] as const))(
  "%s",
  (name, definition) => {
    it("explains itself, with examples that are commands of this name", async () => {
      expect(definition.summary.length).toBeGreaterThan(10);
      expect(definition.description.length).toBeGreaterThan(80);
      expect(definition.examples.length).toBeGreaterThan(0);
      const { stdout, exit } = await run([...name.split(" "), "--help"]);
      expect(exit).toBe(0);
      for (const { line, explanation } of definition.examples) {
        expect(line).toMatch(new RegExp(`^narrowband ${name}( |$)`));
        expect(stdout).toContain(line);
        expect(stdout).toContain(explanation);
      }
    });

    it("describes every option under a heading, with its default or that it is required", async () => {
      const { stdout } = await run([...name.split(" "), "--help"]);
      const flat = stdout.replace(/\s+/g, " ");
      for (const spec of specsOf(definition)) {
        expect(spec.meta.help.length, spec.name).toBeGreaterThan(3);
        if (spec.key !== "json") expect(spec.meta.help.endsWith("."), spec.name).toBe(false);
        expect(spec.meta.group.length, spec.name).toBeGreaterThan(3);
        expect(flat).toContain(spec.meta.help.replace(/\s+/g, " "));
        if (spec.required) expect(flat).toContain("required");
      }
    });

    it("gives examples whose flags all exist and are accepted", async () => {
      for (const { line } of definition.examples) {
        const words = (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"|"$/g, ""));
        const { exit, stderr } = await run([...words.slice(1), "--print-config"]);
        expect(exit, `${line}\n${stderr}`).toBe(0);
      }
    });

    it("reads from a config file what it reads from flags", async () => {
      const specs = specsOf(definition).filter(({ meta }) => meta.secret !== true);
      const samples = specs.map((spec) => [spec, sample(spec)] as const);
      const positional = samples.filter(([spec]) => spec.meta.positional);
      const flags = [
        ...name.split(" "),
        ...positional.flatMap(([, { flags }]) => flags),
        ...samples.filter(([spec]) => !spec.meta.positional).flatMap(([, { flags }]) => flags),
        "--print-config",
      ];
      const typed = await run(flags);
      expect(typed.exit, typed.stderr).toBe(0);
      const file = join(temporaryDirectory(), "settings.yaml");
      writeFileSync(
        file,
        await configText(Object.fromEntries(samples.map(([spec, { value }]) => [spec.name, value]))),
      );
      const read = await run([...name.split(" "), "--config", file, "--print-config"]);
      expect(read.exit, read.stderr).toBe(0);
      expect(read.stdout).toBe(typed.stdout);
      // And what is printed is itself a config file.
      writeFileSync(file, typed.stdout);
      expect((await run([...name.split(" "), "--config", file, "--print-config"])).stdout).toBe(typed.stdout);
    });

    it("refuses an unknown key of a config file", async () => {
      const file = join(temporaryDirectory(), "settings.json");
      writeFileSync(file, JSON.stringify({ "no-such-setting": 1 }));
      const { exit, stderr } = await run([...name.split(" "), "--config", file]);
      expect(exit).toBe(2);
      expect(stderr).toContain("NB_CONFIG_INVALID");
      expect(stderr).toContain('"no-such-setting"');
    });
  },
);

describe("narrowband", () => {
  it("lists every command with its summary", async () => {
    const { stdout } = await run(["--help"]);
    const flat = stdout.replace(/\s+/g, " ");
    for (const { name, summary } of COMMANDS)
      expect(flat).toMatch(new RegExp(`${name.split(" ").join("\\b.*\\b")}.*${summary}`));
  });

  it("shows the same when it is called with nothing", async () => {
    expect((await run([])).stdout).toBe((await run(["--help"])).stdout);
  });
});
