/**
 * Salient channels: the few whose values matter many times as much as the others' (outlier channels of pretrained models;
 * T. Dettmers et al., "LLM.int8()", arXiv:2208.07339). They are kept at the greatest width, and an allocator shares what
 * that leaves of the budget among the others.
 *
 * What a channel matters is its weight in sensitivity.ts: the square of its range, as far as the quantizer's error tells it,
 * times the mean square of its gradient. A channel is salient from RATIO times the median weight on, and one that is so
 * already counts STAY times, so that the set does not flicker. Learning is in endStep() alone. The receiver sees widths.
 */

import { fail } from "../errors.ts";
import type { AllocatorOptions } from "./allocators/allocator.ts";
import { Sensitivity } from "./allocators/sensitivity.ts";
import type { CodecState } from "./codec.ts";
import type { ChannelSums } from "./gain.ts";
import { widthsOf } from "./state.ts";
import type { WidthPlan } from "./widths.ts";

/** Weight over the median weight of the channels from which one is salient: eight times in range times gradient. */
const RATIO = 64;

/**
 * A salient channel counts so many times: it stays down to an eighth of RATIO. In messages of few tokens its error, at the
 * greatest width, makes it look up to a third as weighty as at the width from which it came.
 */
const STAY = 8;

/** At most one channel in this many is salient: more of them are no exception but how the tensor is. */
const MIN_CHANNELS_PER_SALIENT = 16;

/** Of the bits that the budget has above the least widths, what salient channels may take. */
const MOST_OF_ROOM = 0.5;

/** Names of the averages in a saved state, where the allocator may have some of its own. */
const PREFIX = "salient.";

export class SalientChannels {
  /** 1 for a salient channel [channels]; changes in choose() and restore() alone. */
  readonly kept: Uint8Array;
  private readonly options: Pick<AllocatorOptions, "channels" | "maxBits" | "errorAt" | "averaging">;
  private readonly sensitivity: Sensitivity;

  constructor(options: Pick<AllocatorOptions, "channels" | "maxBits" | "errorAt" | "averaging">) {
    this.options = options;
    this.kept = new Uint8Array(options.channels);
    this.sensitivity = new Sensitivity(options);
  }

  /** Takes in what a step's tensors, quantized by `plan`, said; undefined when there were none. */
  learn(sums: ChannelSums | undefined, { widths, steps }: WidthPlan): void {
    if (sums === undefined) return;
    if (steps === undefined) this.sensitivity.learnAt(sums, widths);
    else
      this.sensitivity.learn(
        sums,
        steps.map((count) => count ** -2),
      );
  }

  /**
   * Sets `kept` for widths of at least `least` bits whose sum is `total`. True when it changes. Always leaves the others
   * room for `least` bits.
   */
  choose(total: number, least: number): boolean {
    const { channels, maxBits } = this.options;
    const weights = this.sensitivity.weights();
    if (weights === undefined || least >= maxBits) return false;
    const room = Math.max(0, total - least * channels);
    const most = Math.floor(
      Math.min(channels / MIN_CHANNELS_PER_SALIENT, (MOST_OF_ROOM * room) / (maxBits - least)),
    );
    const threshold = RATIO * weights.slice().sort()[channels >> 1]!;
    const standing = weights.map((weight, c) => weight * (this.kept[c] === 1 ? STAY : 1));
    const found = Array.from(standing.keys()).filter((c) => standing[c]! > threshold);
    found.sort((a, b) => standing[b]! - standing[a]! || a - b);
    const before = this.kept.slice();
    this.kept.fill(0);
    for (const c of found.slice(0, most)) this.kept[c] = 1;
    return before.some((kept, c) => kept !== this.kept[c]);
  }

  save(arrays: Record<string, CodecState["arrays"][string]>, numbers: Record<string, number>): void {
    const averages = this.sensitivity.save();
    for (const [name, array] of Object.entries(averages.arrays)) arrays[PREFIX + name] = array;
    for (const [name, number] of Object.entries(averages.numbers)) numbers[PREFIX + name] = number;
    arrays[`${PREFIX}kept`] = this.kept.slice();
  }

  /** Reads what save() wrote; the function that it returns takes it over, so that a wrong state changes nothing. */
  prepare(state: CodecState): () => void {
    const own = <T>(values: Readonly<Record<string, T>>) =>
      Object.fromEntries(
        Object.entries(values)
          .filter(([name]) => name.startsWith(PREFIX))
          .map(([name, value]) => [name.slice(PREFIX.length), value]),
      );
    const averages = { ...state, arrays: own(state.arrays), numbers: own(state.numbers) };
    const kept = widthsOf(state, `${PREFIX}kept`, this.options.channels, 0, 1);
    const count = kept.reduce((sum, one) => sum + one, 0);
    const most = Math.floor(this.options.channels / MIN_CHANNELS_PER_SALIENT);
    if (count > most) {
      fail(
        "NB_CODEC_STATE_INVALID",
        `the saved state has ${count} salient channels; at most ${most} are accepted`,
      );
    }
    new Sensitivity(this.options).restore(averages);
    return () => {
      this.kept.set(kept);
      this.sensitivity.restore(averages);
    };
  }
}
