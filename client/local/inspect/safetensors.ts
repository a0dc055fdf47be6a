/** Describes a safetensors file from its header; the data are not read. */
import { formatBytes, formatCount } from "../../../shared/command/format.ts";
import { fail } from "../../../shared/errors.ts";
import { elementCount } from "../../../shared/model/dtype.ts";
import { openFile } from "../../../shared/model/files-node.ts";
import { SafetensorsFile } from "../../../shared/model/tensor-source.ts";
import type { Description, InspectSettings } from "../inspect.ts";
import { type TensorFact, tensorLines } from "./tensors.ts";

/** Elements by element type. */
export function elementsByDtype(tensors: Iterable<TensorFact>): Record<string, number> {
  const out: Record<string, number> = {};
  for (const { dtype, elements } of tensors) out[dtype] = (out[dtype] ?? 0) + elements;
  return out;
}

export async function describeSafetensors(path: string, settings: InspectSettings): Promise<Description> {
  const bytes = (await openFile(path)) ?? fail("NB_FILE_UNREADABLE", `cannot read ${path}`);
  const { size } = bytes;
  const file = await SafetensorsFile.open(bytes);
  const { header } = file;
  await file.close();
  const tensors: TensorFact[] = [...header.tensors].map(([name, { dtype, shape }]) => ({
    name,
    dtype,
    shape,
    elements: elementCount(shape),
  }));
  const byDtype = elementsByDtype(tensors);
  const elements = tensors.reduce((sum, t) => sum + t.elements, 0);
  const types = Object.entries(byDtype).map(([dtype, n]) => `${formatCount(n)} in ${dtype}`);
  const metadata = [...header.metadata].map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  return {
    facts: {
      kind: "safetensors",
      bytes: size,
      tensors: settings.tensors ? tensors : tensors.length,
      elements,
      elementsByDtype: byDtype,
      metadata: Object.fromEntries(header.metadata),
    },
    lines: [
      `${path}: a safetensors file of ${formatBytes(size)}`,
      `${formatCount(tensors.length)} tensors with ${formatCount(elements)} elements: ${types.join(", ") || "none"}`,
      ...(metadata.length === 0 ? [] : [`metadata: ${metadata.join(", ")}`]),
      ...(settings.tensors ? ["", ...tensorLines(tensors)] : []),
    ],
  };
}
