/**
 * What it takes to be a codec: one definition, which the registry lists. All that the rest of the program knows
 * of a codec (its number on the wire, its settings and their descriptions, its compact string, how to make its
 * two ends) stands in it.
 */

import type { z } from "zod";
import type { TensorDecoder, TensorEncoder } from "./codec.ts";

/** What a stream carries: smashed data, or the loss gradient with respect to it. */
export type TensorRole = "activation" | "gradient";

/** What an encoder is told of its stream, beside the codec's settings. */
export interface StreamOptions {
  readonly channels: number;
  readonly role: TensorRole;
  /** Seed of the job: a safe integer, not negative. */
  readonly seed: number;
  /** Sets this stream's random numbers apart from those of the job's other streams: 0 to 2^32 − 1. */
  readonly streamId: number;
}

/**
 * A codec whose settings are `Spec`: an object of scalars with the codec's name in `codec`.
 *
 * As a string, settings are `name`, `name:ARGUMENT`, and either with `,key=value` after it. Only the argument is
 * the codec's own matter; keys and values go to the schema.
 */
export interface CodecDefinition<Spec extends { readonly codec: string }> {
  readonly name: Spec["codec"];
  /** Number in a frame header, 1 to 255. Once released it is never given to another codec; new bytes, new number. */
  readonly wireId: number;
  /** One sentence: what is sent. */
  readonly summary: string;
  /** The paper, standard or program that it follows. */
  readonly source: string;
  /** Compact strings that are accepted, as an error message lists them. */
  readonly forms: string;
  /** Compact strings of typical and of corner settings; every shared test runs on each of them. */
  readonly examples: readonly [string, ...string[]];
  /** A strict object of scalars, each with a description; it fills in defaults. */
  readonly schema: z.ZodObject & z.ZodType<Spec>;
  /** Whether what a row of text costs depends on its earlier visits. */
  readonly remembersRows?: boolean;
  /** Settings that ARGUMENT stands for, not yet checked by the schema; undefined when it is not of the form. */
  parseArgument(argument: string | undefined): Readonly<Record<string, unknown>> | undefined;
  /** The compact string without `,key=value`; `name` or `name:ARGUMENT`. */
  label(spec: Spec): string;
  /** The sending end of a stream. The registry has checked the options. Throws NB_CONFIG_INVALID. */
  createEncoder(spec: Spec, options: StreamOptions): TensorEncoder;
  /** The receiving end of a stream. */
  createDecoder(spec: Spec, channels: number): TensorDecoder;
}

/** Of a codec whose compact string takes no argument. */
export function noArgument(argument: string | undefined): Record<string, unknown> | undefined {
  return argument === undefined ? {} : undefined;
}

/** Of a codec whose compact string is `name:INTEGER`, kept as `setting`. */
export function integerArgument(
  setting: string,
): (argument: string | undefined) => Record<string, unknown> | undefined {
  return (argument) =>
    argument !== undefined && /^\d{1,9}$/.test(argument) ? { [setting]: Number(argument) } : undefined;
}
