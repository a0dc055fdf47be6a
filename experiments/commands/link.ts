/** `narrowband link`: a slow link on this machine. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import { seed } from "../../shared/command/shared-options.ts";
import { PROFILE_NAMES } from "../link/profiles.ts";

const NETWORK = "The network";
const LINK = "The link";

const rate = z.number().min(0).max(1e6).optional();
const milliseconds = z.number().min(0).max(600_000).optional();

export const linkCommand = defineCommand({
  name: "link",
  group: "Measure",
  summary: "stand between clients and a server as a slow network would",
  description:
    "Passes TCP connections on to a server, each as over a link of its own with a rate, a delay, jitter, losses and resets; up and down may " +
    "differ. No rights are needed. A profile sets them all, and the other options change what they name.\n\n" +
    "Losses are seen by TCP's users as pauses, and are made so: a lost segment holds up what follows by a round trip. Start one for each " +
    "client that is to have a link of its own.",
  examples: [
    {
      line: "narrowband link 127.0.0.1:8787 --profile dsl --port 9001",
      explanation: "clients then join ws://127.0.0.1:9001",
    },
    {
      line: "narrowband link 127.0.0.1:8787 --up-mbit 5 --down-mbit 50 --delay 30 --jitter 5 --loss 0.001",
      explanation: "a link of one's own",
    },
  ],
  json: 'Events "listening" with the address and "closed" for each connection with its bytes; at the end how many there were.',
  options: z.strictObject({
    target: option(z.string().min(1), {
      help: "where connections are passed on to",
      group: NETWORK,
      positional: true,
      accepts: "HOST:PORT",
      example: "127.0.0.1:8787",
    }),
    host: option(z.string().min(1).default("127.0.0.1"), {
      help: "address to listen on",
      group: NETWORK,
      value: "address",
    }),
    port: option(z.int().min(0).max(65_535).default(0), {
      help: "port to listen on; 0 takes a free one",
      group: NETWORK,
    }),
    profile: option(z.enum(PROFILE_NAMES).default("none"), {
      help: "a link by name; none neither slows nor delays",
      group: LINK,
      value: "name",
    }),
    upMbit: option(rate, {
      help: "megabits per second from clients to the server; 0 for no limit",
      group: LINK,
      defaultHelp: "the profile's",
    }),
    downMbit: option(rate, { help: "the same from the server", group: LINK, defaultHelp: "the profile's" }),
    delay: option(milliseconds, {
      help: "milliseconds one way; a round trip takes two",
      group: LINK,
      value: "ms",
      defaultHelp: "the profile's",
    }),
    jitter: option(milliseconds, {
      help: "milliseconds by which the delay varies either way",
      group: LINK,
      value: "ms",
      defaultHelp: "the profile's",
    }),
    loss: option(z.number().min(0).max(0.5).optional(), {
      help: "share of segments that are lost",
      group: LINK,
      defaultHelp: "the profile's",
    }),
    resetEvery: option(z.number().min(0).max(1e6).optional(), {
      help: "mean seconds until a connection is reset; 0: never",
      group: LINK,
      value: "s",
      defaultHelp: "the profile's",
    }),
    seed: option(seed, { help: "of jitter, losses and resets", group: LINK }),
  }),
  async run(settings, context) {
    const { runLink } = await import("../link/run.ts");
    await runLink(settings, context);
  },
});
