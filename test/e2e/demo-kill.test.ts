/** The demo whose processes are killed, and which is killed itself: it ends with the adapters of one that was let alone. Needs the built package. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const STEPS = 12;
const root = mkdtempSync(join(tmpdir(), "narrowband-demo-kill-"));

interface DemoJson {
  readonly adapters: Readonly<Record<string, string>>;
  readonly bytes: { readonly total: number };
  readonly clients: readonly { readonly heldOutLoss: { readonly tuned: number } }[];
}

beforeAll(() => {
  execFileSync("npm", ["run", "--silent", "build"], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
}, 300_000);
afterAll(() => rmSync(root, { recursive: true }));

/** A demo in a process group of its own. */
function startDemo(name: string, more: readonly string[] = []) {
  const sizes = ["--steps", String(STEPS), "--length", "48", "--rows", "2", "--held-out-tokens", "256"];
  const where = ["--out", join(root, name), "--json", join(root, `${name}.json`)];
  const child = spawn(process.execPath, ["dist/cli.js", "demo", ...sizes, ...where, ...more], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: process.platform !== "win32",
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  return { child, errors: () => errors };
}

async function endOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

function resultOf(name: string): DemoJson {
  return JSON.parse(readFileSync(join(root, `${name}.json`), "utf8")) as DemoJson;
}

/** Waits until the server has told of a step. */
async function stepTold(name: string, step: number): Promise<void> {
  const path = join(root, name, "server.events.jsonl");
  const told = () =>
    existsSync(path) && readFileSync(path, "utf8").includes(`"event":"step","job":"default","step":${step},`);
  for (let i = 0; i < 2_000 && !told(); i++) await new Promise((done) => setTimeout(done, 20));
  expect(told(), `step ${step}`).toBe(true);
}

function killPart(name: string, part: string): void {
  const { processes } = JSON.parse(readFileSync(join(root, name, "demo.json"), "utf8")) as {
    processes: Record<string, number>;
  };
  process.kill(processes[part], "SIGKILL");
}

it("a demo ends with the same adapters, whatever is killed", { timeout: 120_000 }, async () => {
  const calm = startDemo("calm");
  expect(await endOf(calm.child), calm.errors()).toBe(0);

  const first = startDemo("killed");
  await stepTold("killed", 2);
  killPart("killed", "ahab");
  await stepTold("killed", 4);
  killPart("killed", "server");
  await stepTold("killed", 7);
  process.kill(process.platform === "win32" ? first.child.pid! : -first.child.pid!, "SIGKILL");
  await endOf(first.child);
  expect(first.errors()).toMatch(/ahab ended with SIGKILL[\s\S]*server ended with SIGKILL/);
  expect(existsSync(join(root, "killed.json"))).toBe(false);

  const second = startDemo("killed", ["--resume"]);
  expect(await endOf(second.child), second.errors()).toBe(0);
  const [undisturbed, resumed] = [resultOf("calm"), resultOf("killed")];
  expect(resumed.adapters).toEqual(undisturbed.adapters);
  expect(Object.keys(resumed.adapters)).toEqual(["server", "ahab", "atlas"]);
  expect(resumed.clients.map(({ heldOutLoss }) => heldOutLoss)).toEqual(
    undisturbed.clients.map(({ heldOutLoss }) => heldOutLoss),
  );
  // All processes are counted: dropped connections cost bytes, but not a run's.
  expect(resumed.bytes.total / undisturbed.bytes.total).toBeGreaterThan(0.8);
  expect(resumed.bytes.total / undisturbed.bytes.total).toBeLessThan(1.5);
});
