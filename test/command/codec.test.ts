/** `narrowband codec list` and `codec bench`, as they are typed. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ALLOCATORS } from "../../shared/codec/allocators/registry.ts";
import { CODECS } from "../../shared/codec/registry.ts";
import { temporaryDirectory } from "../model/helpers.ts";
import { run } from "./helpers.ts";

describe("narrowband codec list", () => {
  it("names every codec and allocator with its source", async () => {
    const { stdout, exit } = await run(["codec", "list", "--settings"]);
    expect(exit).toBe(0);
    for (const { name, wireId, summary, source, forms, schema } of CODECS) {
      expect(stdout).toContain(`${name} (number ${wireId}): ${summary}`);
      expect(stdout).toContain(forms);
      expect(stdout).toContain(source);
      for (const [setting, { description }] of Object.entries(schema.shape)) {
        if (setting === "codec") continue;
        expect(description, `${name}.${setting}`).toBeTruthy();
        expect(stdout).toContain(description);
      }
    }
    for (const { name, summary, source, settings } of ALLOCATORS) {
      const block = [`${name}: ${summary}`, `    settings ${settings.join(", ")}`, `    source   ${source}`];
      expect(stdout).toContain(block.join("\n"));
    }
  });

  it("gives scripts the same, settings as JSON Schema", async () => {
    const { stdout } = await run(["codec", "list", "--json"]);
    const { codecs, allocators } = JSON.parse(stdout.trim().split("\n").at(-1)!);
    expect(codecs.map((codec: { name: string }) => codec.name)).toEqual(CODECS.map(({ name }) => name));
    expect(allocators.map((one: { name: string }) => one.name)).toEqual(ALLOCATORS.map(({ name }) => name));
    for (const { name, settings } of ALLOCATORS) {
      const { options } = allocators.find((one: { name: string }) => one.name === name);
      expect(Object.keys(options)).toEqual(settings);
    }
    const amaq = codecs.find((codec: { name: string }) => codec.name === "amaq");
    const greedy = allocators.find((one: { name: string }) => one.name === "greedy");
    expect(greedy.options.hysteresis).toEqual(amaq.settings.hysteresis);
    expect(greedy.options.hysteresis).toMatchObject({ type: "number", default: 0.1, maximum: 8 });
    const fixed = codecs.find((codec: { name: string }) => codec.name === "fixed");
    expect(fixed).toMatchObject({
      wireId: 3,
      settings: { bits: { type: "integer", minimum: 2, maximum: 8 } },
    });
  });
});

describe("narrowband codec bench", () => {
  it("compares codecs on the capture that the package brings, and leaves page and numbers", async () => {
    const out = join(temporaryDirectory(), "bench");
    const { stdout, exit, stderr } = await run([
      "codec",
      "bench",
      "--out",
      out,
      "--codec",
      "fixpoint:4",
      "--codec",
      "aqsgd:4",
    ]);
    expect(exit, stderr).toBe(0);
    expect(stdout).toMatch(/fixpoint:4 +4\.\d+ /);
    expect(stdout).toMatch(/aqsgd:4 \(later visits\) +4\.\d+ /);
    const result = JSON.parse(readFileSync(join(out, "codec-bench.json"), "utf8"));
    expect(result).toMatchObject({
      format: "narrowband-codec-bench",
      version: 1,
      capture: { channels: 256 },
    });
    expect(result.rows.length).toBe(8);
    expect(existsSync(join(out, "codec-bench.html"))).toBe(true);
    const { stdout: described } = await run(["inspect", "models/base-6m/capture.nbcap"]);
    expect(described).toContain("of: base-6m, 1 + 4 + 1 blocks, u-shape");
    expect(described).toMatch(/G1 +f32 +3 +720/);
  });

  it("refuses what is no codec and what is no capture", async () => {
    const unknown = await run(["codec", "bench", "--codec", "zip"]);
    expect([unknown.exit, unknown.stderr]).toEqual([2, expect.stringContaining('"zip" is not known')]);
    const text = await run(["codec", "bench", "--capture", "package.json"]);
    expect([text.exit, text.stderr]).toEqual([2, expect.stringMatching(/NB_DATA_INVALID.*package\.json/)]);
    const missing = await run(["codec", "bench", "--capture", "nowhere.nbcap"]);
    expect([missing.exit, missing.stderr]).toEqual([2, expect.stringContaining("NB_FILE_UNREADABLE")]);
  });

  it("has help for both and for their name alone", async () => {
    const { stdout } = await run(["codec"]);
    expect(stdout).toContain("list");
    expect(stdout).toContain("bench");
  });
});
