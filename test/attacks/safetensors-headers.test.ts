/** Headers that were written to hurt whoever reads them. Each must be refused by its code, at once. */
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../../shared/errors.ts";
import {
  headerLength,
  MAX_HEADER_BYTES,
  parseSafetensorsHeader,
  readSafetensors,
} from "../../shared/model/safetensors.ts";
import { failure, safetensorsBytes } from "../model/helpers.ts";

const f32 = (begin: number, end: number, shape: number[] = [(end - begin) / 4]) =>
  JSON.stringify({ dtype: "F32", shape, data_offsets: [begin, end] });

/** [what it tries, code, header, data bytes] */
const HEADERS: [string, ErrorCode, string, number][] = [
  ["two tensors share bytes", "NB_SAFETENSORS_LAYOUT", `{"a":${f32(0, 8)},"b":${f32(4, 12)}}`, 12],
  ["one tensor lies within another", "NB_SAFETENSORS_LAYOUT", `{"a":${f32(0, 12)},"b":${f32(4, 8)}}`, 12],
  ["two tensors are the same bytes", "NB_SAFETENSORS_LAYOUT", `{"a":${f32(0, 8)},"b":${f32(0, 8)}}`, 8],
  ["a hole hides bytes between tensors", "NB_SAFETENSORS_LAYOUT", `{"a":${f32(0, 4)},"b":${f32(8, 12)}}`, 12],
  ["a hole hides bytes in front", "NB_SAFETENSORS_LAYOUT", `{"a":${f32(4, 8)}}`, 8],
  ["bytes hide behind the last tensor", "NB_SAFETENSORS_LAYOUT", `{"a":${f32(0, 4)}}`, 8],
  ["a file of nothing but hidden bytes", "NB_SAFETENSORS_LAYOUT", "{}", 8],
  [
    "a tensor ends before it begins",
    "NB_SAFETENSORS_LAYOUT",
    `{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}`,
    8,
  ],
  ["a tensor reaches beyond the file", "NB_SAFETENSORS_TRUNCATED", `{"a":${f32(0, 4096)}}`, 8],
  ["a shape larger than its bytes", "NB_SAFETENSORS_LAYOUT", `{"a":${f32(0, 8, [1000000])}}`, 8],
  [
    "a shape whose product wraps round in 64 bits",
    "NB_SAFETENSORS_LAYOUT",
    `{"a":${f32(0, 8, [2 ** 32, 2 ** 32, 2])}}`,
    8,
  ],
  [
    "a shape beyond exact numbers",
    "NB_SAFETENSORS_HEADER",
    `{"a":{"dtype":"F32","shape":[1e300],"data_offsets":[0,8]}}`,
    8,
  ],
  ["a negative dimension", "NB_SAFETENSORS_HEADER", `{"a":${f32(0, 8, [-1, -2])}}`, 8],
  ["a fractional dimension", "NB_SAFETENSORS_HEADER", `{"a":${f32(0, 8, [0.5, 4])}}`, 8],
  [
    "a negative offset",
    "NB_SAFETENSORS_HEADER",
    `{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}`,
    8,
  ],
  ["three offsets", "NB_SAFETENSORS_HEADER", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}`, 8],
  [
    "offsets as text",
    "NB_SAFETENSORS_HEADER",
    `{"a":{"dtype":"F32","shape":[2],"data_offsets":["0","8"]}}`,
    8,
  ],
  ["a thousand dimensions", "NB_SAFETENSORS_HEADER", `{"a":${f32(0, 4, Array(1000).fill(1))}}`, 4],
  ["an unknown type", "NB_SAFETENSORS_DTYPE", `{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}`, 4],
  [
    "a type from Object's prototype",
    "NB_SAFETENSORS_DTYPE",
    `{"a":{"dtype":"constructor","shape":[1],"data_offsets":[0,4]}}`,
    4,
  ],
  ["one name twice", "NB_SAFETENSORS_HEADER", `{"a":${f32(0, 4)},"a":${f32(0, 4)}}`, 4],
  ["one name twice, once escaped", "NB_SAFETENSORS_HEADER", `{"a":${f32(0, 4)},"\\u0061":${f32(0, 4)}}`, 4],
  [
    "one name twice, far from its colon",
    "NB_SAFETENSORS_HEADER",
    `{"a":${f32(0, 4)},"a"${" ".repeat(5000)}:${f32(0, 4)}}`,
    4,
  ],
  [
    "one field twice, so that two readers differ",
    "NB_SAFETENSORS_HEADER",
    `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"dtype":"I32"}}`,
    4,
  ],
  ["metadata twice", "NB_SAFETENSORS_HEADER", `{"__metadata__":{},"__metadata__":{"x":"y"}}`, 0],
  ["metadata that is not text", "NB_SAFETENSORS_HEADER", `{"__metadata__":{"x":{"y":1}}}`, 0],
  [
    "a field that the format does not know",
    "NB_SAFETENSORS_HEADER",
    `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}`,
    4,
  ],
  ["a tensor that is a list", "NB_SAFETENSORS_HEADER", `{"a":[]}`, 0],
  ["white space before the brace", "NB_SAFETENSORS_HEADER", ` {}`, 0],
  ["a list instead of an object", "NB_SAFETENSORS_HEADER", `[{}]`, 0],
  ["something after the object", "NB_SAFETENSORS_HEADER", `{}{}`, 0],
  ["an object that never ends", "NB_SAFETENSORS_HEADER", `{"a":`, 0],
  [
    "a hundred thousand nested lists",
    "NB_SAFETENSORS_HEADER",
    `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    0,
  ],
];

