/** A segment that is not used gives its weights back, and computes the same when it is used again. */
import { describe, expect, it } from "vitest";
import { UnloadingTrunk } from "../../server/unloading.ts";
import { inProcess, tinyClient, tinyJob } from "./harness.ts";
import { TinyTrunk } from "./tiny-segments.ts";

const AT = { step: 0, microBatch: 0, training: true };
const INPUT = Float32Array.of(1, 2, 3, 4);
const LENGTHS = Int32Array.of(2);

/** Timers that fire when the test says so. */
class Clock {
  readonly #due = new Set<() => void>();
  readonly setTimer = (_ms: number, callback: () => void): (() => void) => {
    this.#due.add(callback);
    return () => this.#due.delete(callback);
  };
  pass(): void {
    for (const callback of [...this.#due]) {
      this.#due.delete(callback);
      callback();
    }
  }
}

function unloading() {
  const clock = new Clock();
  let loads = 0;
  const changes: boolean[] = [];
  const load = async () => {
    loads += 1;
    return new TinyTrunk(2);
  };
  const options = {
    load,
    idleMs: 1_000,
    setTimer: clock.setTimer,
    onChange: (on: boolean) => changes.push(on),
  };
  return { trunk: new UnloadingTrunk(new TinyTrunk(2), options), clock, changes, loads: () => loads };
}

async function step(trunk: TinyTrunk | UnloadingTrunk, number: number): Promise<void> {
  const { saved } = await trunk.forward(INPUT, LENGTHS, AT);
  await trunk.backward(saved!, Float32Array.of(0.5, -1, 2, number));
  await trunk.optimizerStep(number, 2);
}

describe("a segment that may unload", () => {
  it("drops its weights after a time without work, keeps its state, and goes on as if nothing had been", async () => {
    const reference = new TinyTrunk(2);
    const { trunk, clock, changes, loads } = unloading();
    for (let number = 0; number < 4; number++) {
      await step(reference, number);
      await step(trunk, number);
      clock.pass();
      expect(trunk.loaded).toBe(false);
      expect(trunk.adapters()).toEqual(reference.adapters());
      expect(trunk.saveState()).toEqual(reference.saveState());
    }
    expect(loads()).toBe(3);
    expect(changes).toEqual([false, true, false, true, false, true, false]);
  });

  it("keeps them while a forward pass waits for its backward pass, or is released", async () => {
    const { trunk, clock } = unloading();
    const first = await trunk.forward(INPUT, LENGTHS, AT);
    const second = await trunk.forward(INPUT, LENGTHS, AT);
    clock.pass();
    expect(trunk.loaded).toBe(true);
    first.saved!.release();
    first.saved!.release();
    clock.pass();
    expect(trunk.loaded).toBe(true);
    await trunk.backward(second.saved!, INPUT);
    clock.pass();
    expect(trunk.loaded).toBe(false);
  });

  it("takes gradients while they are away, and steps with them", async () => {
    const reference = new TinyTrunk(2);
    const { trunk, clock } = unloading();
    const gradients = new Map(
      [...reference.gradients()].map(([name, { shape }]) => [name, { shape, data: Float32Array.of(1, 2) }]),
    );
    clock.pass();
    for (const segment of [reference, trunk]) {
      segment.addGradients(gradients);
      segment.addGradients(gradients);
      await segment.optimizerStep(0, 4);
    }
    expect(trunk.adapters()).toEqual(reference.adapters());
  });

  it("does not lose gradients that were there when they went", async () => {
    const reference = new TinyTrunk(2);
    const { trunk, clock } = unloading();
    for (const segment of [reference, trunk]) {
      const { saved } = await segment.forward(INPUT, LENGTHS, AT);
      await segment.backward(saved!, INPUT);
    }
    clock.pass();
    expect(trunk.loaded).toBe(false);
    for (const segment of [reference, trunk]) await segment.optimizerStep(0, 2);
    expect(trunk.adapters()).toEqual(reference.adapters());
  });

  it("serves a job whose trunk ends as one that was there all the time", async () => {
    const calm = tinyJob();
    await Promise.all([0, 1].map((index) => tinyClient(index, inProcess(calm.job)).edge.run()));
    let inner = new TinyTrunk(8);
    let unloads = 0;
    // It is dropped whenever it is idle, however short.
    const setTimer = (_ms: number, callback: () => void): (() => void) => {
      let waits = true;
      queueMicrotask(() => waits && callback());
      return () => {
        waits = false;
      };
    };
    const trunk = new UnloadingTrunk(inner, {
      load: async () => {
        inner = new TinyTrunk(8);
        return inner;
      },
      idleMs: 0,
      setTimer,
      onChange: (on) => {
        if (!on) unloads += 1;
      },
    });
    const { job } = tinyJob({}, {}, { trunk });
    await Promise.all([0, 1].map((index) => tinyClient(index, inProcess(job)).edge.run()));
    expect(unloads).toBeGreaterThan(0);
    expect(trunk.adapters()).toEqual(calm.trunk.adapters());
    await trunk.dispose();
  });
});
