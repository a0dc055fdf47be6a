/** `narrowband token`: who may join a server's jobs, and who may look. */
import { z } from "zod";
import { defineCommand, option } from "../../shared/command/definition.ts";
import { path } from "../../shared/command/shared-options.ts";
import { TOKEN_JOB, TOKEN_ROLES } from "../tokens.ts";

const TOKEN = "The token";
const FILES = "Files";

export const TOKEN_ACTIONS = ["create", "list", "revoke"] as const;

/** Hours or days, or a date. */
const EXPIRES = /^(never|[1-9]\d{0,4}[hd]|\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?)$/;

export const tokenCommand = defineCommand({
  name: "token",
  group: "Train together",
  summary: "create, list and revoke the tokens that let clients and observers in",
  description:
    "A token lets its holder into the jobs of a server that was started with --tokens. It is 32 random bytes, printed once when it is created; the " +
    "file keeps its SHA-256 only, with who holds it, the job and the role that it is good for, and when it expires. The file is replaced as a whole " +
    "and readable by its owner only.\n\n" +
    "A running server sees changes at once: a token that is revoked lets nobody in any more, and connections that were made with it " +
    "end within seconds.\n\n" +
    "Roles: a client takes part in a job; an observer reads the API and the metrics; an admin may do both, and stop jobs.",
  examples: [
    {
      line: "narrowband token create --tokens tokens.json --holder alice --job night-run",
      explanation: "a token with which alice may join one job, for 90 days",
    },
    {
      line: "narrowband token create --tokens tokens.json --holder prometheus --role observer --expires never",
      explanation: "one that reads the metrics of all jobs",
    },
    {
      line: "narrowband token list --tokens tokens.json",
      explanation: "who holds which, without the tokens",
    },
    {
      line: "narrowband token revoke --tokens tokens.json --holder alice",
      explanation: "shut alice out, also of a server that runs",
    },
  ],
  json: 'create: { token, record }; list: { tokens }, each with "expired"; revoke: { revoked }. No hashes are printed.',
  options: z
    .strictObject({
      action: option(z.enum(TOKEN_ACTIONS), {
        help: "what to do",
        group: TOKEN,
        positional: true,
      }),
      tokens: option(path.default("tokens.json"), {
        help: "file that the hashes of the tokens are kept in, as serve --tokens takes it",
        group: FILES,
        value: "file",
      }),
      holder: option(z.string().min(1).max(64).optional(), {
        help: "who holds the token: a name for people, of which a file has each once",
        group: TOKEN,
        value: "name",
        defaultHelp: "needed to create and revoke",
      }),
      job: option(z.string().regex(TOKEN_JOB).default("*"), {
        help: "job that the token is good for",
        group: TOKEN,
        value: "name",
        accepts: "a job's name, or * for all",
        example: "night-run",
      }),
      role: option(z.enum(TOKEN_ROLES).default("client"), {
        help: "what its holder may do",
        group: TOKEN,
      }),
      expires: option(z.string().regex(EXPIRES).default("90d"), {
        help: "when the token ceases to be good",
        group: TOKEN,
        value: "when",
        accepts: "hours or days from now such as 12h and 90d, a date in UTC such as 2030-01-31, or never",
        example: "30d",
      }),
    })
    .check(({ value, issues }) => {
      if (value.action !== "list" && value.holder === undefined)
        issues.push({
          code: "custom",
          input: value,
          path: ["holder"],
          message: `accepted with ${value.action}: a name`,
        });
    }),
  async run(settings, context) {
    const { runToken } = await import("../token/run.ts");
    await runToken(settings, context);
  },
});
