/** Ctrl-C: the first asks, the second ends. */
import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type CommandDefinition, defineCommand } from "../../shared/command/definition.ts";
import { run } from "./helpers.ts";

function waiting(onSignal: (signal: AbortSignal) => Promise<void>): CommandDefinition[] {
  return [
    defineCommand({
      name: "wait",
      group: "Test",
      summary: "x",
      description: "x",
      examples: [],
      json: "Nothing.",
      options: z.strictObject({}),
      run: async (_settings, context) => onSignal(context.signal),
    }) as CommandDefinition,
  ];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => signal.addEventListener("abort", () => done(), { once: true }));
}

describe("the first signal", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "%s lets the command save and ends with exit code 130",
    async (name) => {
      const signals = new EventEmitter();
      let saved = false;
      const commands = waiting(async (signal) => {
        setImmediate(() => signals.emit(name));
        await aborted(signal);
        saved = true;
        signal.throwIfAborted();
      });
      const { exit, stderr } = await run(["wait"], { commands, signals });
      expect(saved).toBe(true);
      expect(exit).toBe(130);
      expect(stderr).toContain("NB_INTERRUPTED");
    },
  );

  it("does not turn finished work into a failure", async () => {
    const signals = new EventEmitter();
    const commands = waiting(async (signal) => {
      signals.emit("SIGINT");
      expect(signal.aborted).toBe(true);
    });
    expect((await run(["wait"], { commands, signals })).exit).toBe(0);
  });

  it("is listened to only while the command runs", async () => {
    const signals = new EventEmitter();
    await run(["wait"], { commands: waiting(async () => {}), signals });
    expect(signals.listenerCount("SIGINT") + signals.listenerCount("SIGTERM")).toBe(0);
  });
});

describe("the second signal", () => {
  it("ends the process at once with exit code 130", async () => {
    const signals = new EventEmitter();
    const codes: number[] = [];
    const commands = waiting(async () => {
      signals.emit("SIGINT");
      expect(codes).toEqual([]);
      signals.emit("SIGINT");
      expect(codes).toEqual([130]);
    });
    await run(["wait"], { commands, signals, onExit: (code) => codes.push(code) });
    expect(codes).toEqual([130]);
  });
});
