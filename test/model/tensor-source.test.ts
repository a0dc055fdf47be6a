import { describe, expect, it } from "vitest";
import { type ByteSource, MemoryBytes } from "../../shared/model/byte-source.ts";
import { writeSafetensors } from "../../shared/model/safetensors.ts";
import {
  MemoryTensors,
  readTensor,
  SafetensorsFile,
  ShardedTensors,
  SharedTensors,
} from "../../shared/model/tensor-source.ts";
import { failure } from "./helpers.ts";

const values = (n: number, from: number) => Float32Array.from({ length: n }, (_, i) => from + i);
const TENSORS = new Map([
  ["a", { shape: [2, 3], data: values(6, 0) }],
  ["b", { shape: [4], data: values(4, 10) }],
  ["c", { shape: [1, 2, 2], data: values(4, 20) }],
]);

/** Writes down what is read. */
class Recorded implements ByteSource {
  readonly reads: [number, number][] = [];
  closed = false;
  readonly #inner: ByteSource;

  constructor(bytes: Uint8Array) {
    this.#inner = new MemoryBytes("test.safetensors", bytes);
  }

  get name() {
    return this.#inner.name;
  }

  get size() {
    return this.#inner.size;
  }

  read(begin: number, end: number): Promise<Uint8Array> {
    this.reads.push([begin, end]);
    return this.#inner.read(begin, end);
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

describe("one safetensors file", () => {
  it("reads the bytes of the tensor that is asked for, and no others", async () => {
    const bytes = new Recorded(writeSafetensors(TENSORS));
    const file = await SafetensorsFile.open(bytes);
    const { dataBegin } = file.header;
    expect(bytes.reads).toEqual([
      [0, 8],
      [0, dataBegin],
    ]);
    expect(await file.read("b")).toEqual(values(4, 10));
    expect(bytes.reads.slice(2)).toEqual([[dataBegin + 24, dataBegin + 40]]);
    await file.close();
    expect(bytes.closed).toBe(true);
  });

  it("is closed again when its header is refused", async () => {
    const bytes = new Recorded(new Uint8Array(20));
    await failure("NB_SAFETENSORS_HEADER", () => SafetensorsFile.open(bytes));
    expect(bytes.closed).toBe(true);
  });

  it("names a tensor that is missing, and the file that it is missing from", async () => {
    const file = await SafetensorsFile.open(new Recorded(writeSafetensors(TENSORS)));
    expect(await failure("NB_TENSOR_MISSING", () => file.read("d"))).toBe(
      'tensor "d" is not in test.safetensors',
    );
  });

  it("refuses a tensor of another shape than the model's", async () => {
    const file = await SafetensorsFile.open(new Recorded(writeSafetensors(TENSORS)));
    expect(await readTensor(file, "a", [2, 3])).toEqual(values(6, 0));
    expect(await failure("NB_MODEL_INVALID", () => readTensor(file, "a", [3, 2]))).toContain("[2, 3]");
    await failure("NB_MODEL_INVALID", () => readTensor(file, "a", [2, 3, 1]));
  });
});

describe("shards behind an index", () => {
  const shards = new Map([
    ["one", "1.safetensors"],
    ["two", "2.safetensors"],
  ]);

  it("opens a shard when the first of its tensors is asked for, and once", async () => {
    const opened: string[] = [];
    const source = new ShardedTensors("index", shards, async (file) => {
      opened.push(file);
      const name = file === "1.safetensors" ? "one" : "two";
      return new MemoryTensors(new Map([[name, { shape: [1], data: Float32Array.of(7) }]]));
    });
    expect([...source.names()]).toEqual(["one", "two"]);
    expect(source.has("two")).toBe(true);
    expect(opened).toEqual([]);
    await Promise.all([source.shape("two"), source.read("two")]);
    expect(await source.read("two")).toEqual(Float32Array.of(7));
    expect(opened).toEqual(["2.safetensors"]);
    await source.close();
  });

  it("says which tensor an index lacks", async () => {
    const source = new ShardedTensors("the index", shards, async () => new MemoryTensors(new Map()));
    expect(await failure("NB_TENSOR_MISSING", () => source.read("three"))).toContain("the index");
    // A shard that does not hold what the index says.
    await failure("NB_TENSOR_MISSING", () => source.read("one"));
  });
});

it("reading tensors of memory gives copies", async () => {
  const source = new MemoryTensors(TENSORS);
  const first = await source.read("a");
  first.fill(9);
  expect(await source.read("a")).toEqual(values(6, 0));
});

describe("shared tensors", () => {
  it("are read once, and are the same array for all", async () => {
    const bytes = new Recorded(writeSafetensors(TENSORS));
    const shared = new SharedTensors(await SafetensorsFile.open(bytes));
    const [one, two] = await Promise.all([shared.read("a"), shared.read("a")]);
    expect(two).toBe(one);
    expect(await shared.read("a")).toBe(one);
    expect(one).toEqual(values(6, 0));
    expect(bytes.reads.length).toBe(3);
    expect([...shared.names()]).toEqual(["a", "b", "c"]);
    expect([await shared.shape("a"), await shared.dtype("a"), shared.has("d")]).toEqual([
      [2, 3],
      "F32",
      false,
    ]);
    await failure("NB_TENSOR_MISSING", () => shared.read("d"));
    await shared.close();
    expect(bytes.closed).toBe(true);
  });
});
