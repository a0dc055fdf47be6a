/** What `narrowband codec bench` does: measures, prints tables, writes page and JSON. */

import { join } from "node:path";
import type { z } from "zod";
import { readCapture } from "../../shared/capture/capture-node.ts";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatDuration, formatTable } from "../../shared/command/format.ts";
import { packageRoot } from "../../shared/command/package-root.ts";
import { checkWritable, writeText } from "../../shared/output-node.ts";
import type { codecBenchCommand } from "../commands/codec-bench.ts";
import { familiesOf } from "./arms.ts";
import { benchHtml } from "./page.ts";
import { runBench, tableOf } from "./result.ts";

export type CodecBenchSettings = z.output<typeof codecBenchCommand.options>;

/** The capture that the package brings. */
function bundledCapture(): string {
  return join(packageRoot(), "models", "base-6m", "capture.nbcap");
}

export async function runCodecBench(settings: CodecBenchSettings, context: CommandContext): Promise<void> {
  const begun = performance.now();
  const families = familiesOf(settings.codec);
  const paths = {
    html: join(settings.out, "codec-bench.html"),
    json: join(settings.out, "codec-bench.json"),
  };
  checkWritable(paths.html);
  const capture = await readCapture(settings.capture ?? bundledCapture());
  const progress = await context.progress();
  const arms = families.reduce((count, { codecs }) => count + codecs.length, 0);
  let bar: ReturnType<typeof progress.bar> | undefined;
  const result = await runBench(capture, families, context.signal, (done, total, codec) => {
    bar ??= progress.bar("codecs", total);
    bar.update(done, codec);
  });
  progress.stop();

  for (const role of ["activation", "gradient"] as const) {
    const { head, cells } = tableOf(result.rows, role);
    if (cells.length === 0) continue;
    context.print(`${role === "activation" ? "Activations" : "Gradients"}, both cuts:`);
    const numeric = new Set(head.keys());
    numeric.delete(0);
    for (const line of formatTable(head, cells, numeric)) context.print(line);
    context.print("");
  }
  context.print(
    "steady: to a receiver that has bit tables and predictors already; bits/element charges them, too.",
  );
  context.print("saves: bits per element that fixed would need more at the same NMSE.");
  await writeText(paths.json, `${JSON.stringify(result, null, 1)}\n`);
  await writeText(paths.html, await benchHtml(result));
  context.print(
    `${arms} codecs in ${formatDuration(performance.now() - begun)}; plots are in ${paths.html}, numbers in ${paths.json}.`,
  );
  await context.result({ ...result, written: paths });
}
