/** Who reads stdout, who stderr, and what exit codes say. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type CommandDefinition, defineCommand } from "../../shared/command/definition.ts";
import { fail } from "../../shared/errors.ts";
import { temporaryDirectory } from "../model/helpers.ts";
import { run } from "./helpers.ts";

function command(
  work: CommandDefinition["run"],
  rest: Partial<CommandDefinition> = {},
): { commands: CommandDefinition[] } {
  const definition = defineCommand({
    name: "work",
    group: "Test",
    summary: "x",
    description: "x",
    examples: [],
    json: "One object.",
    options: z.strictObject({}),
    run: work,
    ...rest,
  });
  return { commands: [definition as CommandDefinition] };
}

const speaking = command(async (_settings, context) => {
  context.event("step", { n: 1 });
  context.print("for people");
  context.note("by the way");
  await context.result({ answer: 42 });
});

describe("a command", () => {
  it("writes results for people to stdout and remarks to stderr", async () => {
    const { stdout, stderr, exit } = await run(["work"], speaking);
    expect({ stdout, stderr, exit }).toEqual({ stdout: "for people\n", stderr: "by the way\n", exit: 0 });
  });

  it("writes one JSON object a line to stdout with --json, the result last, and all else to stderr", async () => {
    const ran = await run(["work", "--json"], speaking);
    expect(ran.json()).toEqual([{ event: "step", n: 1 }, { answer: 42 }]);
    expect(ran.stderr).toBe("for people\nby the way\n");
  });

  it("writes the result into the file that --json names where it takes one, and leaves stdout to people", async () => {
    const file = join(temporaryDirectory(), "deep", "result.json");
    const { commands } = command(speaking.commands[0].run, { jsonFile: true });
    const { stdout, exit } = await run(["work", "--json", file], { commands });
    expect(exit).toBe(0);
    expect(stdout).toBe("for people\n");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ answer: 42 });
    expect((await run(["work", "--json"], { commands })).json().at(-1)).toEqual({ answer: 42 });
  });

  it("ends with its error's exit code, message and way out", async () => {
    const failing = command(async () => fail("NB_JOB_UNKNOWN", "there is no job x", { job: "x" }));
    const ran = await run(["work", "--json"], failing);
    expect(ran.exit).toBe(3);
    expect(ran.stderr).toContain("NB_JOB_UNKNOWN: there is no job x\n  Check the name");
    expect(ran.json()).toEqual([
      {
        event: "error",
        code: "NB_JOB_UNKNOWN",
        message: "there is no job x",
        exit: 3,
        details: { job: "x" },
      },
    ]);
  });

  it("calls an error that nobody foresaw a bug, and shows where it came from", async () => {
    const { exit, stderr } = await run(
      ["work"],
      command(async () => {
        throw new TypeError("oh");
      }),
    );
    expect(exit).toBe(1);
    expect(stderr).toContain("NB_INTERNAL: oh");
    expect(stderr).toContain("output.test.ts");
  });

  it("logs JSON lines of the level that was asked for, with its name, to stderr or into a file", async () => {
    const logging = command(async (_settings, context) => {
      context.log.info({ n: 1 }, "fine");
      context.log.warn("odd");
    });
    const lines = (text: string) =>
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    const quiet = await run(["work"], logging);
    expect(lines(quiet.stderr)).toMatchObject([{ msg: "odd", command: "work" }]);
    const file = join(temporaryDirectory(), "logs", "run.log");
    const all = await run(["work", "--log-level", "info", "--log-file", file], logging);
    expect(all.stderr).toBe("");
    expect(lines(readFileSync(file, "utf8"))).toMatchObject([{ msg: "fine", n: 1 }, { msg: "odd" }]);
  });

  it("that is not known is refused with the names of near ones", async () => {
    const { exit, stderr } = await run(["wrok"], speaking);
    expect(exit).toBe(2);
    expect(stderr).toContain("unknown command 'wrok'");
    expect(stderr).toContain("work");
  });

  it("shows the version", async () => {
    expect((await run(["--version"], speaking)).stdout).toBe("1.2.3\n");
  });
});
