import { describe, expect, it } from "vitest";
import { documentCount, splitHeldOut, type TokenDataset } from "../../shared/data/token-dataset.ts";
import { failure } from "../model/helpers.ts";
import { asciiDataset, shown, text } from "./helpers.ts";

const documents = (data: TokenDataset) =>
  Array.from({ length: documentCount(data) }, (_, d) =>
    shown(data.ids.subarray(data.starts[d], data.starts[d + 1])),
  );

describe("holding out", () => {
  it("takes whole documents when there are many", async () => {
    const all = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i).repeat(3));
    const data = await asciiDataset(all.map(text));
    const { train, heldOut } = splitHeldOut(data, 0.1, 1);
    expect(documents(heldOut)).toHaveLength(3);
    expect([...documents(train), ...documents(heldOut)].toSorted()).toEqual(all.map((d) => `${d}$`));
    expect(documents(splitHeldOut(data, 0.1, 1).heldOut)).toEqual(documents(heldOut));
    expect(documents(splitHeldOut(data, 0.1, 2).heldOut)).not.toEqual(documents(heldOut));
  });

  it("takes the end of each document when there are few", async () => {
    const data = await asciiDataset([text("abcdefghi"), text("jklmnopqr")]);
    const { train, heldOut } = splitHeldOut(data, 0.3, 1);
    expect(documents(train)).toEqual(["abcdefg", "jklmnop"]);
    expect(documents(heldOut)).toEqual(["hi$", "qr$"]);
  });

  it("keeps what is a prompt a prompt", async () => {
    const data = await asciiDataset([{ kind: "completion", prompt: "abcdef", completion: "ghi" }]);
    const { train, heldOut } = splitHeldOut(data, 0.4, 1);
    expect([...train.learned, ...heldOut.learned]).toEqual([...data.learned]);
  });

  it("refuses a fraction that leaves nothing, and data too small to part", async () => {
    const data = await asciiDataset([text("abc")]);
    for (const fraction of [0, 0.6, -1, Number.NaN])
      await failure("NB_CONFIG_INVALID", () => splitHeldOut(data, fraction, 0));
    await failure("NB_DATA_INVALID", () => splitHeldOut(data, 0.1, 0));
  });
});
