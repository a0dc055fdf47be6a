/** `narrowband serve`: the server's side of a job. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import {
  engineOption,
  FILES_GROUP,
  jobName,
  modelOption,
  NAME_ACCEPTS,
  path,
  seed,
  threadsOption,
} from "../../shared/command/shared-options.ts";
import {
  DEFAULT_ABSENT_GRACE_MS,
  DEFAULT_HEARTBEAT_MS,
  DEFAULT_REJOIN_GRACE_MS,
  MAX_CLIENTS,
  MAX_MICRO_BATCHES,
  MAX_ROWS,
  MAX_STEPS,
  MAX_TOKENS,
} from "../../shared/protocol/limits.ts";

const NETWORK = "The network";
const JOB = "The job";
const SPLIT = "The split";
const LORA = "LoRA";
const OPTIMIZER = "The optimizer";
const CODEC = "What crosses the network";
const LIMITS = "Limits";

const count = z.int().min(1);
const milliseconds = z
  .int()
  .min(0)
  .max(24 * 3_600_000);

const CODEC_ACCEPTS =
  "f32, f16, fixed:BITS, amaq:START-TARGET, amaq:START-TARGET@STEPS, and what narrowband codec list shows";

export const serveCommand = defineCommand({
  name: "serve",
  group: "Train together",
  summary: "hold the trunk of a model, for clients to train with",
  description:
    "Serves one job. The server reads only the trunk (the middle blocks) of a model, waits for clients, and trains LoRA adapters on it " +
    "with them; in a U-shaped split it never sees their text, their labels or their loss's inputs. All settings of the job are set " +
    "here, and clients learn them when they join.\n\n" +
    "Quantized codecs anneal: amaq:8-3 begins with 8 bits per element and ends with 3, over @STEPS steps or, when that is left out, " +
    "over 60 % of the job's. When the job is done, or at Ctrl-C, the trunk's adapter and a checkpoint are written to --out; with --resume the same command " +
    "goes on from there.\n\n" +
    "Without --tokens everybody who reaches the port may join; without --tls-cert what crosses the network can be read on its way.",
  examples: [
    {
      line: "narrowband serve --model models/base --min-clients 2 --steps 200",
      explanation: "a job for two clients of this machine",
    },
    {
      line: "narrowband serve --model models/base --host 0.0.0.0 --tls-cert chain.pem --tls-key key.pem --tokens tokens.json",
      explanation: "for clients from outside, over TLS and with tokens",
    },
    {
      line: "narrowband serve --model models/base --tokens tokens.json --add-token alice",
      explanation: "make a token for a client, and print it once",
    },
    {
      line: "narrowband serve --model models/base --activations fixed:4 --gradients f16",
      explanation: "four bits one way, sixteen the other",
    },
  ],
  json: 'Events "listening" with the address, "joined", "left", "round", "step"; then the result with bytes and times.',
  options: z
    .strictObject({
      model: modelOption,
      out: option(path.default("runs/server"), {
        help: "directory that the trunk's adapter and checkpoints are written to",
        group: FILES_GROUP,
        value: "dir",
      }),
      resume: option(z.boolean().default(false), {
        help: "go on with the run in --out, also after the process was killed; clients come back by themselves",
        group: FILES_GROUP,
      }),
      host: option(z.string().min(1).default("127.0.0.1"), {
        help: "address to listen on; 0.0.0.0 for all of this machine's",
        group: NETWORK,
        value: "address",
      }),
      port: option(z.int().min(0).max(65_535).default(8787), {
        help: "port to listen on; 0 takes a free one",
        group: NETWORK,
      }),
      tlsCert: option(path.optional(), {
        help: "certificate chain, PEM",
        group: NETWORK,
        value: "file",
        defaultHelp: "no TLS",
      }),
      tlsKey: option(path.optional(), { help: "key of the certificate, PEM", group: NETWORK, value: "file" }),
      tokens: option(path.optional(), {
        help: "file with the hashes of the tokens that let clients in",
        group: NETWORK,
        value: "file",
        defaultHelp: "everybody may join",
      }),
      addToken: option(z.string().min(1).max(64).optional(), {
        help: "make a token for this holder, add its hash to the file of --tokens, print it, and end",
        group: NETWORK,
        value: "holder",
      }),
      origins: option(z.array(z.string().min(1)).default([]), {
        help: "origins that web pages may connect from",
        group: NETWORK,
        value: "url",
        defaultHelp: "none",
      }),
      job: option(jobName.default("default"), {
        help: "name of the job, which clients ask for",
        group: JOB,
        value: "name",
        accepts: NAME_ACCEPTS,
        example: "night-run",
        defaultHelp: '"default"',
      }),
      steps: option(count.max(MAX_STEPS).default(200), {
        help: "steps until the job is done: rounds in sync mode, of each client in sequential mode",
        group: JOB,
      }),
      mode: option(z.enum(["sync", "sequential"]).default("sync"), {
        help: "sync: one trunk step a round with all clients' gradients; sequential: one for each client's step as it comes",
        group: JOB,
        value: "mode",
        example: "sync",
      }),
      microBatches: option(count.max(MAX_MICRO_BATCHES).default(1), {
        help: "micro-batches in a step",
        group: JOB,
      }),
      inFlight: option(count.max(MAX_MICRO_BATCHES).default(2), {
        help: "micro-batches of a client that may be under way at once",
        group: JOB,
      }),
      aggregation: option(z.enum(["personal", "fedavg"]).default("personal"), {
        help: "whether clients keep their own adapters or have them averaged",
        group: JOB,
      }),
      averageEvery: option(count.max(MAX_STEPS).default(10), {
        help: "steps between averages, with --aggregation fedavg",
        group: JOB,
      }),
      minClients: option(count.max(MAX_CLIENTS).default(1), {
        help: "clients that the job waits for before its first step",
        group: JOB,
      }),
      quorum: option(count.max(MAX_CLIENTS).default(1), {
        help: "clients that it needs to go on",
        group: JOB,
      }),
      seed: option(seed, { help: "of everything random in the job", group: JOB }),
      checkpointEvery: option(z.int().min(0).default(50), {
        help: "steps between checkpoints, from which a killed run is replayed; 0: only at the end, and when the log is long",
        group: JOB,
      }),
      split: option(z.enum(["u-shape", "vanilla"]).default("u-shape"), {
        help: "u-shape: clients keep the last blocks, and labels never leave them; vanilla: the server has those, and is sent the labels",
        group: SPLIT,
      }),
      bottom: option(z.int().min(0).max(1024).default(1), {
        help: "blocks on the client before the first cut",
        group: SPLIT,
      }),
      top: option(z.int().min(0).max(1024).default(1), {
        help: "blocks behind the second cut",
        group: SPLIT,
      }),
      rank: option(z.int().min(1).max(1024).default(8), { help: "rank of the adapters", group: LORA }),
      alpha: option(z.number().positive().max(65_536).default(16), {
        help: "the update is scaled by alpha / rank",
        group: LORA,
      }),
      dropout: option(z.number().min(0).max(0.95).default(0), {
        help: "probability of dropping an element of an adapter's input in training",
        group: LORA,
      }),
      targetModules: option(
        z.union([z.literal("all-linear"), z.array(z.string().min(1)).min(1)]).default("all-linear"),
        {
          help: "linear layers that get adapters, by name as in PEFT",
          group: LORA,
          value: "names",
          accepts: "all-linear, or names such as q_proj,v_proj",
        },
      ),
      learningRate: option(z.number().min(0).max(10).default(2e-3), {
        help: "learning rate at its peak",
        group: OPTIMIZER,
      }),
      schedule: option(z.enum(["constant", "linear", "cosine"]).default("cosine"), {
        help: "how the learning rate falls after warm-up",
        group: OPTIMIZER,
      }),
      warmup: option(z.int().min(0).max(MAX_STEPS).default(5), {
        help: "steps over which it climbs to its peak",
        group: OPTIMIZER,
      }),
      finalFraction: option(z.number().min(0).max(1).default(0.1), {
        help: "share of the peak at which it ends",
        group: OPTIMIZER,
      }),
      beta1: option(z.number().min(0).lt(1).default(0.9), { help: "of AdamW", group: OPTIMIZER }),
      beta2: option(z.number().min(0).lt(1).default(0.999), { help: "of AdamW", group: OPTIMIZER }),
      epsilon: option(z.number().positive().max(1).default(1e-8), { help: "of AdamW", group: OPTIMIZER }),
      weightDecay: option(z.number().min(0).max(1).default(0), { help: "of AdamW", group: OPTIMIZER }),
      clipNorm: option(z.number().min(0).default(1), {
        help: "gradients of a segment are scaled down to this norm; 0: never",
        group: OPTIMIZER,
      }),
      activations: option(z.string().min(1).default("amaq:8-3"), {
        help: "codec of activations, both ways",
        group: CODEC,
        value: "codec",
        accepts: CODEC_ACCEPTS,
        example: "fixed:4",
      }),
      gradients: option(z.string().min(1).default("amaq:8-3"), {
        help: "codec of gradients, both ways",
        group: CODEC,
        value: "codec",
        accepts: CODEC_ACCEPTS,
        example: "f16",
      }),
      maxClients: option(count.max(MAX_CLIENTS).default(64), {
        help: "clients that may join",
        group: LIMITS,
      }),
      maxRows: option(count.max(MAX_ROWS).default(64), { help: "rows in a micro-batch", group: LIMITS }),
      maxRowTokens: option(count.max(MAX_TOKENS).optional(), {
        help: "tokens in a row",
        group: LIMITS,
        defaultHelp: "the model's longest sequence, at most 512",
      }),
      maxTokens: option(count.max(MAX_TOKENS).default(8192), {
        help: "tokens in a micro-batch",
        group: LIMITS,
      }),
      heartbeat: option(milliseconds.min(100).default(DEFAULT_HEARTBEAT_MS), {
        help: "milliseconds without a message after which a peer is asked for a sign of life",
        group: LIMITS,
        value: "ms",
      }),
      stepDeadline: option(milliseconds.default(300_000), {
        help: "milliseconds after which a client that is not done is left out of a step; 0: never",
        group: LIMITS,
        value: "ms",
      }),
      absentGrace: option(milliseconds.default(DEFAULT_ABSENT_GRACE_MS), {
        help: "milliseconds that the job waits for clients when fewer than the quorum are there",
        group: LIMITS,
        value: "ms",
      }),
      rejoinGrace: option(milliseconds.default(DEFAULT_REJOIN_GRACE_MS), {
        help: "milliseconds that a step waits for a client whose connection dropped; 0: it is left out at once",
        group: LIMITS,
        value: "ms",
      }),
      threads: threadsOption,
      engine: engineOption,
    })
    .check(({ value, issues }) => {
      const wrong = (key: keyof typeof value, message: string) =>
        issues.push({ code: "custom", input: value, path: [key], message });
      if ((value.tlsCert === undefined) !== (value.tlsKey === undefined))
        wrong(
          value.tlsCert === undefined ? "tlsCert" : "tlsKey",
          "accepted: --tls-cert and --tls-key together",
        );
      if (value.addToken !== undefined && value.tokens === undefined)
        wrong("tokens", "accepted with --add-token: the file that the token's hash is added to");
      if (value.quorum > value.maxClients)
        wrong("quorum", `accepted: up to --max-clients, ${value.maxClients}`);
      if (value.minClients > value.maxClients)
        wrong("minClients", `accepted: up to --max-clients, ${value.maxClients}`);
    }),
  async run(settings, context) {
    const { runServe } = await import("../serve/run.ts");
    await runServe(settings, context);
  },
});
