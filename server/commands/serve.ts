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
  DEFAULT_MAX_FAILED_STEPS,
  DEFAULT_REJOIN_GRACE_MS,
  HELLO_DEADLINE_MS,
  MAX_CLIENTS,
  MAX_MICRO_BATCHES,
  MAX_PENDING_HANDSHAKES,
  MAX_ROWS,
  MAX_STEPS,
  MAX_TOKENS,
} from "../../shared/protocol/limits.ts";
import { DEFAULT_MAX_CLIENT_NORM } from "../../shared/protocol/robust-sum.ts";
import {
  DEFAULT_CLIENT_BYTES_PER_SECOND,
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_MAX_CONNECTIONS_PER_ADDRESS,
  DEFAULT_SLOW_READER_MS,
} from "../limits.ts";

const NETWORK = "The network";
const JOB = "The job";
const SPLIT = "The split";
const LORA = "LoRA";
const OPTIMIZER = "The optimizer";
const CODEC = "What crosses the network";
const ROBUST = "Clients that mean harm";
const LIMITS = "Limits";

const count = z.int().min(1);
const milliseconds = z
  .int()
  .min(0)
  .max(24 * 3_600_000);

const CODEC_ACCEPTS =
  "f32, f16, fixed:BITS, amaq:START-TARGET, amaq:START-TARGET@STEPS, and what narrowband codec list shows";

/** The codec of one transfer, where it is not that of all activations or gradients. */
function phaseCodec(what: string, otherwise: string) {
  return option(z.string().min(1).optional(), {
    help: `codec of ${what}`,
    group: CODEC,
    value: "codec",
    accepts: `as in ${otherwise}`,
    example: "fixed:4",
    defaultHelp: `that of ${otherwise}`,
  });
}

