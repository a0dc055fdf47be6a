/** From what is set for `narrowband serve` to the job that clients are told. */
import { describe, expect, it } from "vitest";
import { serveCommand } from "../../server/commands/serve.ts";
import { codecText, jobConfigOf, jobPolicyOf, type ServeSettings } from "../../server/serve/settings.ts";
import { jobConfigSchema } from "../../shared/protocol/job-config.ts";
import { FRAME_SLACK_BYTES } from "../../shared/protocol/limits.ts";
import { failure } from "../model/helpers.ts";
import { SUCCESSOR_CONFIG } from "./helpers.ts";

const FINGERPRINTS = { model: "m", tokenizer: "t" };

function settings(change: Partial<ServeSettings> = {}): ServeSettings {
  return { ...serveCommand.options.parse({ model: "models/some" }), ...change };
}

describe("a job's settings", () => {
  it("follow from the defaults and the model", () => {
    const job = jobConfigOf(settings(), SUCCESSOR_CONFIG, FINGERPRINTS);
    expect(jobConfigSchema.parse(job)).toEqual(job);
    expect(job.model).toEqual({
      name: "models/some",
      fingerprint: "m",
      tokenizerFingerprint: "t",
      hidden: 272,
      bottomBlocks: 1,
      trunkBlocks: 1,
      topBlocks: 1,
      vocabulary: 257,
    });
    expect(job.codecs).toEqual({
      A1: "amaq:8-3@120",
      A2: "amaq:8-3@120",
      G2: "amaq:8-3@120",
      G1: "amaq:8-3@120",
    });
    // The model's longest sequence is below the usual limit.
    expect(job.maxRowTokens).toBe(64);
    expect(job.maxFrameBytes).toBe(8192 * 272 * 4 + FRAME_SLACK_BYTES);
    // No more micro-batches under way than a step has.
    expect(job.inFlight).toBe(1);
    expect(job.lora.targetModules).toEqual([]);
  });

  it("name layers and codecs as given", () => {
    const given = settings({
      targetModules: ["q_proj", "v_proj"],
      activations: "fixed:4",
      gradients: "amaq:6-4@9",
    });
    const { lora, codecs } = jobConfigOf(given, SUCCESSOR_CONFIG, FINGERPRINTS);
    expect(lora.targetModules).toEqual(["q_proj", "v_proj"]);
    expect(codecs).toEqual({ A1: "fixed:4", A2: "fixed:4", G2: "amaq:6-4@9", G1: "amaq:6-4@9" });
  });

  it("name a codec for one transfer, which wins over that of all activations or gradients", () => {
    const given = settings({
      activations: "fixed:4",
      codecA2: "amaq:8-3",
      gradients: "f16",
      codecG1: "fixed:3",
    });
    const { codecs } = jobConfigOf(given, SUCCESSOR_CONFIG, FINGERPRINTS);
    expect(codecs).toEqual({ A1: "fixed:4", A2: "amaq:8-3@120", G2: "f16", G1: "fixed:3" });
  });

  it.each([
    ["a cut that leaves the trunk nothing", { bottom: 2, top: 1 }, "cut"],
    ["a layer that the model has not", { targetModules: ["c_attn"] }, "c_attn"],
    ["a codec that is none", { gradients: "amaq:9" }, "amaq:9"],
    ["a codec that is none, of one transfer", { codecG2: "amaq:9" }, "amaq:9"],
    ["rows longer than the model takes", { maxRowTokens: 65 }, "--max-row-tokens"],
  ] as const)("refuse %s", async (_, change, named) => {
    const given = settings(change as Partial<ServeSettings>);
    expect(
      await failure("NB_CONFIG_INVALID", () => jobConfigOf(given, SUCCESSOR_CONFIG, FINGERPRINTS)),
    ).toContain(named);
  });
});

describe("an anneal that is given no length", () => {
  it("takes 60 % of the job's steps, at least one", () => {
    expect(codecText("amaq", 200)).toBe("amaq:8-3@120");
    expect(codecText("amaq:6-4", 50)).toBe("amaq:6-4@30");
    expect(codecText("amaq:8-3", 1)).toBe("amaq:8-3@1");
    expect(codecText("amaq:8-3@7", 200)).toBe("amaq:8-3@7");
    expect(codecText("f16", 200)).toBe("f16");
  });
});

describe("a job's policy", () => {
  it("is what was set", () => {
    expect(jobPolicyOf(settings({ minClients: 3, quorum: 2, maxClients: 9, absentGrace: 5 }))).toMatchObject({
      minClients: 3,
      quorum: 2,
      maxClients: 9,
      absentGraceMs: 5,
    });
  });
});
