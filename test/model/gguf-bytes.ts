/** Writes the fields of a GGUF header one by one, also such as no file should have. */
export class GgufBytes {
  readonly #parts: number[] = [];

  u32(value: number): this {
    for (let i = 0; i < 4; i++) this.#parts.push((value >>> (8 * i)) & 255);
    return this;
  }

  u64(value: bigint | number): this {
    for (let i = 0n; i < 8n; i++) this.#parts.push(Number((BigInt(value) >> (8n * i)) & 255n));
    return this;
  }

  text(value: string): this {
    const bytes = new TextEncoder().encode(value);
    this.u64(bytes.length);
    this.#parts.push(...bytes);
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#parts);
  }
}

/** The beginning of a file of version 3 that declares so many tensors and metadata entries. */
export const ggufBegin = (tensors: bigint | number, entries: bigint | number) =>
  new GgufBytes().u32(0x46554747).u32(3).u64(tensors).u64(entries);
