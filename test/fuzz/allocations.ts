/**
 * Counts what is allocated as typed arrays and array buffers while a function runs, so that a test can say that no
 * declared length made a parser allocate. The constructors are wrapped for that time; views on given buffers count nothing.
 */

const NAMES = [
  "Uint8Array",
  "Int8Array",
  "Uint16Array",
  "Int16Array",
  "Uint32Array",
  "Int32Array",
  "Float32Array",
  "Float64Array",
  "BigUint64Array",
  "BigInt64Array",
  "Uint8ClampedArray",
  "ArrayBuffer",
  "Array",
] as const;

type Constructor = new (...args: unknown[]) => object;

/** Bytes allocated since the last time it was set to 0, by constructors called with a length or a list. */
export const allocated = { bytes: 0 };

/** Wraps the constructors; the function that it returns puts the plain ones back. */
export function watchAllocations(): () => void {
  const scope = globalThis as unknown as Record<string, Constructor>;
  const plain = NAMES.map((name) => [name, scope[name]!] as const);
  for (const [name, target] of plain) {
    scope[name] = new Proxy(target, {
      construct(plainType, args: unknown[], newTarget) {
        const made = Reflect.construct(
          plainType,
          args,
          newTarget === scope[name] ? plainType : (newTarget as Constructor),
        ) as object;
        const [first] = args;
        const isView = typeof first === "object" && first instanceof ArrayBuffer && name !== "ArrayBuffer";
        if (Array.isArray(made)) allocated.bytes += made.length * 8;
        else if (!isView) allocated.bytes += (made as ArrayBufferView | ArrayBuffer).byteLength;
        return made;
      },
    });
  }
  return () => {
    for (const [name, target] of plain) scope[name] = target;
  };
}
