/**
 * The bytes of frames are pinned: a change here is a change of the wire, which other languages speak too. golden/frames.txt has one frame a
 * line, its name and its bytes in hexadecimal.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { encodeFrame, parseFrame } from "../../shared/protocol/frame.ts";
import { FRAMES } from "./frames.ts";

const PATH = new URL("golden/frames.txt", import.meta.url);

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

if (process.env.NARROWBAND_WRITE_GOLDEN === "1") {
  const lines = Object.entries(FRAMES).map(([name, frame]) => `${name} ${hex(encodeFrame(frame))}\n`);
  writeFileSync(PATH, lines.join(""));
}

const golden = new Map(
  readFileSync(PATH, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" ") as [string, string]),
);

describe("golden frames", () => {
  it("are there for every frame of frames.ts, and for no other", () => {
    expect([...golden.keys()]).toEqual(Object.keys(FRAMES));
  });

  it.each(Object.keys(FRAMES))("%s is written as these bytes", (name) => {
    expect(hex(encodeFrame(FRAMES[name]))).toBe(golden.get(name));
  });

  it.each(Object.keys(FRAMES))("%s is read from these bytes", (name) => {
    const bytes = new Uint8Array(Buffer.from(golden.get(name)!, "hex"));
    expect(parseFrame(bytes, bytes.length)).toEqual(FRAMES[name]);
  });
});
