import { describe, expect, it } from "vitest";
import { ArrayPool } from "../../shared/train/array-pool.ts";

describe("a pool of arrays", () => {
  it("hands out again what it was given back", () => {
    const pool = new ArrayPool();
    const [a, b] = [pool.take(8), pool.take(8)];
    expect(b).not.toBe(a);
    pool.giveAll({ a, b, ids: new Int32Array(4) });
    expect(pool.idle).toBe(16);
    const again = [pool.take(8), pool.take(8)];
    expect(new Set(again)).toEqual(new Set([a, b]));
    expect(pool.idle).toBe(0);
  });

  it("keeps no more than was once in use together, the lengths used last", () => {
    const pool = new ArrayPool();
    const step = (lengths: readonly number[]): Float32Array[] => {
      const arrays = lengths.map((length) => pool.take(length));
      for (const array of arrays) pool.give(array);
      return arrays;
    };
    step([10, 20]);
    expect(pool.idle).toBe(30);
    const other = step([12, 18]);
    expect(pool.idle).toBe(30);
    expect(new Set(step([12, 18]))).toEqual(new Set(other));
    for (let length = 1; length <= 30; length++) {
      step([length]);
      expect(pool.idle).toBeLessThanOrEqual(30);
    }
    // A larger step makes room for as much.
    step([100]);
    expect(pool.idle).toBe(100);
  });

  it("keeps an array in steady use while other lengths pass by", () => {
    const pool = new ArrayPool();
    const first = pool.take(50);
    pool.give(first);
    for (let i = 0; i < 20; i++) {
      const array = pool.take(50);
      expect(array).toBe(first);
      pool.give(array);
    }
  });
});
