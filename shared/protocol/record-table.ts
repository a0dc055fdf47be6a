/**
 * Records by number as a persistent tree: a change copies the few nodes above it and leaves every earlier table as it was, so that a state with
 * ten thousand clients changes at the cost of one with ten. Each record is of some kinds, bits of a mask. The table counts the
 * records of each, and finds those of a kind without looking at the others.
 */

const BITS = 5;
const WIDTH = 1 << BITS;
const LAST = WIDTH - 1;

/** Bit that every record has; the first kind of a table's user is 2. */
const PRESENT = 1;

/** Below the root's level are nodes, in the leaves records. A slot's mask joins the kinds of all records below it; 0: there are none. */
interface Node {
  readonly slots: readonly unknown[];
  readonly masks: readonly number[];
}

const EMPTY: Node = { slots: new Array(WIDTH).fill(undefined), masks: new Array(WIDTH).fill(0) };

function joined(masks: readonly number[]): number {
  let all = 0;
  for (let i = 0; i < WIDTH; i++) all |= masks[i];
  return all;
}

/** The node with a record put in, or, with `kinds` 0, taken out. */
function changed(node: Node, shift: number, key: number, record: unknown, kinds: number): Node {
  const slot = (key >>> shift) & LAST;
  const slots = node.slots.slice();
  const masks = node.masks.slice();
  if (shift === 0) {
    slots[slot] = record;
    masks[slot] = kinds;
  } else {
    const child = (node.slots[slot] as Node | undefined) ?? EMPTY;
    const next = changed(child, shift - BITS, key, record, kinds);
    masks[slot] = joined(next.masks);
    slots[slot] = masks[slot] === 0 ? undefined : next;
  }
  return { slots, masks };
}

export class RecordTable<T extends object> {
  readonly #root: Node;
  /** Of the root's slots in a key: 0 while the root is a leaf. */
  readonly #shift: number;
  /** Of records by bit of their masks. */
  readonly #counts: readonly number[];

  private constructor(root: Node, shift: number, counts: readonly number[]) {
    this.#root = root;
    this.#shift = shift;
    this.#counts = counts;
  }

  static empty<T extends object>(): RecordTable<T> {
    return new RecordTable<T>(EMPTY, 0, [0]);
  }

  get size(): number {
    return this.#counts[0];
  }

  get(key: number): T | undefined {
    const leaf = this.#leaf(key);
    return leaf?.slots[key & LAST] as T | undefined;
  }

  has(key: number): boolean {
    return this.get(key) !== undefined;
  }

  /** Mask of a record's kinds; 0 when there is none. */
  kinds(key: number): number {
    return (this.#leaf(key)?.masks[key & LAST] ?? 0) & ~PRESENT;
  }

  /** The table with `record` at `key`, an unsigned 32-bit integer. `kinds` is a mask of bits 1 to 30. */
  with(key: number, record: T, kinds = 0): RecordTable<T> {
    let root = this.#root;
    let shift = this.#shift;
    while (shift + BITS < 32 && key >>> (shift + BITS) !== 0) {
      const all = joined(root.masks);
      root = { slots: EMPTY.slots.with(0, all === 0 ? undefined : root), masks: EMPTY.masks.with(0, all) };
      shift += BITS;
    }
    return this.#replaced(root, shift, key, record, kinds | PRESENT);
  }

  /** The table without a record at `key`. */
  without(key: number): RecordTable<T> {
    return this.has(key) ? this.#replaced(this.#root, this.#shift, key, undefined, 0) : this;
  }

  /** How many records are of the kind whose bit is `kind`. */
  count(kind: number): number {
    return this.#counts[31 - Math.clz32(kind)] ?? 0;
  }

  /** Keys and records in order of key, of those that are of a kind. */
  entries(kind: number = PRESENT): [number, T][] {
    const found: [number, T][] = [];
    const visit = ({ slots, masks }: Node, shift: number, prefix: number): void => {
      for (let slot = 0; slot < WIDTH; slot++) {
        if ((masks[slot] & kind) === 0) continue;
        const key = prefix + slot * 2 ** shift;
        if (shift === 0) found.push([key, slots[slot] as T]);
        else visit(slots[slot] as Node, shift - BITS, key);
      }
    };
    visit(this.#root, this.#shift, 0);
    return found;
  }

  /** The record of a kind that has the lowest key. */
  first(kind: number): T | undefined {
    let node = this.#root;
    for (let shift = this.#shift; ; shift -= BITS) {
      const slot = node.masks.findIndex((mask) => (mask & kind) !== 0);
      if (slot < 0) return undefined;
      if (shift === 0) return node.slots[slot] as T;
      node = node.slots[slot] as Node;
    }
  }

  toJSON(): [number, T][] {
    return this.entries();
  }

  #leaf(key: number): Node | undefined {
    let shift = this.#shift;
    if (shift + BITS < 32 && key >>> (shift + BITS) !== 0) return undefined;
    let node: Node | undefined = this.#root;
    for (; shift > 0 && node !== undefined; shift -= BITS)
      node = node.slots[(key >>> shift) & LAST] as Node | undefined;
    return node;
  }

  #replaced(root: Node, shift: number, key: number, record: T | undefined, mask: number): RecordTable<T> {
    const before = this.#leaf(key)?.masks[key & LAST] ?? 0;
    const counts = this.#counts.slice();
    for (let changes = before ^ mask; changes !== 0; ) {
      const bit = 31 - Math.clz32(changes);
      changes ^= 1 << bit;
      while (counts.length <= bit) counts.push(0);
      counts[bit] += (mask >>> bit) & 1 ? 1 : -1;
    }
    return new RecordTable<T>(changed(root, shift, key, record, mask), shift, counts);
  }
}
