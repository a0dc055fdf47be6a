import { afterEach, describe, expect, it, vi } from "vitest";
import { createEngine, ENGINE_NAMES, ENGINE_SUMMARIES, isEngineName } from "../../shared/engine/registry.ts";
import { ENGINES } from "./engines.ts";

const PACKAGE = "@tensorflow/tfjs-node";

describe("the registry of engines", () => {
  it("has the names that users give, each with a summary", () => {
    expect(ENGINE_NAMES).toEqual(["onnxruntime", "tfjs-cpu", "tfjs-wasm", "tfjs-node"]);
    expect(Object.keys(ENGINE_SUMMARIES)).toEqual([...ENGINE_NAMES]);
    expect(ENGINE_NAMES.every(isEngineName)).toBe(true);
  });

  it.each(["ort", "tfjs", "tensorflow", "OnnxRuntime", ""])(
    "refuses %j and lists what it accepts",
    async (name) => {
      await expect(createEngine(name)).rejects.toThrow(
        expect.objectContaining({
          code: "NB_CONFIG_INVALID",
          message: expect.stringContaining(ENGINE_NAMES.join(", ")),
        }),
      );
    },
  );
});

describe("tfjs-node, asked for by name", () => {
  afterEach(() => {
    vi.doUnmock(PACKAGE);
    vi.resetModules();
  });

  const unavailable = (reason: string) =>
    expect.objectContaining({
      code: "NB_ENGINE_UNAVAILABLE",
      message: expect.stringMatching(new RegExp(`${reason}.*npm install .*${PACKAGE}`, "s")),
    });

  const installed = ENGINES.some(([, { name, skip }]) => name === "tfjs-node" && !skip);
  it.skipIf(installed)("is refused with the way to install it where it is missing", async () => {
    await expect(createEngine("tfjs-node")).rejects.toThrow(unavailable(PACKAGE));
  });

  it("is refused with the reason where it is broken", async () => {
    vi.resetModules();
    vi.doMock(PACKAGE, () => {
      throw new Error("tfjs_binding.node cannot be found");
    });
    const registry = await import("../../shared/engine/registry.ts");
    await expect(registry.createEngine("tfjs-node")).rejects.toThrow(
      // vitest wraps what the mock throws; that the wrapper's words come through shows that the reason does.
      unavailable("cannot be loaded: .*error when mocking"),
    );
  });

  it.skipIf(installed)("is refused where the package loads but has no backend", async () => {
    vi.resetModules();
    vi.doMock(PACKAGE, () => ({ version: "4.22.0" }));
    const registry = await import("../../shared/engine/registry.ts");
    await expect(registry.createEngine("tfjs-node")).rejects.toThrow(
      expect.objectContaining({
        code: "NB_ENGINE_UNAVAILABLE",
        message: expect.stringContaining("tensorflow"),
      }),
    );
  });
});
