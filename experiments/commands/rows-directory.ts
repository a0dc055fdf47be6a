/** The argument of every command that reads an experiment's rows. */
import { option } from "../../shared/command/definition.ts";
import { FILES_GROUP, path } from "../../shared/command/shared-options.ts";

export const rowsDirectory = option(path, {
  help: "directory with rows",
  group: FILES_GROUP,
  value: "dir",
  positional: true,
});
