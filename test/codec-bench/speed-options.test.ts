/** `npm run bench:codec` says what it accepts, before it measures anything. */
import { afterEach, expect, it, vi } from "vitest";

const argv = process.argv;

afterEach(() => {
  process.argv = argv;
  vi.restoreAllMocks();
  vi.resetModules();
});

/** What the bench writes to stderr, and the code that it exits with. */
async function bench(...args: string[]): Promise<[code: unknown, text: string]> {
  let text = "";
  let exit: unknown;
  vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  vi.spyOn(process, "exit").mockImplementation((code) => {
    exit = code;
    throw new Error("exit");
  });
  process.argv = ["node", "bench", ...args];
  await expect(import("../../experiments/bench/codec.ts")).rejects.toThrow("exit");
  return [exit, text];
}

it.each([
  [["--shape", "1x1"], /--shape.*1x1.*1024x576, 2048x4096, 128x256/],
  [["--bits", "9"], /--bits.*9.*2, 3, 4, 8, mixed/],
  [["--only", "amoq"], /--only amoq has no codec; accepted: the beginning of fixed, .*amaq/],
  [["--only", "fixed", "--bits", "mixed"], /--only fixed has no codec with --bits mixed/],
] as const)("refuses %j, and names what is accepted", async (args, message) => {
  const [code, text] = await bench(...args);
  expect(code).toBe(1);
  expect(text).toMatch(message);
});
