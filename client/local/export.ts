/** What `narrowband export` does. */
import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { z } from "zod";
import type { CommandContext } from "../../shared/command/context.ts";
import { formatBytes, formatCount } from "../../shared/command/format.ts";
import { fail } from "../../shared/errors.ts";
import type { FloatDtype, StoredType } from "../../shared/model/dtype.ts";
import { DTYPE_BYTES, elementCount, isFloatDtype, isWeightType } from "../../shared/model/dtype.ts";
import {
  modelFiles,
  openModelDirectory,
  readAdapterDirectory,
  writeAdapterDirectory,
  writeMergedModel,
} from "../../shared/model/files-node.ts";
import type { HfModel } from "../../shared/model/hf-directory.ts";
import { joinAdapters } from "../../shared/model/join-adapters.ts";
import { ADAPTER_CONFIG, type Adapter } from "../../shared/model/peft.ts";
import type { exportCommand } from "../commands/export.ts";

type ExportSettings = z.output<typeof exportCommand.options>;

const DTYPES: Readonly<Record<"f32" | "f16" | "bf16", FloatDtype>> = { f32: "F32", f16: "F16", bf16: "BF16" };

/** The type that most of a model's elements are stored in; f16 for quantized blocks, whose constants are f16. */
async function commonestDtype(model: HfModel): Promise<FloatDtype> {
  const elements = new Map<StoredType, number>();
  for (const name of model.tensors.names()) {
    const dtype = await model.tensors.dtype(name);
    elements.set(dtype, (elements.get(dtype) ?? 0) + elementCount(await model.tensors.shape(name)));
  }
  const [first] = [...elements].filter(([dtype]) => isWeightType(dtype)).sort(([, a], [, b]) => b - a);
  if (first === undefined) fail("NB_MODEL_INVALID", "the model has no tensor of floating-point numbers");
  const [dtype] = first;
  return isFloatDtype(dtype) ? dtype : "F16";
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Refuses to write over inputs, and over other outputs unless that was asked for. */
async function checkTarget({ out, as, model, adapter, overwrite }: ExportSettings): Promise<void> {
  for (const input of [model, ...adapter])
    if (resolve(out) === resolve(input))
      fail(
        "NB_CONFIG_INVALID",
        `--out: ${JSON.stringify(out)} was given; accepted: another directory than those that are read`,
      );
  const mark = as === "model" ? "config.json" : ADAPTER_CONFIG;
  if (!overwrite && (await exists(join(out, mark))))
    fail(
      "NB_CONFIG_INVALID",
      `--out: ${out} has a ${mark} already; accepted: another directory, or --overwrite`,
    );
}

function parameters(adapter: Adapter): number {
  let n = 0;
  for (const { shape } of adapter.tensors.values()) n += elementCount(shape);
  return n;
}

export async function runExport(settings: ExportSettings, context: CommandContext): Promise<void> {
  await checkTarget(settings);
  const model = await openModelDirectory(settings.model);
  try {
    const parts = await Promise.all(settings.adapter.map(readAdapterDirectory));
    const joined = joinAdapters(model.config, parts, settings.adapter);
    context.signal.throwIfAborted();
    if (settings.as === "adapter") {
      const adapter = { ...joined, baseModel: joined.baseModel ?? settings.model };
      await writeAdapterDirectory(settings.out, model.config, adapter);
      const count = parameters(adapter);
      const layers = adapter.layers ?? [...Array(model.config.layers).keys()];
      await context.result({ out: settings.out, as: "adapter", parameters: count, layers });
      context.print(
        `${settings.out}: a PEFT adapter of rank ${adapter.lora.r} with ${formatCount(count)} parameters ` +
          `on ${layers.length} of ${model.config.layers} blocks`,
      );
      return;
    }
    const dtype = settings.dtype === "same" ? await commonestDtype(model) : DTYPES[settings.dtype];
    await writeMergedModel(settings.out, modelFiles(settings.model), joined, { dtype });
    const written = await openModelDirectory(settings.out);
    let count = 0;
    for (const name of written.tensors.names()) count += elementCount(await written.tensors.shape(name));
    await written.close();
    const bytes = count * DTYPE_BYTES[dtype];
    await context.result({ out: settings.out, as: "model", parameters: count, dtype, bytes });
    context.print(
      `${settings.out}: a plain ${model.config.family} model, ${formatCount(count)} parameters in ${dtype.toLowerCase()}, ${formatBytes(bytes)}`,
    );
  } finally {
    await model.close();
  }
}
