/** Progress: bars on a terminal, lines elsewhere. */
import { PassThrough } from "node:stream";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createProgress } from "../../shared/command/progress.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("progress where there is no terminal", () => {
  it("is a line now and then, and one at the end", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    let written = "";
    const progress = await createProgress({ write: (text) => (written += text) });
    const bar = progress.bar("client", 100);
    for (let step = 1; step <= 100; step++) {
      vi.advanceTimersByTime(100);
      bar.update(step, `loss ${step}`);
    }
    progress.stop();
    // 100 steps of 100 ms: at once, every five seconds, and the last.
    expect(written.trim().split("\n")).toEqual([
      "client 1/100  loss 1",
      "client 51/100  loss 51",
      "client 100/100  loss 100",
    ]);
  });
});

describe("progress on a terminal", () => {
  async function terminal() {
    const stream = Object.assign(new PassThrough(), {
      isTTY: true,
      columns: 120,
      rows: 40,
      getWindowSize: () => [120, 40],
      cursorTo: () => {},
      moveCursor: () => {},
      clearLine: () => {},
      clearScreenDown: () => {},
    });
    let written = "";
    stream.on("data", (chunk: Buffer) => {
      written += chunk.toString();
    });
    return { progress: await createProgress(stream as never), text: () => written };
  }

  it("is a bar for each that takes part, with what is behind it", async () => {
    const { progress, text } = await terminal();
    progress.bar("server", 10).update(5, "loss 4.2 | 3.00 bits");
    progress.bar("client", 10).update(10, "done");
    progress.stop();
    expect(text()).toMatch(/server +█{12}░{12} 5\/10 {2}loss 4\.2 \| 3\.00 bits/);
    expect(text()).toMatch(/client +█{24} 10\/10 {2}done/);
  });

  it("leaves the terminal alone once it is stopped, however often that is", async () => {
    const { progress, text } = await terminal();
    progress.bar("server", 10).update(5, "");
    progress.stop();
    const before = text();
    progress.stop();
    expect(text()).toBe(before);
    progress.line("a remark");
    expect(text()).toBe(`${before}a remark\n`);
  });
});
