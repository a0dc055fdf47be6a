/**
 * What the ledger's counts say: bytes per real token, bits per real element, and what the same tensors would have cost in
 * f32, f16 and int8. All are cumulative: a run that anneals from 8 bits to 3 is not a 3-bit run.
 */
import { PHASES } from "../protocol/messages.ts";
import { CATEGORIES, type CategoryBytes, type LedgerSnapshot, sumBytes } from "./ledger.ts";

export interface LedgerReport {
  /** All bytes of the sockets, both directions. */
  readonly totalBytes: number;
  readonly upBytes: number;
  readonly downBytes: number;
  /** Both directions. */
  readonly byCategory: CategoryBytes;
  /** Real tokens through the split, each counted once. */
  readonly tokens: number;
  /** Elements of all tensors sent, in all phases. */
  readonly elements: number;
  /** Payload, scales and bit tables, per element. 0 before the first tensor. */
  readonly codecBitsPerElement: number;
  /** All bytes, per element. */
  readonly wireBitsPerElement: number;
  readonly bytesPerToken: number;
  /** The same tensors' elements alone, without any header or scale: what rivals could not go below. Bytes. */
  readonly baselines: { readonly f32: number; readonly f16: number; readonly int8: number };
}

export function ledgerReport(snapshot: LedgerSnapshot): LedgerReport {
  const { up, down, phases } = snapshot;
  const byCategory = Object.fromEntries(CATEGORIES.map((c) => [c, up[c] + down[c]])) as CategoryBytes;
  const elements = PHASES.reduce((sum, phase) => sum + phases[phase].elements, 0);
  const tokens = phases.A1.tokens;
  const totalBytes = sumBytes(byCategory);
  const codecBytes = byCategory.payload + byCategory.scales + byCategory.bitTables;
  const per = (bytes: number, count: number): number => (count === 0 ? 0 : bytes / count);
  return {
    totalBytes,
    upBytes: sumBytes(up),
    downBytes: sumBytes(down),
    byCategory,
    tokens,
    elements,
    codecBitsPerElement: per(codecBytes * 8, elements),
    wireBitsPerElement: per(totalBytes * 8, elements),
    bytesPerToken: per(totalBytes, tokens),
    baselines: { f32: elements * 4, f16: elements * 2, int8: elements },
  };
}
