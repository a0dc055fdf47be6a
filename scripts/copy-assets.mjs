/**
 * Copies into dist/ what the compiler does not: the generated protobuf code, which is JavaScript already.
 */
import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

for (const asset of ["proto/generated"]) {
  cpSync(join(root, asset), join(root, "dist", asset), { recursive: true });
}
