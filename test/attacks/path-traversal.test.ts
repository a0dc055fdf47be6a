/**
 * Names that would be paths: of jobs, clients, models, pages. Expected: refused by form, never joined to a path; static pages never leave their
 * directory. Shards of a model's index are in weight-index-paths.test.ts.
 */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { directoryFiles } from "../../shared/model/files-node.ts";
import { run } from "../command/helpers.ts";
import { failure, temporaryDirectory } from "../model/helpers.ts";
import { attacked, cleanUp, HELLO, RawPeer } from "../server/raw-peer.ts";
import { rawConnect } from "../server/raw-socket.ts";

afterEach(cleanUp);

const NAMES = [
  "../x",
  "..",
  ".hidden",
  "a/b",
  "a\\b",
  "/etc/passwd",
  "C:\\x",
  "a\u0000b",
  "a\nb",
  "",
  "x".repeat(65),
  "é",
];

describe("a name that is a path", () => {
  it.each(NAMES)("%j is no job's or client's on the wire", async (name) => {
    const { ws } = await attacked();
    for (const change of [{ job: name }, { name }]) {
      const peer = new RawPeer(ws);
      await peer.send({ ...HELLO, ...change });
      expect((await peer.closed).code).toBe(4400);
      expect(peer.received.at(-1)).toMatchObject({ code: "NB_FRAME_MALFORMED" });
    }
  });

  it.each(NAMES.slice(0, 5))("%j is refused by the commands", async (name) => {
    for (const args of [
      ["serve", "--model", "m", "--job", name],
      ["train", "ws://127.0.0.1:1", "--model", "m", "--data", "d.txt", "--name", name],
      ["token", "create", "--holder", "x", "--job", name],
    ]) {
      const { exit, stderr } = await run([...args, "--print-config"]);
      expect(exit, args.join(" ")).toBe(2);
      expect(stderr).toContain("NB_CONFIG_INVALID");
    }
  });

  it("is no file of a model", async () => {
    const files = directoryFiles(temporaryDirectory());
    for (const name of ["../config.json", "sub/config.json", "/etc/passwd"])
      await failure("NB_INTERNAL", () => files.open(name));
  });
});

describe("a path of a URL", () => {
  it("never leaves the directory of the pages, also raw and also encoded", async () => {
    const outside = temporaryDirectory();
    const pages = join(outside, "pages");
    mkdirSync(join(pages, ".git"), { recursive: true });
    writeFileSync(join(outside, "secret.txt"), "SECRET");
    writeFileSync(join(pages, ".git", "config"), "SECRET");
    writeFileSync(join(pages, "index.html"), "welcome");
    const { port, http } = await attacked({ pages });
    expect(await (await fetch(`${http}/`)).text()).toBe("welcome");
    for (const path of [
      "/../secret.txt",
      "/..%2fsecret.txt",
      "/%2e%2e/secret.txt",
      "/..\\secret.txt",
      "/..%5csecret.txt",
      "//secret.txt",
      "/.git/config",
      "/%2egit/config",
      "/index.html/../../secret.txt",
      `/${encodeURIComponent(join(outside, "secret.txt"))}`,
      "/api/jobs/..%2f..%2fsecret.txt",
    ]) {
      const { socket, ended } = await rawConnect(port);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      const answer = (await ended).toString("latin1");
      expect(answer, path).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answer, path).not.toContain("SECRET");
    }
  });
});

describe("a file that is none", () => {
  it("a link to nowhere, a directory or a pipe in a model's place is an error, not a wait", async () => {
    const directory = temporaryDirectory();
    symlinkSync(join(directory, "nowhere"), join(directory, "dangling.json"));
    mkdirSync(join(directory, "folder.json"));
    const files = directoryFiles(directory);
    expect(await files.open("dangling.json")).toBeUndefined();
    await failure("NB_FILE_UNREADABLE", () => files.open("folder.json"));
    if (process.platform === "win32") return;
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [join(directory, "pipe.json")]);
    await failure("NB_FILE_UNREADABLE", () => files.open("pipe.json"));
  });
});
