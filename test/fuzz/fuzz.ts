/**
 * Hostile bytes, by the number: random and mutated bodies into the decoder of every registered codec, and random and
 * mutated frames into the whole frame parser and, where they pass, into the receiver behind it. Each must end in a tensor or
 * message, or in an error with one of the codes that it is documented to have, soon, and without allocating beyond
 * what the receiver itself allows. Everything is drawn from one seed; a finding names the seed and the frame.
 */

import type { EncodedSections } from "../../shared/codec/codec.ts";
import { CODECS, createDecoder, createEncoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { NarrowbandError } from "../../shared/errors.ts";
import { xxh32 } from "../../shared/protocol/checksum.ts";
import { encodeFrame, parseFrame } from "../../shared/protocol/frame.ts";
import { PRELUDE_BYTES } from "../../shared/protocol/limits.ts";
import type { Frame, TensorMessage } from "../../shared/protocol/messages.ts";
import { TensorReceiver } from "../../shared/protocol/tensor-stream.ts";
import { randomSource, tensorOf } from "../codec/helpers.ts";
import { FRAMES } from "../protocol/frames.ts";
import { allocated, watchAllocations } from "./allocations.ts";

const DECODER_CODES = ["NB_CODEC_BODY_INVALID"];
const RECEIVER_CODES = ["NB_CODEC_BODY_INVALID", "NB_TENSOR_NOT_FINITE"];
const PARSER_CODES = ["NB_FRAME_MALFORMED", "NB_FRAME_CHECKSUM", "NB_FRAME_TOO_LARGE"];

/** Bytes of a frame that the receiver here accepts. */
const MAX_FRAME = 4096;
/**
 * What one frame may make this process allocate: working arrays of at most 16 times the receiver's own tensor, tables of the
 * entropy coders, and the error. The lengths that frames declare go up to 2^32.
 */
const MAX_ALLOCATED = 1024 * 1024;
/** No frame here is larger than 4 kB, so even a slow machine is done with one long before this. */
const MAX_MILLISECONDS = 2000;

const CHANNELS = 6;
const TOKENS = 34;
const STREAM = { channels: CHANNELS, role: "activation", seed: 1, streamId: 1 } as const;

export interface FuzzReport {
  readonly frames: number;
  readonly refused: number;
  readonly accepted: number;
  readonly seconds: number;
  readonly maxAllocated: number;
  readonly maxMilliseconds: number;
  /** Frames for each target; a codec by its compact string, or `frame`. */
  readonly targets: Readonly<Record<string, { accepted: number; refused: number }>>;
}

export interface FuzzOptions {
  readonly frames: number;
  readonly seed: number;
  /** Called every 50,000 frames. */
  readonly progress?: (done: number) => void;
}

interface Target {
  readonly name: string;
  /** Feeds the target something drawn from `dice`. True when it was accepted; throws what the target throws. */
  readonly attack: (dice: Dice) => boolean;
  readonly codes: readonly string[];
}

/** Random choices. */
class Dice {
  private readonly random: () => number;

  constructor(seed: number) {
    this.random = randomSource(seed);
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.below(256);
    return bytes;
  }
}

/** A copy with one to four changes: bits, bytes, extreme bytes, a cut, more at the end, a piece moved. */
function mutate(original: Uint8Array, dice: Dice): Uint8Array {
  let bytes = Uint8Array.from(original);
  for (let edits = 1 + dice.below(4); edits > 0; edits--) {
    const at = dice.below(Math.max(1, bytes.length));
    switch (dice.below(7)) {
      case 0:
      case 1:
        if (bytes.length > 0) bytes[at] = bytes[at]! ^ (1 << dice.below(8));
        break;
      case 2:
        if (bytes.length > 0) bytes[at] = dice.below(256);
        break;
      case 3:
        bytes.fill(dice.pick([0, 0x7f, 0x80, 0xff]), at, at + 1 + dice.below(4));
        break;
      case 4:
        bytes = bytes.slice(0, at);
        break;
      case 5:
        bytes = Uint8Array.of(...bytes, ...dice.bytes(dice.below(5)));
        break;
      default:
        bytes.copyWithin(at, dice.below(Math.max(1, bytes.length)), bytes.length);
    }
  }
  return bytes;
}

/** A decoder's target: good bodies of several messages, and all that can be made of them. */
function decoderTarget(text: string): Target {
  const spec = parseCodecSpec(text);
  const encoder = createEncoder(spec, STREAM);
  const bodies: { sections: EncodedSections; tokens: number }[] = [];
  for (let step = 0; step < 6; step++) {
    const tokens = [TOKENS, 1, 17][step % 3]!;
    const kinds = ["gaussian", "offset", "outlier", "zero", "positive", "tiny"] as const;
    const x = tensorOf(kinds, tokens, step);
    const rows = { lengths: [tokens], ids: [step % 2] };
    const { bitTable, bitTableVersion, scales, payload } = encoder.encode(x, tokens, {
      step,
      microBatch: 0,
      rows,
    });
    const sections = {
      bitTable: bitTable?.slice(),
      bitTableVersion,
      scales: scales.slice(),
      payload: payload.slice(),
    };
    bodies.push({ sections, tokens });
    encoder.endStep(step);
  }
  const outputs = new Map(
    [TOKENS, 1, 17, 0, 2].map((tokens) => [tokens, new Float32Array(tokens * CHANNELS)]),
  );
  return {
    name: text,
    codes: DECODER_CODES,
    attack(dice) {
      // Some bodies are understood only after those before them; a stranger may also begin in the middle.
      const place = dice.below(bodies.length);
      const decoder = createDecoder(spec, STREAM);
      for (const before of bodies.slice(dice.below(4) === 0 ? place : 0, place)) {
        decoder.decode(before.sections, before.tokens, outputs.get(before.tokens)!);
      }
      const { sections, tokens } = bodies[place]!;
      const body = { ...sections };
      const { bitTable, scales, payload } = body;
      const way = dice.below(8);
      if (way < 3) body.payload = mutate(payload, dice);
      else if (way < 5) body.scales = mutate(scales, dice);
      else if (way === 5) body.bitTable = bitTable ? mutate(bitTable, dice) : dice.bytes(dice.below(40));
      else {
        // Nothing is left but lengths, and often not these.
        const length = (like: number) => (dice.below(2) === 0 ? like : dice.below(2 * like + 8));
        body.scales = dice.bytes(length(scales.length));
        body.payload = dice.bytes(length(payload.length));
        body.bitTable = dice.below(2) === 0 ? bitTable : dice.bytes(length(bitTable?.length ?? 0));
      }
      if (dice.below(8) === 0) body.bitTableVersion = dice.pick([0, 1, 2, 0xffffffff]);
      const told = dice.below(8) === 0 ? dice.pick([...outputs.keys()]) : tokens;
      const out = outputs.get(told)!;
      decoder.decode(body, told, out);
      const wrong = out.find((value) => !Number.isFinite(value));
      if (wrong !== undefined) throw new Error(`a body decoded to ${wrong}`);
      return true;
    },
  };
}

/** Frames a header and a body with a good checksum, as a peer with bad intent does. */
function seal(header: Uint8Array, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PRELUDE_BYTES + header.length + body.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x4e;
  bytes[1] = 1;
  view.setUint16(2, header.length, true);
  bytes.set(header, PRELUDE_BYTES);
  bytes.set(body, PRELUDE_BYTES + header.length);
  view.setUint32(4, xxh32(bytes.subarray(PRELUDE_BYTES), view.getUint32(0, true)), true);
  return bytes;
}

/** The frame parser and, for tensors of the agreed shape, the receiver behind it. */
function frameTarget(): Target {
  const spec = parseCodecSpec("amaq:3-3@0");
  const encoder = createEncoder(spec, STREAM);
  const body = encoder.encode(
    tensorOf(["gaussian", "offset", "outlier", "zero", "positive", "tiny"], TOKENS, 1),
    TOKENS,
    {
      step: 0,
      microBatch: 0,
    },
  );
  const tensor = {
    ...(FRAMES.a1!.message as TensorMessage),
    tokens: TOKENS,
    lengths: [TOKENS],
    channels: CHANNELS,
    bitTableVersion: body.bitTableVersion,
    bitTable: body.bitTable?.slice(),
    scales: body.scales.slice(),
    payload: body.payload.slice(),
  };
  const good: Frame[] = [...Object.values(FRAMES), { ...FRAMES.a1!, message: tensor }];
  const frames = good.map(encodeFrame);
  const receiver = new TensorReceiver(() => createDecoder(spec, STREAM));
  return {
    name: "frame",
    codes: [...PARSER_CODES, ...RECEIVER_CODES],
    attack(dice) {
      const frame = dice.pick(frames);
      const end = PRELUDE_BYTES + new DataView(frame.buffer).getUint16(2, true);
      const header = frame.subarray(PRELUDE_BYTES, end);
      const rest = frame.subarray(end);
      let bytes: Uint8Array;
      switch (dice.below(6)) {
        case 0:
          bytes = dice.bytes(dice.below(200));
          break;
        case 1:
          bytes = mutate(frame, dice);
          break;
        case 2:
          bytes = seal(dice.bytes(dice.below(80)), dice.bytes(dice.below(40)));
          break;
        case 3:
          bytes = seal(header, mutate(rest, dice));
          break;
        default:
          bytes = seal(mutate(header, dice), rest);
      }
      const { message } = parseFrame(bytes, MAX_FRAME);
      // What the protocol's machines check before they hand a tensor to its receiver.
      if (message.type === "tensor" && message.channels === CHANNELS && message.tokens <= TOKENS) {
        receiver.decode(message);
      }
      return true;
    },
  };
}

/** Runs `frames` frames. Throws at the first that does not end as it must. */
export function fuzz({ frames, seed, progress }: FuzzOptions): FuzzReport {
  const decoders = CODECS.flatMap((codec) => codec.examples).map(decoderTarget);
  // Every other frame goes to the parser, through which all others have to go first.
  const targets = decoders.flatMap((target) => [target, frameTarget()]);
  const counts: Record<string, { accepted: number; refused: number }> = {};
  for (const { name } of targets) counts[name] = { accepted: 0, refused: 0 };
  const dice = new Dice(seed);
  let maxAllocated = 0;
  let maxMilliseconds = 0;
  const start = performance.now();
  const unwatch = watchAllocations();
  try {
    for (let frame = 0; frame < frames; frame++) {
      const target = targets[frame % targets.length]!;
      const finding = (what: string, cause?: unknown) =>
        new Error(`${target.name}, frame ${frame} of seed ${seed}: ${what}`, { cause });
      const count = counts[target.name]!;
      const begun = performance.now();
      allocated.bytes = 0;
      try {
        if (target.attack(dice)) count.accepted++;
      } catch (error) {
        if (!(error instanceof NarrowbandError)) throw finding("an error that is none of ours", error);
        if (!target.codes.includes(error.code)) throw finding(`an error of code ${error.code}`, error);
        count.refused++;
      }
      maxAllocated = Math.max(maxAllocated, allocated.bytes);
      maxMilliseconds = Math.max(maxMilliseconds, performance.now() - begun);
      if (allocated.bytes > MAX_ALLOCATED) throw finding(`${allocated.bytes} bytes allocated`);
      if (maxMilliseconds > MAX_MILLISECONDS) throw finding(`took ${Math.round(maxMilliseconds)} ms`);
      if ((frame + 1) % 50_000 === 0) progress?.(frame + 1);
    }
  } finally {
    unwatch();
  }
  const all = Object.values(counts);
  return {
    frames,
    refused: all.reduce((sum, { refused }) => sum + refused, 0),
    accepted: all.reduce((sum, { accepted }) => sum + accepted, 0),
    seconds: (performance.now() - start) / 1000,
    maxAllocated,
    maxMilliseconds,
    targets: counts,
  };
}
