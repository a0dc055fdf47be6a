import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import type { Value } from "../../shared/graph/ir.ts";
import { OPERATOR_CASES } from "../graph/operator-cases.ts";
import { cotangentFor, gradientGraph, interpret } from "../graph/reference.ts";
import { relativeDifference } from "../tensors.ts";
import { ENGINES } from "./engines.ts";

describe.each(ENGINES)("%s", (_, { name, skip }) => {
  let engine: Engine;
  beforeAll(async () => {
    if (!skip) engine = await createEngine(name, { threads: 1 });
  });
  afterAll(() => engine?.dispose());

  it.skipIf(skip).each(OPERATOR_CASES.map((c) => [c.name, c] as const))(
    "computes %s and its gradients",
    async (_name, { output, wrt, feeds }) => {
      const outputs = new Map<string, Value>([["y", output]]);
      const gradients = wrt.length > 0 ? gradientGraph(output, wrt) : [];
      for (const [i, gradient] of gradients.entries()) outputs.set(`g${i}`, gradient);
      const given = { ...feeds, cotangent: cotangentFor(output) };
      const expected = interpret([...outputs.values()], given);
      const executable = await engine.compile({ outputs });
      const actual = await executable.run(given);
      [...outputs.keys()].forEach((key, i) => {
        expect(relativeDifference(actual[key], expected[i]), key).toBeLessThan(2e-6);
      });
      await executable.dispose();
    },
  );
});
