/** Learning-rate schedules: a linear warm-up, then constant, linear or cosine decay (Loshchilov and Hutter, 2017). */
import { z } from "zod";

export const scheduleSchema = z.strictObject({
  /** Peak learning rate. */
  learningRate: z.number().positive().max(10).default(1e-3),
  /** Steps over which the rate climbs from 0 to its peak. */
  warmupSteps: z.int().min(0).default(0),
  decay: z.enum(["constant", "linear", "cosine"]).default("cosine"),
  /** The decay ends at this fraction of the peak. */
  finalFraction: z.number().min(0).max(1).default(0.1),
});

export type ScheduleConfig = z.infer<typeof scheduleSchema>;

/** The rate of optimizer step `step` (from 0) in a run of `totalSteps`; beyond the end it stays at the final rate. */
export function learningRateAt(schedule: ScheduleConfig, step: number, totalSteps: number): number {
  const { learningRate, warmupSteps, decay, finalFraction } = schedule;
  if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
  if (decay === "constant") return learningRate;
  const span = Math.max(1, totalSteps - 1 - warmupSteps);
  const progress = Math.min(1, Math.max(0, (step - warmupSteps) / span));
  const left = decay === "linear" ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress));
  return learningRate * (finalFraction + (1 - finalFraction) * left);
}
