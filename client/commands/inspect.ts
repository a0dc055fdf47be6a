/** `narrowband inspect`: what a file or directory of the project is, in words. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import { FILES_GROUP, path } from "../../shared/command/shared-options.ts";

const CUT = "The cut";

export const inspectCommand = defineCommand({
  name: "inspect",
  group: "On one machine",
  summary: "say what a file or directory is",
  description:
    "Looks at a model directory, a LoRA adapter, a safetensors file, a checkpoint, a redo log, a capture of tensors or the log of a run and describes " +
    "it. No weights are " +
    "loaded. For a model it says what each side of a split would hold and send.",
  examples: [
    {
      line: "narrowband inspect models/base",
      explanation: "the model, cut behind its first and before its last block",
    },
    {
      line: "narrowband inspect models/base --bottom 2 --top 2 --rank 16",
      explanation: "the same model with another cut and larger adapters",
    },
    { line: "narrowband inspect runs/alice/run.nblog", explanation: "how a client's run went" },
    {
      line: "narrowband inspect runs/alice/adapter_model.safetensors --tensors",
      explanation: "every tensor of a file",
    },
  ],
  json: "One object; its kind says which of the forms it has.",
  options: z.strictObject({
    path: option(path, {
      help: "model directory, adapter directory, directory of checkpoints, or file",
      group: FILES_GROUP,
      positional: true,
      value: "path",
    }),
    tensors: option(z.boolean().default(false), { help: "list every tensor", group: FILES_GROUP }),
    bottom: option(z.int().min(0).max(1024).optional(), {
      help: "blocks on the client before the first cut",
      group: CUT,
      defaultHelp: "1, or 0 in a model of fewer than three",
    }),
    top: option(z.int().min(0).max(1024).optional(), {
      help: "blocks on the client behind the second cut",
      group: CUT,
      defaultHelp: "1, or 0 in a model of fewer than three",
    }),
    rank: option(z.int().min(1).max(1024).default(8), {
      help: "rank of adapters on all linear layers, for their size",
      group: CUT,
    }),
  }),
  async run(settings, context) {
    const { runInspect } = await import("../local/inspect.ts");
    await runInspect(settings, context);
  },
});
