/** Work is done one task at a time, in turns between owners. */
import { describe, expect, it } from "vitest";
import { FairQueue } from "../../server/fair-queue.ts";

function record() {
  const order: string[] = [];
  let running = 0;
  const task = (name: string, meanwhile?: () => void) => async () => {
    running++;
    expect(running).toBe(1);
    await Promise.resolve();
    meanwhile?.();
    order.push(name);
    running--;
  };
  const settled = async (): Promise<string[]> => {
    for (let i = 0; i < 50; i++) await Promise.resolve();
    return order;
  };
  return { task, settled };
}

describe("a fair queue", () => {
  it("takes turns between owners, whatever one of them has piled up", async () => {
    const { task, settled } = record();
    const queue = new FairQueue();
    for (const i of [1, 2, 3]) queue.push("a", task(`a${i}`));
    for (const i of [1, 2]) queue.push("b", task(`b${i}`));
    queue.push("c", task("c1"));
    expect(await settled()).toEqual(["a1", "a2", "b1", "c1", "a3", "b2"]);
  });

  it("does urgent work before all that waits", async () => {
    const { task, settled } = record();
    const queue = new FairQueue();
    queue.push(
      "a",
      task("a1", () => queue.pushUrgent(task("commit"))),
    );
    queue.push("b", task("b1"));
    expect(await settled()).toEqual(["a1", "commit", "b1"]);
  });

  it("forgets what waits for an owner that is gone", async () => {
    const { task, settled } = record();
    const queue = new FairQueue();
    queue.push(
      "b",
      task("b1", () => queue.clear("a")),
    );
    queue.push("a", task("a1"));
    expect(await settled()).toEqual(["b1"]);
    expect(queue.length).toBe(0);
  });
});
