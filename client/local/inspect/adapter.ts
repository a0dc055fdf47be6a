/** Describes a PEFT LoRA adapter directory. */
import { formatCount } from "../../../shared/command/format.ts";
import { elementCount } from "../../../shared/model/dtype.ts";
import { readAdapterDirectory } from "../../../shared/model/files-node.ts";
import { globalNorm } from "../../../shared/train/adamw.ts";
import type { Description, InspectSettings } from "../inspect.ts";
import { type TensorFact, tensorLines } from "./tensors.ts";

/** Number of the block in a tensor's name: the first number between dots. */
function blockOf(name: string): number | undefined {
  const found = /\.(\d+)\./.exec(name);
  return found === null ? undefined : Number(found[1]);
}

export async function describeAdapter(path: string, settings: InspectSettings): Promise<Description> {
  const { lora, tensors, baseModel } = await readAdapterDirectory(path);
  const facts: TensorFact[] = [...tensors].map(([name, { shape }]) => ({
    name,
    dtype: "F32",
    shape,
    elements: elementCount(shape),
  }));
  const parameters = facts.reduce((sum, t) => sum + t.elements, 0);
  const blocks = [...new Set(facts.map(({ name }) => blockOf(name)).filter((n) => n !== undefined))].sort(
    (a, b) => a - b,
  );
  const modules = [...new Set(facts.map(({ name }) => name.split(".").at(-3) ?? name))].sort();
  // B begins at zero: its norm says whether the adapter was trained at all.
  const norm = globalNorm(
    [...tensors].filter(([name]) => name.endsWith(".lora_B.weight")).map(([, { data }]) => data),
  );
  return {
    facts: {
      kind: "adapter",
      baseModel: baseModel ?? null,
      ...lora,
      blocks,
      modules,
      parameters,
      normOfB: norm,
      tensors: settings.tensors ? facts : facts.length,
    },
    lines: [
      `${path}: a PEFT LoRA adapter${baseModel === undefined ? "" : ` for ${baseModel}`}`,
      `rank ${lora.r}, alpha ${lora.alpha} (the update is scaled by ${lora.alpha / lora.r}), dropout ${lora.dropout} in training`,
      `${formatCount(parameters)} parameters in ${formatCount(facts.length)} tensors on blocks ${blocks.join(", ")}: ${modules.join(", ")}`,
      norm === 0 ? "untrained: B is zero, so it changes nothing" : `norm of B: ${norm.toPrecision(4)}`,
      ...(settings.tensors ? ["", ...tensorLines(facts)] : []),
    ],
  };
}
