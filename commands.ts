/** All subcommands, in the order of their help. Only descriptions are loaded here; see shared/command/definition.ts. */
import { evalCommand } from "./client/commands/eval.ts";
import { exportCommand } from "./client/commands/export.ts";
import { generateCommand } from "./client/commands/generate.ts";
import { inspectCommand } from "./client/commands/inspect.ts";
import { trainCommand } from "./client/commands/train.ts";
import { codecBenchCommand } from "./experiments/commands/codec-bench.ts";
import { codecListCommand } from "./experiments/commands/codec-list.ts";
import { demoCommand } from "./experiments/commands/demo.ts";
import { pretrainCommand } from "./experiments/commands/pretrain.ts";
import { serveCommand } from "./server/commands/serve.ts";
import type { CommandDefinition } from "./shared/command/definition.ts";

export const COMMANDS: readonly CommandDefinition[] = [
  serveCommand,
  trainCommand,
  demoCommand,
  pretrainCommand,
  evalCommand,
  generateCommand,
  exportCommand,
  inspectCommand,
  codecListCommand,
  codecBenchCommand,
];
