/** What the jobs of one `narrowband serve` have in common: the port, the tokens, and the queue in which their trunks take turns. */
import type { CommandContext } from "../../shared/command/context.ts";
import { Server } from "../app.ts";
import { FairQueue } from "../fair-queue.ts";
import { TokenFile } from "../token-file.ts";
import { TokenStore } from "../tokens.ts";
import { type ServeSettings, serverLimitsOf } from "./settings.ts";

export interface SharedServer {
  readonly server: Server;
  readonly tokens: TokenStore | undefined;
  /** One engine serves all jobs, so their work is queued together: fairly, client by client, whichever job a client is of. */
  readonly queue: FairQueue;
  /** Whether there are several jobs. */
  readonly several: boolean;
  /** Says when the server may be reached. */
  readonly listening: Promise<{ readonly http: string; readonly ws: string; readonly port: number }>;
  /** To be called once all jobs are there. */
  listen(): Promise<void>;
}

export function shareServer(
  settings: ServeSettings,
  context: CommandContext,
  several: boolean,
): SharedServer {
  const { host, port, tlsCert, tlsKey, tlsClientCa, origins, allowPlaintextTokens } = settings;
  const { log } = context;
  const onProblem = (error: unknown): void => log.error(error, "nobody is let in");
  const tokens =
    settings.tokens === undefined ? undefined : new TokenStore(new TokenFile(settings.tokens), { onProblem });
  const server = new Server({
    host,
    port,
    tls:
      tlsCert === undefined || tlsKey === undefined
        ? undefined
        : { certFile: tlsCert, keyFile: tlsKey, clientCaFile: tlsClientCa },
    tokens,
    allowPlaintextTokens,
    origins,
    limits: serverLimitsOf(settings),
    onRefused: (code, message) => log.warn({ code }, message),
  });
  const { promise: listening, resolve } = withResolvers<Awaited<SharedServer["listening"]>>();
  return {
    server,
    tokens,
    queue: new FairQueue(),
    several,
    listening,
    listen: async () => resolve(await server.listen()),
  };
}

function withResolvers<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
