#!/usr/bin/env node
/**
 * The `narrowband` command.
 */
import { COMMANDS } from "./commands.ts";
import { packageVersion } from "./shared/command/package-root.ts";
import { runProgram } from "./shared/command/program.ts";

// A reader that has seen enough (`narrowband ... | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

// A process that was started with a channel to its parent ends with it, as if it were killed: nobody is left to read what it tells.
if (process.channel !== undefined && process.channel !== null) {
  process.once("disconnect", () => process.exit(1));
  process.channel.unref();
}

process.exitCode = await runProgram(COMMANDS, process.argv.slice(2), {
  description:
    "Fine-tune a language model together, over a narrow band: split learning with quantized traffic.",
  version: packageVersion(),
  io: { stdout: process.stdout, stderr: process.stderr, env: process.env },
  signals: process,
  exit: (code) => process.exit(code),
});
