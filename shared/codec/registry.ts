/**
 * The one list of codecs, and what is done with any of them: settings read from a string or an object, encoders
 * and decoders made from settings. To add a codec, write its definition and put it into CODECS.
 */

import type { z } from "zod";
import { fail } from "../errors.ts";
import { amaqCodec } from "./amaq.ts";
import type { TensorDecoder, TensorEncoder } from "./codec.ts";
import type { CodecDefinition, StreamOptions } from "./definition.ts";
import { fixedCodec } from "./fixed.ts";
import { f16Codec, f32Codec } from "./raw.ts";
import { aqsgdCodec } from "./zoo/aqsgd.ts";
import { bf16Codec } from "./zoo/bf16.ts";
import { binaryCodec } from "./zoo/binary.ts";
import { fixpointCodec } from "./zoo/fixpoint.ts";
import { fp4Codec } from "./zoo/fp4.ts";
import { fp8Codec } from "./zoo/fp8.ts";
import { groupCodec } from "./zoo/group.ts";
import { int8Codec } from "./zoo/int8.ts";
import { tahCodec } from "./zoo/tah.ts";
import { ternaryCodec } from "./zoo/ternary.ts";
import { topkCodec } from "./zoo/topk.ts";

export type { StreamOptions, TensorRole } from "./definition.ts";
export { ROLE_DEFAULTS } from "./quantizer-spec.ts";
export { forNewPeer } from "./state.ts";

/** Every codec, in order of wire number. */
export const CODECS = [
  f32Codec,
  f16Codec,
  fixedCodec,
  amaqCodec,
  bf16Codec,
  fp8Codec,
  fp4Codec,
  int8Codec,
  fixpointCodec,
  aqsgdCodec,
  tahCodec,
  groupCodec,
  topkCodec,
  ternaryCodec,
  binaryCodec,
] as const;

/** A codec's settings with every default filled in. */
export type CodecSpec = z.output<(typeof CODECS)[number]["schema"]>;
export type CodecName = CodecSpec["codec"];

type AnyCodec = CodecDefinition<{ readonly codec: string }>;

const byName = new Map<string, AnyCodec>(CODECS.map((codec) => [codec.name, codec]));

/** Number of each codec in a frame header; 0 is kept for "none given". */
export const CODEC_WIRE_IDS = Object.fromEntries(
  CODECS.map((codec) => [codec.name, codec.wireId]),
) as Readonly<Record<CodecName, number>>;

/** The codec with this wire number, or undefined. */
export function codecOfWireId(id: number): CodecName | undefined {
  return CODECS.find((codec) => codec.wireId === id)?.name;
}

/** Most channels of a stream; far above any model's hidden size, and keeps sizes well within safe integers. */
export const MAX_CHANNELS = 65536;

/**
 * A codec's settings with every default filled in, from an object or a compact string: `f32`, `fixed:4`,
 * `amaq:8-3@200`, any of them followed by settings as in `fixed:4,clip=none`. Throws NB_CONFIG_INVALID, naming
 * the field; for a codec that is not known, the message lists those that are.
 */
export function parseCodecSpec(input: unknown): CodecSpec {
  const value = typeof input === "string" ? expand(input) : input;
  const name = typeof value === "object" && value !== null && "codec" in value ? value.codec : undefined;
  const codec = typeof name === "string" ? byName.get(name) : undefined;
  if (codec === undefined) {
    const given = name === undefined ? `settings ${JSON.stringify(input)} name no codec` : unknown(name);
    return fail("NB_CONFIG_INVALID", `codec ${given}; accepted are ${accepted()}`);
  }
  const parsed = codec.schema.safeParse(value);
  // Each schema makes the spec of its own codec, so that this is one of the union's members.
  if (parsed.success) return parsed.data as CodecSpec;
  const problems = parsed.error.issues.map(
    (issue) => `${["codec", ...issue.path].join(".")}: ${issue.message}`,
  );
  return fail(
    "NB_CONFIG_INVALID",
    `codec settings ${JSON.stringify(input)} are not accepted: ${problems.join("; ")}. As a string, ${codec.forms} is accepted`,
  );
}

function unknown(name: unknown): string {
  return `${JSON.stringify(name)} is not known`;
}

function accepted(): string {
  return CODECS.map((codec) => codec.forms).join(", ");
}

/** The object that a compact string stands for; only the form is checked. */
function expand(text: string): Record<string, unknown> {
  const [head, ...pairs] = text.split(",") as [string, ...string[]];
  const colon = head.indexOf(":");
  const name = colon < 0 ? head : head.slice(0, colon);
  const codec = byName.get(name);
  if (codec === undefined) {
    return fail("NB_CONFIG_INVALID", `codec ${unknown(text)}; accepted are ${accepted()}`);
  }
  const settings = codec.parseArgument(colon < 0 ? undefined : head.slice(colon + 1));
  if (settings === undefined) {
    return fail("NB_CONFIG_INVALID", `codec ${JSON.stringify(text)} is not of the form ${codec.forms}`);
  }
  const value: Record<string, unknown> = { codec: name, ...settings };
  for (const pair of pairs) {
    const equals = pair.indexOf("=");
    const key = pair.slice(0, Math.max(0, equals)).trim();
    if (key === "" || key in value) {
      const problem = key === "" ? "is not key=value" : "sets what is already set";
      fail("NB_CONFIG_INVALID", `codec ${JSON.stringify(text)}: ${JSON.stringify(pair)} ${problem}`);
    }
    value[key] = scalar(pair.slice(equals + 1).trim());
  }
  return value;
}

/** A setting's value as it stands in a string: a number, true or false, or else a word. */
function scalar(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return /^-?\d+(\.\d+)?(e-?\d+)?$/.test(text) ? Number(text) : text;
}

/** The compact string of a spec, for tables and logs: settings that are not the defaults follow as `,key=value`. */
export function codecLabel(spec: CodecSpec): string {
  const label = definitionOf(spec).label(spec);
  const plain: Readonly<Record<string, unknown>> = parseCodecSpec(label);
  const rest = Object.entries(spec).filter(([key, value]) => value !== undefined && plain[key] !== value);
  return [label, ...rest.map(([key, value]) => `${key}=${value}`)].join(",");
}

/** The sending end of a stream. `spec` as {@link parseCodecSpec} returns it. Throws NB_CONFIG_INVALID. */
export function createEncoder(spec: CodecSpec, options: StreamOptions): TensorEncoder {
  requireInteger("channels", options.channels, 1, MAX_CHANNELS);
  requireInteger("seed", options.seed, 0, Number.MAX_SAFE_INTEGER);
  requireInteger("streamId", options.streamId, 0, 0xffffffff);
  return definitionOf(spec).createEncoder(spec, options);
}

/** The receiving end of a stream. Needs the spec that the encoder was made with, but neither role nor seed. */
export function createDecoder(spec: CodecSpec, options: { readonly channels: number }): TensorDecoder {
  requireInteger("channels", options.channels, 1, MAX_CHANNELS);
  return definitionOf(spec).createDecoder(spec, options.channels);
}

/** The definition of the codec that a spec is of. */
export function definitionOf(spec: CodecSpec): AnyCodec {
  return byName.get(spec.codec)!;
}

function requireInteger(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    fail("NB_CONFIG_INVALID", `codec ${name} is ${value}; it must be an integer from ${min} to ${max}`);
  }
}
