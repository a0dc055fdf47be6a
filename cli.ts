#!/usr/bin/env node
/**
 * The `narrowband` command: the one place that knows every subcommand.
 */
import { Command } from "commander";
import { pretrainCommand } from "./experiments/commands/pretrain.ts";
import { asNarrowbandError } from "./shared/errors.ts";

const program = new Command("narrowband")
  .description("Split-learning collaborative fine-tuning over a narrow band.")
  .addCommand(pretrainCommand());

try {
  await program.parseAsync();
} catch (error) {
  const known = asNarrowbandError(error);
  console.error(`${known.code}: ${known.message}\n  ${known.kind.remedy}`);
  process.exitCode = known.kind.exit;
}
