/** Which codecs the bench compares when it is not told: every registered one, at the widths that it can have. */

import { codecLabel, parseCodecSpec } from "../../shared/codec/registry.ts";

/** Codecs that are one curve in the plot: the same method at several rates. */
export interface Family {
  readonly name: string;
  /** Whether it is the project's own. */
  readonly own: boolean;
  /** Codec strings, by rising rate. */
  readonly codecs: readonly string[];
}

const WIDTHS = [2, 3, 4, 5, 6, 7, 8];

function at(widths: readonly number[], form: (bits: number) => string): string[] {
  return widths.map(form);
}

/** `amaq` held at a mean width, with an allocator and further settings. */
function amaq(allocator: string, settings = ""): (bits: number) => string {
  return (bits) => `amaq:${bits}-${bits}@0,allocator=${allocator}${settings}`;
}

/** In the order of tables and legend. */
export const FAMILIES: readonly Family[] = [
  { name: "amaq, greedy, predict", own: true, codecs: at(WIDTHS, amaq("greedy", ",entropy=predict")) },
  { name: "amaq, greedy", own: true, codecs: at(WIDTHS, amaq("greedy")) },
  { name: "amaq, gates by STE", own: true, codecs: at(WIDTHS, amaq("gate-ste")) },
  { name: "fixed, predict", own: true, codecs: at(WIDTHS, (bits) => `fixed:${bits},entropy=predict`) },
  { name: "fixed, rans", own: true, codecs: at(WIDTHS, (bits) => `fixed:${bits},entropy=rans`) },
  { name: "fixed", own: true, codecs: at(WIDTHS, (bits) => `fixed:${bits}`) },
  { name: "fixed, min/max", own: true, codecs: at(WIDTHS, (bits) => `fixed:${bits},clip=none`) },
  { name: "fixpoint (AC-SGD)", own: false, codecs: at([2, 3, 4, 6, 8], (bits) => `fixpoint:${bits}`) },
  { name: "AQ-SGD", own: false, codecs: at([2, 3, 4, 6, 8], (bits) => `aqsgd:${bits}`) },
  {
    name: "TAH-Quant",
    own: false,
    codecs: ["tah,lowBits=2,highBits=3", "tah", "tah,lowBits=4,highBits=6", "tah,lowBits=6,highBits=8"],
  },
  { name: "group of 64", own: false, codecs: at([2, 3, 4, 6, 8], (bits) => `group:${bits}`) },
  { name: "fp4 (MX)", own: false, codecs: ["fp4"] },
  { name: "fp8 E4M3", own: false, codecs: ["fp8:e4m3", "fp8:e4m3,scale=channel"] },
  { name: "fp8 E5M2", own: false, codecs: ["fp8:e5m2", "fp8:e5m2,scale=channel"] },
  { name: "int8 blockwise", own: false, codecs: ["int8:linear", "int8:dynamic"] },
  {
    name: "top-k",
    own: false,
    codecs: at([0.02, 0.05, 0.1, 0.2, 0.3], (share) => `topk:${share},feedback=false`),
  },
  { name: "ternary", own: false, codecs: ["ternary,rounding=nearest,clipSigma=0", "ternary"] },
  { name: "binary", own: false, codecs: ["binary,feedback=false"] },
  { name: "f16 and bf16", own: false, codecs: ["f16", "bf16"] },
];

/** The families with the codecs that were asked for, each of them one; NB_CONFIG_INVALID for one that is not known. */
export function familiesOf(codecs: readonly string[]): readonly Family[] {
  if (codecs.length === 0) return FAMILIES;
  return codecs.map((text) => {
    const label = codecLabel(parseCodecSpec(text));
    return { name: label, own: true, codecs: [label] };
  });
}
