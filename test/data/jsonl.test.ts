import { describe, expect, it } from "vitest";
import { jsonlExamples } from "../../shared/data/examples.ts";
import { readLines } from "../../shared/data/lines.ts";
import { failure } from "../model/helpers.ts";
import { collect } from "./helpers.ts";

const read = (content: string) =>
  collect(jsonlExamples("data.jsonl", readLines("data.jsonl", [new TextEncoder().encode(content)])));

describe("JSON Lines", () => {
  it("of texts", async () => {
    expect(await read('{"text":"a"}\n\n{"id": 7, "text":"b\\n"}\n')).toEqual([
      { kind: "text", text: "a", ends: true },
      { kind: "text", text: "b\n", ends: true },
    ]);
  });

  it("of prompts and completions", async () => {
    expect(await read('{"prompt":"2+2=","completion":"4"}\n{"prompt":"","completion":"x"}')).toEqual([
      { kind: "completion", prompt: "2+2=", completion: "4" },
      { kind: "completion", prompt: "", completion: "x" },
    ]);
  });

  it("of texts with labels, of which the label is learned", async () => {
    expect(await read('{"text":"good film","label":"pos"}\n{"text":"bad","label":0}')).toEqual([
      { kind: "completion", prompt: "good film\nLabel:", completion: " pos" },
      { kind: "completion", prompt: "bad\nLabel:", completion: " 0" },
    ]);
  });
});

describe("a bad line is refused by file, line and reason", () => {
  it.each([
    ['{"text":"a"}\n{"text":', /^data\.jsonl:2: is not JSON/],
    ["[1]", /^data\.jsonl:1: is not an object/],
    ["null", /^data\.jsonl:1: is not an object/],
    ['\n\n"x"', /^data\.jsonl:3: is not an object/],
    ["{}", /^data\.jsonl:1: has none of the fields; accepted: /],
    ['{"texts":"a"}', /has none of the fields/],
    ['{"prompt":"a"}', /has "prompt"; accepted/],
    ['{"text":"a","completion":"b"}', /has "text" and "completion"; accepted/],
    ['{"text":3}', /"text" is number; expected a string/],
    ['{"text":null}', /"text" is null/],
    ['{"prompt":["a"],"completion":"b"}', /"prompt" is a list/],
    ['{"text":""}', /"text" is empty/],
    ['{"prompt":"a","completion":" "}', /"completion" is empty/],
    ['{"text":"a","label":{}}', /"label" is object/],
    [
      '{"text":"a"}\n{"prompt":"a","completion":"b"}',
      /^data\.jsonl:2: has the form \{prompt, completion\}; line 1 has \{text\}/,
    ],
    ['{"__proto__":{"text":"a"}}', /has none of the fields/],
  ])("%j", async (content, message) => {
    expect(await failure("NB_DATA_INVALID", () => read(content))).toMatch(message);
  });
});
