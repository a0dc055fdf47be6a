/**
 * Tokens looked for where they must not be: logs at their chattiest, events, errors, printed settings, run logs, checkpoints. Expected: nowhere but
 * in what `token create` prints.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createToken } from "../../server/tokens.ts";
import { run, writeRandomModel } from "../command/helpers.ts";
import { temporaryDirectory } from "../model/helpers.ts";

/** All that files under a directory hold, as text. */
function everything(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).isFile() && !path.includes("/model/"))
    .map((path) => readFileSync(path, "latin1"))
    .join("\n");
}

describe("a token", () => {
  it("is in no log, event, error or file of server and client, good or bad", async () => {
    const directory = temporaryDirectory();
    const model = await writeRandomModel(join(directory, "model"));
    const data = join(directory, "text.txt");
    writeFileSync(data, "zyxwvutsrqponmlkjihgfedcba".repeat(20));
    const tokens = join(directory, "tokens.json");
    const made = await run(["token", "create", "--tokens", tokens, "--holder", "alice"]);
    const good = made.stdout.trim();
    const bad = createToken({ id: "mallory" }).token;
    const revoked = (await run(["token", "create", "--tokens", tokens, "--holder", "bob"])).stdout.trim();
    await run(["token", "revoke", "--tokens", tokens, "--holder", "bob"]);

    const log = (name: string) => [
      "--log-level",
      "trace",
      "--log-file",
      join(directory, `${name}.log`),
      "--json",
    ];
    let url: (url: string) => void = () => {};
    const listening = new Promise<string>((resolve) => {
      url = resolve;
    });
    const small = ["--steps", "2", "--rank", "2", "--max-row-tokens", "64", "--threads", "1", "--port", "0"];
    const server = run(
      [
        "serve",
        "--model",
        model,
        "--out",
        join(directory, "server"),
        "--tokens",
        tokens,
        ...small,
        ...log("server"),
      ],
      { onStdout: (text) => /"ws":"([^"]+)"/.exec(text)?.[1] && url(/"ws":"([^"]+)"/.exec(text)![1]) },
    );
    const address = await listening;
    const train = (token: string, name: string, ...more: string[]) =>
      run(
        [
          ...[
            "train",
            address,
            "--model",
            model,
            "--data",
            data,
            "--out",
            join(directory, name),
            "--name",
            name,
          ],
          ...["--rows", "1", "--length", "16", "--threads", "1", ...log(name), ...more],
        ],
        { env: { NARROWBAND_TOKEN: token } },
      );
    const outputs = [
      await train(bad, "mallory"),
      await train(revoked, "bob"),
      await train(good, "printed", "--print-config"),
      await train(good, "alice"),
      await server,
    ];
    expect(outputs.map(({ exit }) => exit)).toEqual([3, 3, 0, 0, 0]);
    const said = outputs.map(({ stdout, stderr }) => stdout + stderr).join("\n") + everything(directory);
    expect(said).toContain("NB_AUTH_REFUSED");
    for (const token of [good, bad, revoked]) {
      // Nor any part of it that would be worth something.
      for (let at = 3; at + 12 <= token.length; at += 4) expect(said).not.toContain(token.slice(at, at + 12));
      expect(said).not.toContain(Buffer.from(token).toString("base64").slice(0, 24));
    }
  });
});
