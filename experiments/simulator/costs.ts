/**
 * What a job's work costs: milliseconds of each computation, codec included, for one micro-batch, and bytes of each transfer. Measured on a machine
 * (calibrate.ts), or given.
 */
import { z } from "zod";

const ms = z.number().min(0);
const bytes = z.int().min(0);

export const costsSchema = z.strictObject({
  /** Of one micro-batch on a client: bottom forward and A1 encoded; A2 decoded, top, G2 encoded; G1 decoded, bottom backward. */
  client: z.strictObject({ bottom: ms, top: ms, backward: ms, /** Of a step. */ apply: ms }),
  /** On the server: A1 decoded, trunk forward, A2 encoded; G2 decoded, trunk backward, G1 encoded. */
  server: z.strictObject({
    forward: ms,
    backward: ms,
    /** Of a round: adding each client's gradients, and the optimizer's step. */
    addGradients: ms,
    optimizer: ms,
  }),
  /** What of the above is the codec's; left out, it is not known and counts as computing. */
  codec: z
    .strictObject({
      client: z.strictObject({ bottom: ms, top: ms, backward: ms }),
      server: z.strictObject({ forward: ms, backward: ms }),
    })
    .optional(),
  /** Whole tensor messages with WebSocket framing, for one micro-batch. */
  bytes: z.strictObject({ A1: bytes, A2: bytes, G2: bytes, G1: bytes }),
  /** Of a client's adapters, when they are averaged. */
  adapterBytes: bytes,
  /** Tokens of a micro-batch. */
  tokens: z.int().min(1),
});

export type Costs = z.infer<typeof costsSchema>;

const NO_CODEC = { client: { bottom: 0, top: 0, backward: 0 }, server: { forward: 0, backward: 0 } };

/** The codec's part of computations, 0 where it is not known. */
export function codecCosts({ codec }: Costs): NonNullable<Costs["codec"]> {
  return codec ?? NO_CODEC;
}
