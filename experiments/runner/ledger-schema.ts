/** A ledger's snapshot as a command's result holds it, checked. */
import { z } from "zod";
import { CATEGORIES, type Category, type LedgerSnapshot } from "../../shared/ledger/ledger.ts";
import { PHASES, type Phase } from "../../shared/protocol/messages.ts";

const bytes = z.strictObject(
  Object.fromEntries(CATEGORIES.map((c) => [c, z.number()])) as Record<Category, z.ZodNumber>,
);
const phase = z.strictObject({ messages: z.number(), tokens: z.number(), elements: z.number(), bytes });

export const ledgerSchema: z.ZodType<LedgerSnapshot> = z.strictObject({
  up: bytes,
  down: bytes,
  phases: z.strictObject(Object.fromEntries(PHASES.map((p) => [p, phase])) as Record<Phase, typeof phase>),
});
