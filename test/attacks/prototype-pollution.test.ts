/**
 * Payloads that try to write to Object.prototype, or to be taken for what it holds, in every format that is read: JSON, YAML, MessagePack, protobuf.
 * Expected: a typed error or plain data, and an untouched Object.prototype.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Packr } from "msgpackr";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import createXxhash from "xxhash-wasm";
import { narrowband } from "../../proto/generated/wire.js";
import { readTokenRecords } from "../../server/token-file.ts";
import { parseConfig } from "../../shared/command/config-file.ts";
import { refuseUnknownKeys } from "../../shared/command/settings.ts";
import { unpackCodecState } from "../../shared/job/codec-state.ts";
import { readRunLog } from "../../shared/ledger/run-log-node.ts";
import { parseHfConfig } from "../../shared/model/config.ts";
import { loadTokenizer } from "../../shared/model/tokenizer.ts";
import { parseManifest } from "../../shared/protocol/adapters.ts";
import { decodeCheckpoint } from "../../shared/train/checkpoint.ts";
import { failure, temporaryDirectory } from "../model/helpers.ts";
import { attacked, cleanUp, expectJobCompletes, expectRefused, HELLO, RawPeer } from "../server/raw-peer.ts";

let before: string[] = [];
beforeEach(() => {
  before = Object.getOwnPropertyNames(Object.prototype).sort();
});
afterEach(async () => {
  await cleanUp();
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(before);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

const JSONS = [
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"tokens":[{"__proto__":{"polluted":1,"id":"x"}}]}',
];

describe("JSON and YAML", () => {
  it.each(JSONS)("a token file of %s is refused", async (text) => {
    const file = join(temporaryDirectory(), "tokens.json");
    writeFileSync(file, text, { mode: 0o600 });
    await failure("NB_CONFIG_INVALID", () => readTokenRecords(file));
  });

  it.each([...JSONS, "__proto__:\n  polluted: 1\n", "constructor:\n  prototype:\n    polluted: 1\n"])(
    "a config file of %s is refused by its keys",
    async (text) => {
      const file = await parseConfig("settings.yaml", text);
      await failure("NB_CONFIG_INVALID", () => refuseUnknownKeys([], file));
    },
  );

  it.each(JSONS)("a model's config.json and tokenizer.json of %s are refused", async (text) => {
    await failure("NB_MODEL_INVALID", () => parseHfConfig(JSON.parse(text)));
    await failure("NB_TOKENIZER_INVALID", () => loadTokenizer(JSON.parse(text)));
  });

  it("an HTTP body is refused", async () => {
    const { server } = await attacked();
    for (const payload of JSONS.slice(0, 2)) {
      const headers = { "content-type": "application/json" };
      const answer = await server.app.inject({
        method: "POST",
        url: "/api/jobs/demo/stop",
        headers,
        payload,
      });
      expect(answer.statusCode).toBeGreaterThanOrEqual(400);
    }
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
    "a job that is asked for by the name %s is not found",
    async (name) => {
      const { server, ws } = await attacked();
      expect((await server.app.inject(`/api/jobs/${name}`)).statusCode).toBe(404);
      const peer = new RawPeer(ws);
      await peer.send({ ...HELLO, job: name });
      await expectRefused(peer, "NB_JOB_UNKNOWN");
    },
  );
});

/** A map with such a key, which no plain object literal has. */
function withKey(key: string, value: unknown): Map<string, unknown> {
  return new Map([[key, value]]);
}

describe("MessagePack", () => {
  const packr = new Packr({ useRecords: false });
  const evil = withKey("__proto__", withKey("polluted", 1));

  it("of a checkpoint is refused, or read without effect", async () => {
    const { h64Raw } = await createXxhash();
    for (const index of [
      evil,
      new Map<string, unknown>([
        ["kind", "client"],
        ["meta", evil],
        ["tensors", []],
      ]),
      new Map<string, unknown>([
        ["kind", "client"],
        ["meta", {}],
        ["tensors", [evil]],
      ]),
    ]) {
      const body = packr.pack(index);
      const bytes = new Uint8Array(12 + body.length + 8);
      const view = new DataView(bytes.buffer);
      bytes.set(new TextEncoder().encode("NBCK"));
      view.setUint32(4, 1, true);
      view.setUint32(8, body.length, true);
      bytes.set(body, 12);
      view.setBigUint64(12 + body.length, h64Raw(bytes.subarray(0, 12 + body.length)), true);
      const read = await decodeCheckpoint(bytes, "client").catch((error: { code: string }) => error.code);
      if (typeof read === "string") expect(read).toBe("NB_CHECKPOINT_INVALID");
      else expect(Object.getPrototypeOf(read.meta)).toBe(Object.prototype);
    }
  });

  it("of a run log is refused", async () => {
    const file = join(temporaryDirectory(), "run.nblog");
    const body = packr.pack(evil);
    const bytes = new Uint8Array(4 + body.length);
    new DataView(bytes.buffer).setUint32(0, body.length, true);
    bytes.set(body, 4);
    writeFileSync(file, bytes);
    await failure("NB_DATA_INVALID", () => readRunLog(file));
  });

  it("of a codec's state is refused, or read without effect", async () => {
    const unpacked: unknown = packr.unpack(packr.pack(evil));
    await failure("NB_CODEC_STATE_INVALID", () => unpackCodecState(unpacked));
    const numbers = JSON.parse('{"__proto__":{"polluted":1}}');
    const state = unpackCodecState({ codec: "amaq", bitTableVersion: 0, arrays: {}, numbers });
    expect(Object.getPrototypeOf(state.numbers)).toBe(Object.prototype);
  });
});

describe("protobuf", () => {
  it("names of Object's prototype in a manifest are plain names", () => {
    const tensors = ["__proto__", "constructor"].map((name) => ({ name, shape: [1] }));
    const bytes = narrowband.AdapterManifest.encode({ tensors }).finish();
    expect(parseManifest(bytes, 8).map(({ name }) => name)).toEqual(["__proto__", "constructor"]);
  });

  it.each(["__proto__", "constructor"])(
    "a client called %s is a client, and harms no other",
    async (name) => {
      const { ws, job, server } = await attacked({}, { policy: { minClients: 1 } });
      const peer = new RawPeer(ws);
      await peer.send({ ...HELLO, name });
      await peer.until("welcome");
      expect((await server.app.inject("/api/jobs/demo")).json().clients).toMatchObject([{ name }]);
      expect((await server.app.inject("/metrics")).statusCode).toBe(200);
      peer.ws.terminate();
      await expectJobCompletes(ws);
      expect(job.status().outcome?.reason).toBe("completed");
    },
  );
});
