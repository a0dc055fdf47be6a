import { expect, it } from "vitest";
import { createEngine } from "../../shared/engine/registry.ts";
import { input, matmul, tanh } from "../../shared/graph/ops.ts";
import { numbers } from "../graph/operator-cases.ts";
import { relativeDifference } from "../tensors.ts";

it("engines on two TensorFlow.js backends run at the same time in one process", async () => {
  const size = 160;
  const x = input("x", [size, size]);
  let y = x;
  for (let i = 0; i < 20; i++) y = tanh(matmul(y, x, { alpha: 0.1 }));
  const program = { outputs: new Map([["y", y]]) };
  const feeds = { x: numbers("x", size * size) };
  // Long enough that each run gives way to the others several times.
  const engines = await Promise.all([createEngine("tfjs-cpu"), createEngine("tfjs-wasm")]);
  const executables = await Promise.all(engines.map((engine) => engine.compile(program)));
  const alone = await executables[0].run(feeds);
  const together = await Promise.all([0, 1, 0, 1, 0, 1].map((i) => executables[i].run(feeds)));
  for (const { y: result } of together) expect(relativeDifference(result, alone.y)).toBeLessThan(1e-5);
  for (const executable of executables) await executable.dispose();
});
