/**
 * Bytes that are read in parts: a file, an HTTP resource, or memory. Weight files are larger than the part of them that
 * one side of a split model needs, so nothing here reads a whole file unless it is asked to.
 */
import { fail, NarrowbandError } from "../errors.ts";

export interface ByteSource {
  /** What messages call it. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /**
   * Bytes [begin, end); the result is the caller's.
   *
   * @throws NB_FILE_UNREADABLE when they cannot be had in full.
   */
  read(begin: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** A directory of a model: on disk, behind a URL, or in memory. */
export interface ModelFiles {
  /** What messages call it. */
  readonly name: string;
  /** Opens a file by its plain name; undefined when there is none. */
  open(file: string): Promise<ByteSource | undefined>;
}

/** Bytes in memory. The source reads them, and never writes. */
export class MemoryBytes implements ByteSource {
  readonly name: string;
  readonly #bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  async read(begin: number, end: number): Promise<Uint8Array> {
    if (end > this.#bytes.length) fail("NB_FILE_UNREADABLE", `${this.name}: ends before byte ${end}`);
    return new Uint8Array(this.#bytes.subarray(begin, end));
  }

  async close(): Promise<void> {}
}

/** Files in memory, by name. */
export function memoryFiles(name: string, files: ReadonlyMap<string, Uint8Array>): ModelFiles {
  return {
    name,
    async open(file) {
      const bytes = files.get(file);
      return bytes && new MemoryBytes(`${name}/${file}`, bytes);
    },
  };
}

/** A resource behind a URL, read by HTTP range requests (RFC 9110 §14). */
class HttpBytes implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #fetch: typeof fetch;

  constructor(url: string, size: number, fetcher: typeof fetch) {
    this.name = url;
    this.size = size;
    this.#fetch = fetcher;
  }

  async read(begin: number, end: number): Promise<Uint8Array> {
    // A range cannot be empty.
    if (begin === end) return new Uint8Array(0);
    const response = await request(this.#fetch, this.name, {
      headers: { range: `bytes=${begin}-${end - 1}` },
    });
    if (response.status !== 206) {
      await response.body?.cancel();
      fail(
        "NB_FILE_UNREADABLE",
        `${this.name}: the server answers a range request with ${response.status}, not 206`,
      );
    }
    const bytes = await readExactly(response, this.name, end - begin);
    return bytes;
  }

  async close(): Promise<void> {}
}

async function request(fetcher: typeof fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetcher(url, init);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NarrowbandError("NB_FILE_UNREADABLE", `${url}: ${reason}`, { cause });
  }
}

/** The body of a response that must be `length` bytes; more is refused while it arrives. */
async function readExactly(response: Response, name: string, length: number): Promise<Uint8Array> {
  const out = new Uint8Array(length);
  let at = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const part = await reader?.read();
    if (part === undefined || part.done) break;
    if (at + part.value.length > length) {
      await reader?.cancel();
      fail("NB_FILE_UNREADABLE", `${name}: more than the ${length} bytes that were asked for`);
    }
    out.set(part.value, at);
    at += part.value.length;
  }
  if (at !== length)
    fail("NB_FILE_UNREADABLE", `${name}: ${at} bytes came of the ${length} that were asked for`);
  return out;
}

/**
 * Files below a URL. The server must answer range requests with 206 and Content-Range; a 404 means that there is no
 * such file.
 */
export function httpFiles(baseUrl: string, fetcher: typeof fetch = fetch): ModelFiles {
  const base = baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`;
  return {
    name: baseUrl,
    async open(file) {
      const url = base + encodeURIComponent(file);
      const response = await request(fetcher, url, { headers: { range: "bytes=0-0" } });
      await response.body?.cancel();
      if (response.status === 404) return undefined;
      const total = /^bytes 0-0\/(\d{1,15})$/.exec(response.headers.get("content-range") ?? "");
      if (response.status !== 206 || total === null)
        fail(
          "NB_FILE_UNREADABLE",
          `${url}: the server answers ${response.status} without a Content-Range; range requests are needed`,
        );
      return new HttpBytes(url, Number(total[1]), fetcher);
    },
  };
}
