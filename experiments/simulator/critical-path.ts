/**
 * What a simulated run's time went to. Of everything that happens in a run something is the cause: the work that ended, the message that arrived.
 * Followed back, the causes of a step's end are its critical path: without a gap from the step's end to its beginning, so that its
 * parts add up to the step's time. A machine that had work waiting was held up by the work before, and a message behind others by the link.
 */

/** Milliseconds. */
export interface PathTimes {
  readonly clientCompute: number;
  /** Encoding, decoding, and watching what is sent. */
  readonly clientCodec: number;
  readonly serverCompute: number;
  readonly serverCodec: number;
  /** From a message's sending to its arrival: behind others, on the wire, its delay. */
  readonly link: number;
  /** On clocks: the pause before another attempt to connect, deadlines. */
  readonly waiting: number;
}

export const PATH_PARTS = [
  "clientCompute",
  "clientCodec",
  "serverCompute",
  "serverCodec",
  "link",
  "waiting",
] as const satisfies readonly (keyof PathTimes)[];

export const NO_TIME: PathTimes = {
  clientCompute: 0,
  clientCodec: 0,
  serverCompute: 0,
  serverCodec: 0,
  link: 0,
  waiting: 0,
};

/** `path`, and `ms` more of one part. */
export function longer(path: PathTimes, part: keyof PathTimes, ms: number): PathTimes {
  return { ...path, [part]: path[part] + ms };
}

/** a + share · b, part by part. */
export function addTimes(a: PathTimes, b: PathTimes, share = 1): PathTimes {
  return {
    clientCompute: a.clientCompute + share * b.clientCompute,
    clientCodec: a.clientCodec + share * b.clientCodec,
    serverCompute: a.serverCompute + share * b.serverCompute,
    serverCodec: a.serverCodec + share * b.serverCodec,
    link: a.link + share * b.link,
    waiting: a.waiting + share * b.waiting,
  };
}

export function totalMs(path: PathTimes): number {
  return PATH_PARTS.reduce((sum, part) => sum + path[part], 0);
}
