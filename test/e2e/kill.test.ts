/** A few kills of real processes; `npm run test:kill` has more. Needs the built package. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeRandomModel } from "../command/helpers.ts";
import { runJob } from "../kill/processes.ts";
import { random } from "../protocol/world.ts";

const KILLS = 5;
const root = mkdtempSync(join(tmpdir(), "narrowband-kill-"));

beforeAll(() => {
  execFileSync("npm", ["run", "--silent", "build"], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
}, 300_000);
afterAll(() => rmSync(root, { recursive: true }));

it(`${KILLS} kills at random moments change no bit of any adapter`, { timeout: 600_000 }, async () => {
  const model = await writeRandomModel(join(root, "model"));
  const data = join(root, "text.txt");
  writeFileSync(data, "zyxwvutsrqponmlkjihgfedcba".repeat(40));
  const shared = { cli: "dist/cli.js", model, data, steps: 30, random: random(7), log: () => {} };
  const calm = await runJob({ ...shared, directory: join(root, "calm"), kills: 0 });
  const killed = await runJob({ ...shared, directory: join(root, "killed"), kills: KILLS });
  expect(killed.kills).toBeGreaterThan(0);
  for (const [name, bytes] of killed.adapters) {
    expect(bytes.equals(calm.adapters.get(name)!), `the adapter of ${name}`).toBe(true);
  }
});
