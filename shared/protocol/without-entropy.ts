/**
 * What a message would have taken on the wire, had no codec of the job an entropy stage. The stage is lossless: both ends
 * hold the same numbers with it and without it, so that one run tells the bytes of both.
 */
import { codecSpecOf } from "./codecs.ts";
import { encodeFrame } from "./frame.ts";
import type { Frame } from "./messages.ts";

/** Settings of a codec, as in Welcome, without their entropy stage: as who wants none writes them. */
export function withoutEntropy(text: string): string {
  if (!hasEntropyStage(text)) return text;
  if (!text.startsWith("{")) {
    const settings = text.split(",").filter((setting) => setting.split("=")[0]!.trim() !== "entropy");
    return settings.join(",");
  }
  const { entropy: _, ...settings } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(settings);
}

/** Whether a codec's settings, as in Welcome, ask for an entropy stage. NB_CONFIG_INVALID. */
export function hasEntropyStage(text: string): boolean {
  const spec = codecSpecOf(text);
  return "entropy" in spec && spec.entropy !== undefined && spec.entropy !== "none";
}

/** Bytes of a frame, which takes `bytes`, without entropy stages. Tensors differ, and Welcome, which names the codecs. */
export function bytesWithoutEntropy(frame: Frame, bytes: number): number {
  const { message } = frame;
  if (message.type === "tensor") {
    const { payload, packedBytes = payload.length } = message;
    return bytes - payload.length + packedBytes;
  }
  if (message.type !== "welcome") return bytes;
  const { A1, A2, G2, G1 } = message.config.codecs;
  if (![A1, A2, G2, G1].some(hasEntropyStage)) return bytes;
  const codecs = {
    A1: withoutEntropy(A1),
    A2: withoutEntropy(A2),
    G2: withoutEntropy(G2),
    G1: withoutEntropy(G1),
  };
  return encodeFrame({ ...frame, message: { ...message, config: { ...message.config, codecs } } }).length;
}
