/** `narrowband export`: a tuned model, or its adapter, in a directory that other programs read. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import { FILES_GROUP, modelOption, path } from "../../shared/command/shared-options.ts";

export const exportCommand = defineCommand({
  name: "export",
  group: "On one machine",
  summary: "write a tuned model, or its adapter, for other programs",
  description:
    "As a model: folds a LoRA adapter into its base, each adapted weight becoming W + (alpha / r)·B·A, and writes a plain Hugging Face " +
    "directory that needs no knowledge of LoRA.\n\n" +
    "As an adapter: joins the parts that the sides of a split model hold (bottom and top on a client, the trunk on the " +
    "server) into one PEFT adapter, and checks it against the base.",
  examples: [
    {
      line: "narrowband export --model models/base --adapter runs/alice --out runs/alice-model",
      explanation: "a plain model in the base's own element type",
    },
    {
      line: "narrowband export --as adapter --model models/base --adapter runs/alice --adapter runs/trunk --out runs/joined",
      explanation: "one PEFT adapter of a client's part and the server's",
    },
  ],
  json: "One object: the directory, what was written, its parameters.",
  options: z.strictObject({
    model: modelOption,
    adapter: option(z.array(path).min(1), {
      help: "directory of a PEFT LoRA adapter, or of a part of one",
      group: FILES_GROUP,
      value: "dir",
      splitsAtCommas: false,
    }),
    out: option(path, {
      help: "directory that is written to; made when it is missing",
      group: FILES_GROUP,
      value: "dir",
    }),
    as: option(z.enum(["model", "adapter"]).default("model"), {
      help: "what to write",
      group: FILES_GROUP,
      value: "form",
    }),
    dtype: option(z.enum(["same", "f32", "f16", "bf16"]).default("same"), {
      help: "element type of the model's weights; adapters are f32",
      group: FILES_GROUP,
      value: "type",
      defaultHelp: "same: the base's",
    }),
    overwrite: option(z.boolean().default(false), {
      help: "write over a model or an adapter that is there already",
      group: FILES_GROUP,
    }),
  }),
  async run(settings, context) {
    const { runExport } = await import("../local/export.ts");
    await runExport(settings, context);
  },
});
