/** docs/security.md names options that there are, and limits as the code has them. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { COMMANDS } from "../../commands.ts";
import * as limits from "../../server/limits.ts";
import { optionSpecs } from "../../shared/command/option-spec.ts";
import {
  HELLO_DEADLINE_MS,
  MAX_FRAGMENTS,
  MAX_HELLO_BYTES,
  MAX_PENDING_HANDSHAKES,
} from "../../shared/protocol/limits.ts";
import { DEFAULT_MAX_CLIENT_NORM } from "../../shared/protocol/robust-sum.ts";

const page = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8");

it("the page of security names only options that some command has", () => {
  const names = new Set(
    COMMANDS.flatMap(({ options }) => optionSpecs(options).map(({ name }) => `--${name}`)),
  );
  for (const [flag] of page.matchAll(/--[a-z][a-z-]+/g)) expect(names, flag).toContain(flag);
});

it("the page of security has the limits of the code", () => {
  const row = (start: string): string => page.split("\n").find((line) => line.startsWith(`| ${start}`)) ?? "";
  const n = (value: number): string => value.toLocaleString("en");
  expect(row("TCP connections, all")).toContain(`| ${n(limits.DEFAULT_MAX_CONNECTIONS)} |`);
  expect(row("TCP connections of one")).toContain(`| ${limits.DEFAULT_MAX_CONNECTIONS_PER_ADDRESS} |`);
  expect(row("WebSockets that wait")).toContain(`| ${MAX_PENDING_HANDSHAKES} |`);
  expect(row("time from the upgrade")).toContain(`| ${HELLO_DEADLINE_MS / 1000} s |`);
  expect(row("bytes before Welcome")).toContain(`| ${n(MAX_HELLO_BYTES)} `);
  const { TLS_HANDSHAKE_MS, HTTP_HEADERS_MS, HTTP_REQUEST_MS } = limits;
  expect(row("time for a TLS")).toContain(
    [TLS_HANDSHAKE_MS, HTTP_HEADERS_MS, HTTP_REQUEST_MS].map((ms) => `${ms / 1000} s`).join(", "),
  );
  expect(row("HTTP headers, body")).toContain(
    `${limits.HTTP_HEADER_BYTES / 1024} KiB in ${limits.HTTP_HEADER_COUNT} headers, ${limits.HTTP_BODY_BYTES / 1024} KiB`,
  );
  expect(row("WebSocket fragments")).toContain(n(MAX_FRAGMENTS));
  expect(row("bytes a second of a client")).toContain(
    `${limits.DEFAULT_CLIENT_BYTES_PER_SECOND / 1e6} MB, ${limits.BYTE_BURST_SECONDS} s`,
  );
  expect(row("messages without work")).toContain(
    `${limits.CONTROL_MESSAGES_PER_SECOND} a second, ${limits.CONTROL_BURST} at once`,
  );
  expect(row("time that it may take")).toContain(`${limits.DEFAULT_SLOW_READER_MS / 1000} s`);
  expect(row("norm of a client's")).toContain(n(DEFAULT_MAX_CLIENT_NORM));
});
