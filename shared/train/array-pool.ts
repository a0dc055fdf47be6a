/**
 * Arrays that programs are run with, handed out and taken back, so that a step in steady state allocates nothing large. Shapes that come and go do
 * not add up: what is handed out and what waits here never hold more together than was once handed out at the same time.
 */
export class ArrayPool {
  /** By length; lengths in order of their last use, the oldest first. */
  readonly #free = new Map<number, Float32Array[]>();
  /** Elements that wait here, that are handed out, and the most that ever were. */
  #idle = 0;
  #lent = 0;
  #most = 0;

  /** An array of that many elements with any values. It must be given back, or all memory of it lost. */
  take(length: number): Float32Array {
    this.#lent += length;
    this.#most = Math.max(this.#most, this.#lent);
    const list = this.#free.get(length);
    const known = list?.pop();
    if (list?.length === 0) this.#free.delete(length);
    if (known !== undefined) this.#idle -= length;
    this.#trim();
    return known ?? new Float32Array(length);
  }

  /** Takes an array back; nobody else may go on using it. */
  give(array: Float32Array): void {
    const { length } = array;
    this.#lent = Math.max(0, this.#lent - length);
    this.#idle += length;
    const list = this.#free.get(length) ?? [];
    list.push(array);
    this.#free.delete(length);
    this.#free.set(length, list);
    this.#trim();
  }

  /** Takes back the f32 arrays among these. */
  giveAll(arrays: Readonly<Record<string, Float32Array | Int32Array>>): void {
    for (const array of Object.values(arrays)) if (array instanceof Float32Array) this.give(array);
  }

  /** Elements that are kept for later. */
  get idle(): number {
    return this.#idle;
  }

  #trim(): void {
    while (this.#idle + this.#lent > this.#most) {
      const [length, list] = this.#free.entries().next().value as [number, Float32Array[]];
      list.pop();
      this.#idle -= length;
      if (list.length === 0) this.#free.delete(length);
    }
  }
}
