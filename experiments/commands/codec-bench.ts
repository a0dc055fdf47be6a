/** `narrowband codec bench`: every codec on the same tensors. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import { FILES_GROUP, path } from "../../shared/command/shared-options.ts";

export const codecBenchCommand = defineCommand({
  name: "codec bench",
  group: "Codecs",
  summary: "compare every codec on tensors of a real run",
  description:
    "Takes tensors that a client captured (narrowband train --capture), has every codec encode them at every width and a decoder read the " +
    "bytes, and sets the bits per element, everything counted, against the error: of all elements, of the worst channel, and where " +
    "the loss gradient feels it.\n\n" +
    "It prints tables and writes codec-bench.html, with rate-distortion plots, and codec-bench.json into --out. Without --capture it takes " +
    "that of the bundled model on a page of Moby-Dick, whose messages are short: what is sent once for each message weighs more " +
    "there than in training.",
  examples: [
    { line: "narrowband codec bench", explanation: "the bundled capture, about a minute" },
    {
      line: "narrowband codec bench --capture runs/alice.nbcap",
      explanation: "tensors of your own model and text",
    },
    {
      line: 'narrowband codec bench --codec fixed:3 --codec "fixed:3,clip=none" --codec tah',
      explanation: "only these",
    },
  ],
  json: "The capture, and for each codec and stream of it the bits per element and errors; where the page is.",
  jsonFile: true,
  options: z.strictObject({
    capture: option(path.optional(), {
      help: "capture to compare on",
      group: FILES_GROUP,
      value: "file",
      defaultHelp: "that of the bundled model",
    }),
    codec: option(z.array(z.string().min(1)).default([]), {
      help: "a codec to compare, as narrowband codec list writes them",
      group: "The codecs",
      value: "codec",
      splitsAtCommas: false,
      example: "fixed:4",
      defaultHelp: "all, at all widths",
    }),
    out: option(path.default("runs/codec-bench"), {
      help: "directory of page and JSON",
      group: FILES_GROUP,
      value: "dir",
    }),
  }),
  async run(settings, context) {
    const { runCodecBench } = await import("../codec-bench/run.ts");
    await runCodecBench(settings, context);
  },
});
