/** All subcommands, in the order of their help. Only descriptions are loaded here; see shared/command/definition.ts. */
import { evalCommand } from "./client/commands/eval.ts";
import { exportCommand } from "./client/commands/export.ts";
import { generateCommand } from "./client/commands/generate.ts";
import { inspectCommand } from "./client/commands/inspect.ts";
import { trainCommand } from "./client/commands/train.ts";
import { codecBenchCommand } from "./experiments/commands/codec-bench.ts";
import { codecListCommand } from "./experiments/commands/codec-list.ts";
import { demoCommand } from "./experiments/commands/demo.ts";
import { experimentKeepCommand } from "./experiments/commands/experiment-keep.ts";
import { experimentReportCommand } from "./experiments/commands/experiment-report.ts";
import { experimentRunCommand } from "./experiments/commands/experiment-run.ts";
import { experimentTablesCommand } from "./experiments/commands/experiment-tables.ts";
import { experimentTimesCommand } from "./experiments/commands/experiment-times.ts";
import { linkCommand } from "./experiments/commands/link.ts";
import { pretrainCommand } from "./experiments/commands/pretrain.ts";
import { simulateCommand } from "./experiments/commands/simulate.ts";
import { serveCommand } from "./server/commands/serve.ts";
import { tokenCommand } from "./server/commands/token.ts";
import type { CommandDefinition } from "./shared/command/definition.ts";

export const COMMANDS: readonly CommandDefinition[] = [
  serveCommand,
  trainCommand,
  tokenCommand,
  demoCommand,
  pretrainCommand,
  evalCommand,
  generateCommand,
  exportCommand,
  inspectCommand,
  experimentRunCommand,
  experimentReportCommand,
  experimentKeepCommand,
  experimentTablesCommand,
  experimentTimesCommand,
  codecListCommand,
  codecBenchCommand,
  linkCommand,
  simulateCommand,
];