describe("safetensors headers", () => {
  it.each(HEADERS)("%s: %s", async (_, code, header, size) => {
    await failure(code, () => readSafetensors(safetensorsBytes(header, new Uint8Array(size))));
  });

  it("a declared length of 2^63 is refused before anything is allocated", async () => {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setBigUint64(0, 2n ** 63n, true);
    await failure("NB_SAFETENSORS_HEADER", () => readSafetensors(bytes));
  });

  it("a declared length just above the limit is refused, whatever size the file claims", async () => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(MAX_HEADER_BYTES + 1), true);
    await failure("NB_SAFETENSORS_HEADER", () => headerLength(bytes, 2 ** 40));
  });

  it("a declared length beyond the file is refused", async () => {
    const bytes = safetensorsBytes("{}");
    bytes[0] = 3;
    await failure("NB_SAFETENSORS_TRUNCATED", () => readSafetensors(bytes));
  });

  it("text that is not UTF-8 is refused", async () => {
    const bytes = safetensorsBytes(`{"a":${f32(0, 4)}}`, new Uint8Array(4));
    bytes[10] = 0xff;
    await failure("NB_SAFETENSORS_HEADER", () => readSafetensors(bytes));
  });

  it("names of Object's prototype are plain names, and change no prototype", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const fields = names.map((name, i) => `${JSON.stringify(name)}:${f32(4 * i, 4 * i + 4)}`).join(",");
    const { tensors } = readSafetensors(safetensorsBytes(`{${fields}}`, new Uint8Array(16)));
    expect([...tensors.keys()].sort()).toEqual(names.toSorted());
    expect(({} as Record<string, unknown>).dtype).toBeUndefined();
  });

  it("a tensor without fields of its own does not get them from a __proto__ in its entry", async () => {
    const header = `{"a":{"__proto__":${f32(0, 4)}}}`;
    await failure("NB_SAFETENSORS_HEADER", () =>
      readSafetensors(safetensorsBytes(header, new Uint8Array(4))),
    );
  });

  it("a header of the largest accepted size is parsed within seconds", () => {
    const name = "n".repeat(MAX_HEADER_BYTES - 100);
    const bytes = safetensorsBytes(`{"${name}":${f32(0, 4)}}`, new Uint8Array(4));
    const header = parseSafetensorsHeader(bytes, bytes.length);
    expect(header.tensors.size).toBe(1);
  });
});
