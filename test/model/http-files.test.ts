import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { httpFiles } from "../../shared/model/byte-source.ts";
import { openModel } from "../../shared/model/hf-directory.ts";
import { failure, golden } from "./helpers.ts";

/** A server on this machine that answers with `listener` and stops when the test ends. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model`;
}

/** Serves a golden by ranges, and counts the bytes of bodies. */
function ranges(name: string, sent: { bytes: number }): RequestListener {
  return (request, response) => {
    let file: Buffer;
    try {
      file = readFileSync(golden(name, basename(request.url ?? "")));
    } catch {
      response.writeHead(404).end();
      return;
    }
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "")!;
    const body = file.subarray(Number(from), Number(to) + 1);
    sent.bytes += body.length;
    response.writeHead(206, { "content-range": `bytes ${from}-${to}/${file.length}` }).end(body);
  };
}

describe("a model behind a URL", () => {
  it("is read by ranges, a tensor at a time", async () => {
    const sent = { bytes: 0 };
    const url = await serve(ranges("llama-rope3", sent));
    const model = await openModel(httpFiles(url));
    expect(model.config.layers).toBe(3);
    const before = sent.bytes;
    const name = "model.layers.0.self_attn.q_proj.weight";
    const weight = await model.tensors.read(name);
    expect(weight).toHaveLength(32 * 32);
    // One byte to learn the shard's size, its 8 + header bytes, the tensor.
    expect(sent.bytes - before).toBeLessThan(weight.byteLength + 8 + 8192);
    const local = await openModel(
      (await import("../../shared/model/files-node.ts")).directoryFiles(golden("llama-rope3")),
    );
    expect(weight).toEqual(await local.tensors.read(name));
    await local.close();
    await model.close();
  });

  it("a server without ranges is refused, and not read to the end", async () => {
    const url = await serve((_, response) => response.writeHead(200).end("{}"));
    expect(await failure("NB_FILE_UNREADABLE", () => openModel(httpFiles(url)))).toContain("range requests");
  });

  it("a server that sends fewer or more bytes than the range is refused", async () => {
    for (const body of ["{", "{}{}{}{}"]) {
      const url = await serve((request, response) => {
        const first = request.headers.range === "bytes=0-0";
        response.writeHead(206, { "content-range": "bytes 0-0/4" }).end(first ? "{" : body);
      });
      await failure("NB_FILE_UNREADABLE", () => openModel(httpFiles(url)));
    }
  });

  it("no server at all is a file that cannot be read", async () => {
    const url = await serve((_, response) => response.destroy());
    await failure("NB_FILE_UNREADABLE", () => openModel(httpFiles(url)));
  });
});
