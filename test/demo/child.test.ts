/** A command as a process: its events, its result, its failures, its end. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type CommandEvent, CommandProcess } from "../../experiments/demo/child.ts";
import { failure, temporaryDirectory } from "../model/helpers.ts";

function start(
  script: string,
  args: string[] = [],
): { child: CommandProcess; events: CommandEvent[]; log: string } {
  const directory = temporaryDirectory();
  const program = join(directory, "program.mjs");
  const log = join(directory, "log");
  writeFileSync(program, script);
  const events: CommandEvent[] = [];
  const child = new CommandProcess({
    name: "child",
    args,
    logFile: log,
    program,
    onEvent: (event) => events.push(event),
  });
  return { child, events, log };
}

const SAY = "const say = (o) => console.log(JSON.stringify(o));";

describe("a command's process", () => {
  it("gives its events as they come, its last object as the result, and its stderr to the log", async () => {
    const { child, events, log } = start(
      `${SAY} say({ event: "step", n: 1 }); say({ event: "step", n: 2 }); console.error("a remark"); say({ done: process.argv[2] });`,
      ["yes"],
    );
    expect(await child.result).toEqual({ done: "yes" });
    expect(events).toEqual([
      { event: "step", n: 1 },
      { event: "step", n: 2 },
    ]);
    await expect.poll(() => readFileSync(log, "utf8")).toBe("a remark\n");
  });

  it("fails with the error that it told, under its own code and name", async () => {
    const { child } = start(
      `${SAY} say({ event: "error", code: "NB_JOB_FULL", message: "no place" }); process.exitCode = 3;`,
    );
    expect(await failure("NB_JOB_FULL", () => child.result)).toBe("child: no place");
  });

  it("fails when it ends without a word, and names the log", async () => {
    const { child, log } = start("process.exit(7)");
    const message = await failure("NB_INTERNAL", () => child.result);
    expect(message).toContain("exit code 7");
    expect(message).toContain(log);
  });

  it("fails when what takes its events refuses one", async () => {
    const directory = temporaryDirectory();
    const program = join(directory, "program.mjs");
    writeFileSync(program, `${SAY} say({ event: "odd" }); say({});`);
    const child = new CommandProcess({
      name: "child",
      args: [],
      logFile: join(directory, "log"),
      program,
      onEvent: () => {
        throw new Error("not understood");
      },
    });
    expect(await failure("NB_INTERNAL", () => child.result)).toBe("not understood");
  });

  it("is asked to end by a signal, and may save first", async () => {
    const { child, events } = start(
      `${SAY} setInterval(() => {}, 1000);
       process.on("SIGTERM", () => { say({ event: "saved" }); process.exit(130); });
       say({ event: "ready" });`,
    );
    await expect.poll(() => events.length).toBe(1);
    await child.stop();
    expect(events.at(-1)).toEqual({ event: "saved" });
    await failure("NB_INTERNAL", () => child.result);
  });
});
