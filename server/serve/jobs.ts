/** Several jobs on one server: each has a config file of its own, and what that does not say is as for the server. */
import { join } from "node:path";
import { readConfigFile } from "../../shared/command/config-file.ts";
import { optionSpecs } from "../../shared/command/option-spec.ts";
import { configValues, refuseUnknownKeys, resolveSettings } from "../../shared/command/settings.ts";
import { fail } from "../../shared/errors.ts";
import { serveCommand } from "../commands/serve.ts";
import type { ServeSettings } from "./settings.ts";

/** Settings of the server as a whole, which no job can have for itself. */
const SERVER_WIDE: readonly (keyof ServeSettings)[] = [
  ...([
    "host",
    "port",
    "tlsCert",
    "tlsKey",
    "tlsClientCa",
    "tokens",
    "allowPlaintextTokens",
    "origins",
  ] as const),
  ...(["jobs", "retryAfter", "maxConnections", "maxConnectionsPerAddress", "maxPending"] as const),
  ...(["helloDeadline", "clientByteRate", "clientStepRate", "slowReader", "threads", "engine"] as const),
];

/**
 * The settings of each job of a server. Without `--jobs` there is one, the server's own.
 *
 * @throws NB_CONFIG_INVALID naming file and field; also when two jobs have one name or one directory.
 */
export async function jobSettings(settings: ServeSettings): Promise<ServeSettings[]> {
  if (settings.jobs.length === 0) return [settings];
  const specs = optionSpecs(serveCommand.options);
  const own = specs.filter(({ key }) => !SERVER_WIDE.includes(key as keyof ServeSettings));
  const common = configValues(specs, settings);
  const jobs: ServeSettings[] = [];
  for (const path of settings.jobs) {
    const file = await readConfigFile(path);
    refuseUnknownKeys(own, file);
    const name = typeof file.values.job === "string" ? file.values.job : settings.job;
    const values = { ...common, jobs: undefined, out: join(settings.out, name), ...file.values };
    const given = { flags: new Map(), environment: {}, file: { name: file.name, values } };
    jobs.push(resolveSettings(serveCommand.options, specs, given));
  }
  for (const key of ["job", "out"] as const) {
    const seen = new Set<string>();
    for (const job of jobs) {
      if (seen.has(job[key]))
        fail(
          "NB_CONFIG_INVALID",
          `--jobs: two jobs have the ${key} ${JSON.stringify(job[key])}; accepted: one each`,
        );
      seen.add(job[key]);
    }
  }
  return jobs;
}
