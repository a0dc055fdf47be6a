/**
 * The codecs of a job: settings travel in Welcome as strings, and make the encoders and decoders of each client's streams.
 */
import {
  CODEC_WIRE_IDS,
  type CodecName,
  type CodecSpec,
  createDecoder,
  createEncoder,
  parseCodecSpec,
} from "../codec/registry.ts";
import { fail } from "../errors.ts";
import type { JobConfig } from "./job-config.ts";
import { PHASES, type Phase } from "./messages.ts";
import { TensorReceiver, TensorSender } from "./tensor-stream.ts";

/** Names of all codecs that this program has, for Hello. */
export const CODEC_NAMES: readonly CodecName[] = Object.keys(CODEC_WIRE_IDS) as CodecName[];

const parsed = new Map<string, CodecSpec>();

/** Settings of a codec from their string in Welcome: compact ("amaq:8-3@200"), or a JSON object. NB_CONFIG_INVALID. */
export function codecSpecOf(text: string): CodecSpec {
  let spec = parsed.get(text);
  if (spec === undefined) {
    spec = parseCodecSpec(text.startsWith("{") ? parseJson(text) : text);
    // Jobs have four; the bound only keeps a server with very many jobs small.
    if (parsed.size > 1_000) parsed.clear();
    parsed.set(text, spec);
  }
  return spec;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return fail("NB_CONFIG_INVALID", `codec settings ${text} are not JSON`);
  }
}

/** The codec's number in Tensor.codec. */
export function codecIdOf(config: JobConfig, phase: Phase): number {
  return CODEC_WIRE_IDS[codecSpecOf(config.codecs[phase]).codec];
}

/** Phases that a job's split has. */
export function phasesOf(config: JobConfig): readonly Phase[] {
  return config.split === "vanilla" ? ["A1", "G1"] : PHASES;
}

/** Names of the codecs that a job uses. */
export function codecNamesOf(config: JobConfig): CodecName[] {
  return [...new Set(phasesOf(config).map((phase) => codecSpecOf(config.codecs[phase]).codec))];
}

/**
 * Throws NB_CONFIG_INVALID when a job's codecs do not go together: the server knows rows of text by what the codec of A1
 * names them, so that A2 can build on earlier visits of a row only if A1 does.
 */
export function requireCodecs(config: JobConfig): void {
  if (config.split === "vanilla") return;
  const [a1, a2] = [codecSpecOf(config.codecs.A1), codecSpecOf(config.codecs.A2)];
  if (a2.codec === "aqsgd" && a1.codec !== "aqsgd") {
    fail("NB_CONFIG_INVALID", `codec aqsgd of A2 needs aqsgd for A1, too; that is ${config.codecs.A1}`);
  }
}

/** Number of a client's stream of a phase: tells the streams of a job apart where randomness is drawn. */
export function streamIdOf(client: number, phase: Phase): number {
  return client * PHASES.length + PHASES.indexOf(phase);
}

/** The sending end of a client's stream. */
export function makeSender(config: JobConfig, client: number, phase: Phase): TensorSender {
  const role = phase === "A1" || phase === "A2" ? "activation" : "gradient";
  const encoder = createEncoder(codecSpecOf(config.codecs[phase]), {
    channels: config.model.hidden,
    role,
    seed: config.seed,
    streamId: streamIdOf(client, phase),
  });
  return new TensorSender(encoder, phase, codecIdOf(config, phase));
}

/** The receiving end of a client's stream. */
export function makeReceiver(config: JobConfig, phase: Phase): TensorReceiver {
  const spec = codecSpecOf(config.codecs[phase]);
  return new TensorReceiver(() => createDecoder(spec, { channels: config.model.hidden }));
}