export const serveCommand = defineCommand({
  name: "serve",
  group: "Train together",
  summary: "hold the trunk of a model, for clients to train with",
  description:
    "Serves a job, or several. The server reads only the trunk (the middle blocks) of a model, waits for clients, and trains LoRA adapters on it " +
    "with them; in a U-shaped split it never sees their text, their labels or their loss's inputs. All settings of the job are set " +
    "here, and clients learn them when they join.\n\n" +
    "Quantized codecs anneal: amaq:8-3 begins with 8 bits per element and ends with 3, over @STEPS steps or, when that is left out, " +
    "over 60 % of the job's. When the job is done, or at Ctrl-C, the trunk's adapter and a checkpoint are written to --out; with --resume the same command " +
    "goes on from there. At SIGTERM clients are told to come back, and wait for such a server; at Ctrl-C they end.\n\n" +
    "Without --tokens everybody who reaches the port may join; without --tls-cert what crosses the network can be read on its way, and tokens " +
    "are refused on addresses that others reach. docs/security.md says what is protected from whom.",
  examples: [
    {
      line: "narrowband serve --model models/base --jobs ward.yaml --jobs archive.yaml --unload-idle 600000",
      explanation: "two jobs on one port, each with its own cut, codecs and clients",
    },
    {
      line: "narrowband serve --model models/base --min-clients 2 --steps 200",
      explanation: "a job for two clients of this machine",
    },
    {
      line: "narrowband serve --model models/base --host 0.0.0.0 --tls-cert chain.pem --tls-key key.pem --tokens tokens.json",
      explanation: "for clients from outside, over TLS and with tokens",
    },
    {
      line: "narrowband serve --model models/base --activations fixed:4 --gradients f16",
      explanation: "four bits one way, sixteen the other",
    },
  ],
  json: 'Events "listening" with the address, "joined", "left", "round", "step"; each with its job; then the result with bytes and times, or { jobs } with that of each.',
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
      tlsClientCa: option(path.optional(), {
        help: "certificates, PEM: only clients with a certificate that one of them has signed are let in",
        group: NETWORK,
        value: "file",
        defaultHelp: "clients need no certificate",
      }),
      tokens: option(path.optional(), {
        help: "file with the hashes of the tokens that let clients in, which narrowband token writes",
        group: NETWORK,
        value: "file",
        defaultHelp: "everybody may join",
      }),
      allowPlaintextTokens: option(z.boolean().default(false), {
        help: "listen with --tokens but without TLS on an address that others reach, where a tunnel or a proxy protects the way",
        group: NETWORK,
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
      jobs: option(z.array(path).default([]), {
        help: "config file of one job, for several on this server; what it does not set is as it is set here, --out with the job's name behind it",
        group: JOB,
        value: "file",
        splitsAtCommas: false,
        defaultHelp: "one job, as it is set here",
      }),
      unloadIdle: option(milliseconds.default(0), {
        help: "milliseconds without work after which a job's weights are dropped, until they are needed again; 0: never",
        group: JOB,
        value: "ms",
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
      codecA1: phaseCodec(
        "activations on their way from the client's bottom to the trunk (A1)",
        "--activations",
      ),
      codecA2: phaseCodec(
        "activations on their way from the trunk to the client's top (A2)",
        "--activations",
      ),
      codecG2: phaseCodec("gradients on their way from the client's top to the trunk (G2)", "--gradients"),
      codecG1: phaseCodec("gradients on their way from the trunk to the client's bottom (G1)", "--gradients"),
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
      maxClientNorm: option(z.number().min(0).default(DEFAULT_MAX_CLIENT_NORM), {
        help: "norm of a client's gradient per token above which its step is refused; 0: never",
        group: ROBUST,
      }),
      clientClipNorm: option(z.number().min(0).default(0), {
        help: "norm that a client's mean gradient is scaled down to before it is added; 0: never",
        group: ROBUST,
      }),
      trim: option(z.number().min(0).lt(0.5).default(0), {
        help: "share of the clients left out at each end of every coordinate of the sum; 0: none",
        group: ROBUST,
        value: "share",
      }),
      maxFailedSteps: option(count.max(1_000_000).default(DEFAULT_MAX_FAILED_STEPS), {
        help: "steps in a row, refused or late, after which a client is shut out",
        group: ROBUST,
      }),
      retryAfter: option(milliseconds.default(5_000), {
        help: "milliseconds after which clients come back when SIGTERM ends the server; 0: they end too",
        group: NETWORK,
        value: "ms",
      }),
      maxConnections: option(count.max(MAX_CLIENTS).default(DEFAULT_MAX_CONNECTIONS), {
        help: "TCP connections, all together",
        group: LIMITS,
      }),
      maxConnectionsPerAddress: option(
        z.int().min(0).max(MAX_CLIENTS).default(DEFAULT_MAX_CONNECTIONS_PER_ADDRESS),
        {
          help: "TCP connections of one address (of a /64 network in IPv6); 0: no limit, as behind a proxy",
          group: LIMITS,
        },
      ),
      maxPending: option(count.max(MAX_CLIENTS).default(MAX_PENDING_HANDSHAKES), {
        help: "connections that wait to be let in",
        group: LIMITS,
      }),
      helloDeadline: option(milliseconds.min(10).default(HELLO_DEADLINE_MS), {
        help: "milliseconds from a connection's opening until it must have introduced itself",
        group: LIMITS,
        value: "ms",
      }),
      clientByteRate: option(z.int().min(0).default(DEFAULT_CLIENT_BYTES_PER_SECOND), {
        help: "bytes a second that a client may send; one that sends more is read more slowly; 0: no limit",
        group: LIMITS,
      }),
      clientStepRate: option(z.number().min(0).max(1_000_000).default(0), {
        help: "steps a second that a client may take; one that is faster is made to wait; 0: no limit",
        group: LIMITS,
      }),
      slowReader: option(milliseconds.min(100).default(DEFAULT_SLOW_READER_MS), {
        help: "milliseconds that a client may leave unread what it is sent before it is cut off",
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
      if (value.tlsClientCa !== undefined && value.tlsCert === undefined)
        wrong("tlsClientCa", "accepted with --tls-cert and --tls-key only");
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
