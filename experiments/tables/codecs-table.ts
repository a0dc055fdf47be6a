/**
 * `table: codecs CAPTURE`: what codecs do to the tensors of a capture, as `narrowband codec bench` measures it. In place of results the mark names the
 * capture's file, as seen from the document.
 */
import { dirname, join } from "node:path";
import { z } from "zod";
import { readCapture } from "../../shared/capture/capture-node.ts";
import { fail, NarrowbandError } from "../../shared/errors.ts";
import { type Family, familiesOf } from "../codec-bench/arms.ts";
import { type BenchRow, errorText, runBench, summaries } from "../codec-bench/result.ts";
import { markdownTable } from "./markdown.ts";
import type { Mark } from "./marks.ts";
import { optionsOf } from "./selection.ts";

const schema = z.strictObject({
  /** Codec strings with spaces between: commas are within them. */
  codecs: z
    .string()
    .transform((text) => text.split(/\s+/).filter((codec) => codec !== ""))
    .pipe(z.array(z.string()).min(1)),
});

function known(codecs: readonly string[], mark: Mark): readonly Family[] {
  try {
    return familiesOf(codecs);
  } catch (cause) {
    if (!(cause instanceof NarrowbandError)) throw cause;
    return fail("NB_DATA_INVALID", `${mark.place}: codecs: ${cause.message}`);
  }
}

/** Three columns on activations or on gradients: of both cuts together, as the bench has them. None where the capture holds no such tensor. */
function sideOf(rows: readonly BenchRow[], role: "activation" | "gradient") {
  const phases = (role === "activation" ? ["A1", "A2"] : ["G2", "G1"]).filter((phase) =>
    rows.some((row) => row.phase === phase),
  );
  if (phases.length === 0) return [];
  const cells = summaries(rows, role).map(({ nmse, worstChannelNmse, deadChannels }) => [
    errorText(nmse),
    errorText(worstChannelNmse),
    String(deadChannels),
  ]);
  return [{ head: [`${phases.join(" and ")}: NMSE`, "worst channel", "dead"], cells }];
}

export async function codecsTable(mark: Mark): Promise<string> {
  const { codecs } = optionsOf(schema, mark);
  const families = known(codecs, mark);
  const [file, ...more] = mark.results;
  if (file === undefined || more.length > 0)
    return fail(
      "NB_DATA_INVALID",
      `${mark.place}: ${mark.results.length} captures were given; accepted: one`,
    );
  const capture = await readCapture(join(dirname(mark.document), file));
  const { rows } = await runBench(capture, families, new AbortController().signal, () => {});
  const sides = [...sideOf(rows, "activation"), ...sideOf(rows, "gradient")];
  return markdownTable(
    ["codec", ...sides.flatMap(({ head }) => head)],
    families.map(({ name }, i) => [`\`${name}\``, ...sides.flatMap(({ cells }) => cells[i])]),
    new Set([0]),
  );
}
