/**
 * The engines that the tests of this directory run on: all that can be loaded here. The optional one is named with the
 * reason where it cannot, and its tests are skipped under that name.
 */
import { createEngine, ENGINE_NAMES, type EngineName } from "../../shared/engine/registry.ts";
import { asNarrowbandError } from "../../shared/errors.ts";

export interface EngineUnderTest {
  readonly name: EngineName;
  /** For `describe`: the name, and why it is skipped where it is. */
  readonly title: string;
  readonly skip: boolean;
}

async function probe(name: EngineName): Promise<EngineUnderTest> {
  if (name !== "tfjs-node") return { name, title: name, skip: false };
  try {
    await (await createEngine(name)).dispose();
    return { name, title: name, skip: false };
  } catch (error) {
    const { code, message } = asNarrowbandError(error);
    if (code !== "NB_ENGINE_UNAVAILABLE") throw error;
    return { name, title: `${name} [skipped: ${message.split(". Install")[0]}]`, skip: true };
  }
}

/** Rows for describe.each: the title, then the engine. */
export const ENGINES: readonly (readonly [string, EngineUnderTest])[] = (
  await Promise.all(ENGINE_NAMES.map(probe))
).map((engine) => [engine.title, engine]);
