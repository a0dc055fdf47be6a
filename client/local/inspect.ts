/**
 * What `narrowband inspect` does: finds out what a path is, and has the right file of inspect/ describe it. A description is
 * facts for machines and lines for people, made of the same numbers.
 */
import { open, readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import type { z } from "zod";
import { CAPTURE_MAGIC } from "../../shared/capture/capture.ts";
import type { CommandContext } from "../../shared/command/context.ts";
import { fail, NarrowbandError } from "../../shared/errors.ts";
import { RUN_LOG_FORMAT } from "../../shared/ledger/run-log-node.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../../shared/model/peft.ts";
import type { inspectCommand } from "../commands/inspect.ts";

export type InspectSettings = z.output<typeof inspectCommand.options>;

export interface Description {
  /** For `--json`; `kind` says what it is. */
  readonly facts: Readonly<Record<string, unknown>> & { readonly kind: string };
  readonly lines: readonly string[];
}

const ACCEPTED =
  "a model directory (config.json), an adapter directory (adapter_config.json), a directory with checkpoints, or a file: GGUF, safetensors, checkpoint (.nbck), redo log (.nbredo), run log (.nblog) or capture (.nbcap)";

async function describeDirectory(path: string, settings: InspectSettings): Promise<Description> {
  const names = new Set(await readdir(path));
  if (names.has(ADAPTER_CONFIG) && names.has(ADAPTER_WEIGHTS)) {
    const { describeAdapter } = await import("./inspect/adapter.ts");
    return describeAdapter(path, settings);
  }
  if (names.has("config.json")) {
    const { describeModel } = await import("./inspect/model.ts");
    return describeModel(path, settings);
  }
  const { newestCheckpoint } = await import("./inspect/checkpoint.ts");
  const newest = newestCheckpoint(names);
  if (newest !== undefined) return describeFile(join(path, newest), settings);
  if (names.has("checkpoints")) return describeDirectory(join(path, "checkpoints"), settings);
  return fail(
    "NB_CONFIG_INVALID",
    `path: ${path} is a directory of none of the known forms; accepted: ${ACCEPTED}`,
  );
}

/** The first bytes of a file. */
async function beginning(path: string, length: number): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function describeFile(path: string, settings: InspectSettings): Promise<Description> {
  const head = await beginning(path, 64);
  if (head.subarray(0, 4).toString("latin1") === "GGUF") {
    const { describeModel } = await import("./inspect/model.ts");
    return describeModel(path, settings);
  }
  if (head.subarray(0, 4).toString("latin1") === "NBCK") {
    const { describeCheckpoint } = await import("./inspect/checkpoint.ts");
    return describeCheckpoint(path, settings);
  }
  if (head.subarray(0, 4).toString("latin1") === "NBRL") {
    const { describeRedoLog } = await import("./inspect/redo-log.ts");
    return describeRedoLog(path);
  }
  if (head.subarray(0, 4).toString("latin1") === CAPTURE_MAGIC) {
    const { describeCapture } = await import("./inspect/capture.ts");
    return describeCapture(path, settings);
  }
  if (head.includes(RUN_LOG_FORMAT)) {
    const { describeRunLog } = await import("./inspect/run-log.ts");
    return describeRunLog(path);
  }
  // A safetensors file begins with the length of its header, and the header with a brace.
  if (extname(path) === ".safetensors" || head[8] === 0x7b) {
    const { describeSafetensors } = await import("./inspect/safetensors.ts");
    return describeSafetensors(path, settings);
  }
  return fail(
    "NB_CONFIG_INVALID",
    `path: ${path} is a file of none of the known forms; accepted: ${ACCEPTED}`,
  );
}

export async function describePath(path: string, settings: InspectSettings): Promise<Description> {
  let directory: boolean;
  try {
    directory = (await stat(path)).isDirectory();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NarrowbandError("NB_FILE_UNREADABLE", `cannot read ${path}: ${reason}`, { cause });
  }
  return directory ? describeDirectory(path, settings) : describeFile(path, settings);
}

export async function runInspect(settings: InspectSettings, context: CommandContext): Promise<void> {
  const { facts, lines } = await describePath(settings.path, settings);
  for (const line of lines) context.print(line);
  await context.result({ path: settings.path, ...facts });
}
