/** How many connections each address has, so that one machine cannot use up the server's. */
import { isIPv4, isIPv6 } from "node:net";

/**
 * What connections are counted under: an IPv4 address, or the /64 network of an IPv6 address, since whoever has one of its
 * addresses usually has all 2^64.
 */
export function addressKey(address: string | undefined): string {
  const plain = (address ?? "").replace(/%.*$/, "");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined || isIPv4(plain)) return mapped ?? plain;
  if (!isIPv6(plain)) return "unknown";
  const [head, tail] = plain.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill("0"), ...right].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}

export class AddressCounter {
  readonly #counts = new Map<string, number>();

  /** Connections of an address that are open. */
  count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** Counts one more; returns how many there are now. */
  add(key: string): number {
    const count = this.count(key) + 1;
    this.#counts.set(key, count);
    return count;
  }

  remove(key: string): void {
    const count = this.count(key) - 1;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}
