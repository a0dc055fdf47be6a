/** What `narrowband link` does. */
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes } from "../../shared/command/format.ts";
import { fail } from "../../shared/errors.ts";
import type { linkCommand } from "../commands/link.ts";
import { type LinkDirection, type LinkProfile, PROFILES } from "./profiles.ts";
import { LinkProxy } from "./proxy.ts";

export type LinkSettings = z.output<typeof linkCommand.options>;

/** HOST:PORT, with an IPv6 address in brackets. NB_CONFIG_INVALID. */
export function parseTarget(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535)
    return fail("NB_CONFIG_INVALID", `target: ${JSON.stringify(text)} was given; accepted: HOST:PORT`);
  return { host: match[1] ?? match[2], port };
}

/** The profile with what the options change of it. */
export function profileOf(settings: LinkSettings): LinkProfile {
  const base = PROFILES[settings.profile];
  const direction = (of: LinkDirection, megabits: number | undefined): LinkDirection => ({
    bitsPerSecond: megabits === undefined ? of.bitsPerSecond : megabits * 1e6,
    delayMs: settings.delay ?? of.delayMs,
    jitterMs: settings.jitter ?? of.jitterMs,
    loss: settings.loss ?? of.loss,
  });
  return {
    up: direction(base.up, settings.upMbit),
    down: direction(base.down, settings.downMbit),
    resetEverySeconds: settings.resetEvery ?? base.resetEverySeconds,
  };
}

export function describeProfile({ up, down, resetEverySeconds }: LinkProfile): string {
  const rate = ({ bitsPerSecond }: LinkDirection) =>
    bitsPerSecond === 0 ? "unlimited" : `${bitsPerSecond / 1e6} Mbit/s`;
  const parts = [`${rate(up)} up`, `${rate(down)} down`, `${up.delayMs + down.delayMs} ms there and back`];
  if (up.jitterMs > 0) parts.push(`± ${up.jitterMs} ms each way`);
  if (up.loss > 0) parts.push(`${100 * up.loss} % lost`);
  if (resetEverySeconds > 0) parts.push(`a reset every ${resetEverySeconds} s`);
  return parts.join(", ");
}

export async function runLink(settings: LinkSettings, context: CommandContext): Promise<void> {
  const target = parseTarget(settings.target);
  const profile = profileOf(settings);
  const { signal } = context;
  let connections = 0;
  const bytes = { up: 0, down: 0 };
  const proxy = new LinkProxy({
    target,
    profile,
    seed: settings.seed,
    onClosed: (closed) => {
      connections++;
      bytes.up += closed.upBytes;
      bytes.down += closed.downBytes;
      context.event("closed", { ...closed });
      context.note(
        `connection ${closed.number + 1}: ${formatBytes(closed.upBytes)} up, ${formatBytes(closed.downBytes)} down${closed.reset ? ", reset" : ""}`,
      );
    },
  });
  const port = await proxy.listen(settings.host, settings.port);
  context.event("listening", { host: settings.host, port, profile });
  context.note(
    `${settings.host}:${port} leads to ${settings.target}: ${describeProfile(profile)}. Ctrl-C ends it.`,
  );
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });
  await proxy.close();
  await context.result({ connections, upBytes: bytes.up, downBytes: bytes.down });
}
