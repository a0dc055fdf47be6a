/** docs/metrics.md lists the metrics that there are, with their types and labels. */
import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { attacked, cleanUp } from "./raw-peer.ts";

afterEach(cleanUp);

it("the page of metrics has each of ours, with its type and labels, and no other", async () => {
  const { server } = await attacked();
  const text = (await server.app.inject("/metrics")).body;
  const types = [...text.matchAll(/^# TYPE (narrowband_\S+) (\S+)$/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  );
  const page = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(narrowband_\w+)` \| (\w+) \| (.*?) \|/gm)];
  expect(rows.map(([, name, type]) => `${name} ${type}`).toSorted()).toEqual(types.toSorted());
  for (const [, name, , labels] of rows) {
    const sample = new RegExp(`^${name}\\{([^}]*)\\}`, "m").exec(text)?.[1];
    if (sample === undefined) continue;
    const given = [...sample.matchAll(/(\w+)="/g)].map(([, label]) => label);
    expect(
      [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
      name,
    ).toEqual(given);
  }
});
