/** The sentences say what the numbers are. */
import { describe, expect, it } from "vitest";
import type { RunReport } from "../../experiments/report/run-report.ts";
import { lossGap, realTokens, summarySentences } from "../../experiments/report/summary.ts";
import { syntheticReport } from "./synthetic.ts";

const report: RunReport = {
  ...syntheticReport(2, 100),
  bytes: { total: 50_000_000, f32: 400_000_000, f16: 200_000_000, int8: 100_000_000 },
  bitsPerElement: { first: 8, last: 3.01, mean: 4.567 },
};
const text = summarySentences(report).join("\n");

describe("the summary", () => {
  it("gives losses, perplexities and the cost of splitting for each client", () => {
    const first = {
      ...report,
      clients: [
        { ...report.clients[0], heldOut: { tokens: 1000, base: Math.log(100), tuned: 4, unsplitF32: 3.95 } },
      ],
    };
    const sentences = summarySentences(first).join("\n");
    expect(sentences).toContain("ahab: held-out loss fell from 4.605 to 4.000 nats per token");
    expect(sentences).toContain("perplexity 100.0 to 54.6, 1,000 tokens");
    expect(sentences).toContain("reached 3.950: splitting and squeezing cost +1.27 %");
    expect(lossGap(first.clients[0])).toBeCloseTo(4 / 3.95 - 1, 12);
  });

  it("does not call a rise a fall", () => {
    const worse = {
      ...report,
      clients: [{ ...report.clients[0], heldOut: { tokens: 9, base: 4, tuned: 5 } }],
    };
    expect(summarySentences(worse).join("\n")).toContain("held-out loss rose from 4.000 to 5.000");
  });

  it("compares bytes with what bare tensors would take", () => {
    expect(realTokens(report)).toBe(2 * 100 * 1024);
    expect(text).toContain(
      "50.0 MB crossed the network for 204,800 tokens, everything counted: 244 bytes per token",
    );
    expect(text).toContain("8.00 × as much in f32, 4.00 × in f16 and 2.00 × in int8");
  });

  it("gives the bits of the first step, the last and the run, and the budget", () => {
    expect(text).toContain(
      "from 8.00 bits per element in the first step to 3.01 in the last; the mean over the run is 4.57. The budget was 3.",
    );
  });

  it("says where the clients' time went, in shares that make a whole", () => {
    const timed = {
      ...report,
      clients: report.clients.map((client) => ({
        ...client,
        timeMs: { compute: 500, codec: 25, link: 475 },
      })),
    };
    expect(summarySentences(timed).join("\n")).toContain(
      "50 % went into computing, 2.5 % into the codec, and 48 % into waiting",
    );
  });

  it("names model and split", () => {
    expect(text).toContain("2 clients and a server fine-tuned models/base (5,868,800 parameters)");
    expect(text).toContain("U-shaped split: 1 + 1 of 6 blocks on each client, 4 on the server");
  });
});
