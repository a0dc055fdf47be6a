/** A client in another language, written from docs/wire.md and proto/wire.proto alone, takes part in a job. */
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { listening, tinyJob } from "./harness.ts";

const CLIENT = fileURLToPath(new URL("../oracle/wire_client.py", import.meta.url));
const hasPython =
  spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 8))"]).status === 0;

describe("a client in Python", () => {
  it.skipIf(!hasPython)("completes a job of the server", async () => {
    const { server, port } = await listening();
    const codecs = { A1: "f32", A2: "f32", G2: "f32", G1: "f32" };
    const { job } = tinyJob({ codecs, steps: 5 }, { minClients: 1 });
    server.addJob(job);
    const python = spawn("python3", [CLIENT, String(port)]);
    let [output, errors] = ["", ""];
    python.stdout.on("data", (data) => {
      output += data;
    });
    python.stderr.on("data", (data) => {
      errors += data;
    });
    const status = await new Promise((resolve) => python.on("exit", resolve));
    await server.close();
    expect([status, errors]).toEqual([0, ""]);
    expect(
      output
        .replace(/(commit \d) .*/g, "$1")
        .trim()
        .split("\n"),
    ).toEqual(["welcome 1 0 8", ...[0, 1, 2, 3, 4].map((step) => `commit ${step}`), "goodbye 1"]);
    const { up, down } = job.ledger.snapshot();
    expect([up.unattributed, down.unattributed]).toEqual([0, 0]);
  });
});
