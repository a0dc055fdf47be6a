/** `narrowband codec list`: what can be written where a codec is asked for. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";

export const codecListCommand = defineCommand({
  name: "codec list",
  group: "Codecs",
  summary: "name every codec and allocator, with settings and sources",
  description:
    "Lists the codecs that narrowband serve --activations and --gradients accept, in the forms in which they are written, with the paper, " +
    "standard or program that each follows; and the allocators that share out the bits of amaq. A codec is written NAME or " +
    "NAME:ARGUMENT, and either may be followed by ,setting=value as often as needed. With --settings every setting is listed.",
  examples: [
    { line: "narrowband codec list", explanation: "names, forms, sources" },
    {
      line: "narrowband codec list --settings",
      explanation: "and every setting with its values and default",
    },
    { line: "narrowband codec list --json", explanation: "the same for scripts, settings as JSON Schema" },
  ],
  json: "codecs, each with name, wireId, summary, source, forms, examples and settings as JSON Schema; allocators with name, summary, source and options, those settings of amaq that make a difference to them.",
  jsonFile: true,
  options: z.strictObject({
    settings: option(z.boolean().default(false), {
      help: "list the settings of each codec",
      group: "What is shown",
    }),
  }),
  async run(settings, context) {
    const { runCodecList } = await import("../codec-bench/list.ts");
    await runCodecList(settings, context);
  },
});
