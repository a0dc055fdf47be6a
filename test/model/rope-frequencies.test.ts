import { expect, it } from "vitest";
import { parseHfConfig, ropeInverseFrequencies } from "../../shared/model/config.ts";
import { failure, goldenJson } from "./helpers.ts";

interface Golden {
  cases: { name: string; config: unknown; inverseFrequencies: number[] }[];
}

const { cases } = goldenJson<Golden>("files", "rope.json");

it.each(cases)(
  "rotary frequencies of kind $name are those of transformers",
  ({ config, inverseFrequencies }) => {
    const ours = ropeInverseFrequencies(parseHfConfig(config));
    expect(ours).toHaveLength(inverseFrequencies.length);
    // Theirs are computed in f32, with a few roundings one after another.
    ours.forEach((value, i) => {
      expect(Math.abs(value / inverseFrequencies[i] - 1)).toBeLessThan(5e-7);
    });
  },
);

it("dynamic scaling changes nothing within the model's positions", () => {
  const base = cases.find(({ name }) => name === "default")!.config as Record<string, unknown>;
  const dynamic = { ...base, rope_parameters: { rope_type: "dynamic", rope_theta: 10000, factor: 4 } };
  expect(ropeInverseFrequencies(parseHfConfig(dynamic))).toEqual(ropeInverseFrequencies(parseHfConfig(base)));
});

it("a model with learned positions has none", async () => {
  const config = parseHfConfig(goldenJson("gpt2", "config.json"));
  await failure("NB_INTERNAL", () => ropeInverseFrequencies(config));
});
