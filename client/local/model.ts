/** Opens a whole model for the commands that run one on this machine (Node only). */
import { availableParallelism } from "node:os";
import type { Engine } from "../../shared/engine/engine.ts";
import { createEngine } from "../../shared/engine/registry.ts";
import { modelFiles, readAdapterDirectory } from "../../shared/model/files-node.ts";
import { joinAdapters } from "../../shared/model/join-adapters.ts";
import { openWholeModel, type WholeModel } from "../../shared/train/whole-model.ts";

export interface LocalModelSettings {
  readonly model: string;
  readonly adapter: readonly string[];
  readonly engine: string;
  /** 0: one for each core. */
  readonly threads: number;
}

export interface LocalModel extends WholeModel {
  readonly engine: Engine;
  close(): Promise<void>;
}

export async function openLocalModel(settings: LocalModelSettings): Promise<LocalModel> {
  const adapters = await Promise.all(settings.adapter.map(readAdapterDirectory));
  const engine = await createEngine(settings.engine, {
    threads: settings.threads || availableParallelism(),
  });
  try {
    const model = await openWholeModel(modelFiles(settings.model), engine, (config) =>
      adapters.length === 0 ? undefined : joinAdapters(config, adapters, settings.adapter),
    );
    return {
      ...model,
      engine,
      async close() {
        await model.runner.dispose();
        await engine.dispose();
      },
    };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}
