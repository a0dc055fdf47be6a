/** The check for advisories tells "found" from "not known". */
import { describe, expect, it } from "vitest";
import { verdictOf } from "../../scripts/audit-check.mjs";

const counts = (rest: object) => ({ info: 0, low: 0, moderate: 0, high: 0, critical: 0, total: 0, ...rest });

describe("an answer of npm audit", () => {
  it("without advisories is clean, and so is one with small ones only", () => {
    for (const vulnerabilities of [counts({}), counts({ moderate: 3, low: 9 })])
      expect(verdictOf(JSON.stringify({ vulnerabilities: {}, metadata: { vulnerabilities } })).kind).toBe(
        "clean",
      );
  });

  it("with a high or critical one fails, and names it", () => {
    for (const severity of ["high", "critical"]) {
      const answer = {
        vulnerabilities: { ws: { name: "ws", severity, range: "<8" }, a: { name: "a", severity: "low" } },
        metadata: { vulnerabilities: counts({ [severity]: 1, low: 1 }) },
      };
      const { kind, message } = verdictOf(JSON.stringify(answer));
      expect(kind).toBe("found");
      expect(message).toBe(`  ws <8 (${severity})`);
    }
  });

  it.each([
    '{"error":{"code":"ENOAUDIT","summary":"Your configured registry does not support audit requests."}}',
    '{"message":"request failed","error":{"code":"ECONNREFUSED"}}',
    '{"error":{"summary":"","detail":""},"metadata":{"vulnerabilities":{"high":0}}}',
    "{}",
    "null",
    "",
    "<html>502</html>",
  ])("that is %s is none", (stdout) => {
    const { kind, message } = verdictOf(stdout);
    expect(kind).toBe("unanswered");
    expect(message.length).toBeGreaterThan(3);
  });
});
