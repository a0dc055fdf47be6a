/** The demo as a newcomer runs it, built and in real processes, only shorter: `npm run test:e2e`. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRunLog, runLogPath } from "../../shared/ledger/run-log-node.ts";

const STEPS = 10;
const directory = mkdtempSync(join(tmpdir(), "narrowband-demo-"));
const out = join(directory, "demo");
const jsonFile = join(directory, "demo.json");

interface DemoJson {
  seconds: number;
  clients: { name: string; heldOutLoss: { base: number; tuned: number; unsplitF32: number } }[];
  bytes: { total: number; f32: number; f16: number; int8: number };
  bitsPerElement: { first: number; last: number; mean: number };
}

let json: DemoJson;

beforeAll(() => {
  execFileSync("npm", ["run", "--silent", "build"], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  const args = ["dist/cli.js", "demo", "--steps", String(STEPS), "--out", out, "--json", jsonFile];
  const ran = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 240_000 });
  expect(ran.status, ran.stderr).toBe(0);
  json = JSON.parse(readFileSync(jsonFile, "utf8"));
}, 300_000);
afterAll(() => rmSync(directory, { recursive: true }));

describe("the demo", () => {
  it("makes both clients' held-out loss smaller, near to what the unsplit run reaches", () => {
    expect(json.clients.map(({ name }) => name)).toEqual(["ahab", "atlas"]);
    for (const { heldOutLoss } of json.clients) {
      expect(heldOutLoss.tuned).toBeLessThan(heldOutLoss.base);
      expect(Math.abs(heldOutLoss.tuned / heldOutLoss.unsplitF32 - 1)).toBeLessThan(0.02);
    }
  });

  it("sends at least 2.5 times fewer bytes than f16, everything counted, and anneals from 8 bits to 3", () => {
    expect(json.bytes.f16 / json.bytes.total).toBeGreaterThan(2.5);
    expect(json.bytes.f32).toBe(2 * json.bytes.f16);
    expect(json.bytes.f16).toBe(2 * json.bytes.int8);
    expect(json.bitsPerElement.first).toBe(8);
    expect(json.bitsPerElement.last).toBeCloseTo(3, 1);
  });

  it("leaves adapters and a whole run log of every process", () => {
    for (const name of ["server", "ahab", "atlas"]) {
      expect(readdirSync(join(out, name))).toContain("adapter_model.safetensors");
      const { records, torn } = readRunLog(runLogPath(join(out, name)));
      expect(records.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i));
      expect(torn).toBe(false);
    }
  });

  it("writes a report that needs nothing from anywhere else", () => {
    const html = readFileSync(join(out, "report.html"), "utf8");
    expect(html).toContain("<svg");
    expect(html).not.toMatch(/(?:src|href)="https?:/);
  });
});
