/**
 * Which addresses never leave the machine, and the rule that a token goes to others only inside TLS: whoever can read a token
 * on its way can join in its holder's place.
 */
import { fail } from "../errors.ts";

/** Whether a host, as in a URL or in a listening address, is this machine itself: localhost, 127.0.0.0/8 or ::1. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1") return true;
  return /^(::ffff:)?127(\.\d{1,3}){3}$/.test(name);
}

/** NB_TOKEN_PLAINTEXT when a token would go to `url` (ws: or wss:) where others can read it. */
export function refusePlaintextToken(url: URL): void {
  if (url.protocol === "wss:" || isLoopback(url.hostname)) return;
  fail(
    "NB_TOKEN_PLAINTEXT",
    `a token was not sent to ${url.host}, because ${url.protocol}// can be read on its way; accepted: wss://, this machine, or --allow-plaintext-tokens`,
  );
}
