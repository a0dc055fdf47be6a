/** See audit-check.mjs. */
export function verdictOf(stdout: string): {
  readonly kind: "clean" | "found" | "unanswered";
  readonly message: string;
};
