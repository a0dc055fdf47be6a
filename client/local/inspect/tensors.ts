/** Lists of tensors, as all descriptions show them. */
import { formatCount, formatTable } from "../../../shared/command/format.ts";
import type { StoredType } from "../../../shared/model/dtype.ts";

export interface TensorFact {
  readonly name: string;
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly elements: number;
}

export function tensorLines(tensors: readonly TensorFact[]): string[] {
  return formatTable(
    ["tensor", "type", "shape", "elements"],
    tensors.map(({ name, dtype, shape, elements }) => [
      name,
      dtype,
      `[${shape.join(", ")}]`,
      formatCount(elements),
    ]),
    new Set([3]),
  );
}
