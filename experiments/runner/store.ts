/**
 * The directory of a run: cells/CONFIG.CODE.jsonl, one file for each finished cell, named by its hashes. A file is put there whole when
 * its cell is done, so whatever is there counts, and a run that was killed goes on with what is missing.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { asNarrowbandError, fail, NarrowbandError } from "../../shared/errors.ts";
import { makeDirectory, writeText } from "../../shared/output-node.ts";
import { type CellRows, csvHead, csvLines, parseCellRows, type WrittenRow } from "./rows.ts";

const CELLS = "cells";
const FILE = /^([0-9a-f]{16})\.([0-9a-f]{16})\.jsonl$/;

export class RowStore {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  #path(config: string, code: string): string {
    return join(this.directory, CELLS, `${config}.${code}.jsonl`);
  }

  /** Whether a cell's rows are there, and not damaged. */
  has(config: string, code: string): boolean {
    return this.find(config, code) !== undefined;
  }

  /**
   * A cell's rows; undefined when they are not there, or damaged.
   *
   * @param onDamage told what is wrong with the file
   * @throws NB_FILE_UNREADABLE
   */
  find(config: string, code: string, onDamage?: (what: string) => void): CellRows | undefined {
    if (!existsSync(this.#path(config, code))) return undefined;
    try {
      return this.read(config, code);
    } catch (error) {
      if (!(error instanceof NarrowbandError) || error.code !== "NB_DATA_INVALID") throw error;
      onDamage?.(error.message);
      return undefined;
    }
  }

  /** Keeps a finished cell's rows. */
  async write(config: string, code: string, rows: readonly WrittenRow[]): Promise<void> {
    makeDirectory(join(this.directory, CELLS));
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
    await writeText(this.#path(config, code), text);
  }

  /** Takes a cell's rows away. */
  remove(config: string, code: string): void {
    rmSync(this.#path(config, code));
  }

  /** Hashes of all cells that are there, of any version. */
  hashes(): { readonly config: string; readonly code: string }[] {
    let names: string[];
    try {
      names = readdirSync(join(this.directory, CELLS)).toSorted();
    } catch {
      return [];
    }
    return names.flatMap((name) => {
      const match = FILE.exec(name);
      return match === null ? [] : [{ config: match[1], code: match[2] }];
    });
  }

  /**
   * A cell's rows.
   *
   * @throws NB_FILE_UNREADABLE, NB_DATA_INVALID when the file is damaged or its rows are of other hashes than its name.
   */
  read(config: string, code: string): CellRows {
    const path = this.#path(config, code);
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (cause) {
      throw new NarrowbandError("NB_FILE_UNREADABLE", `cannot read ${path}`, { cause });
    }
    try {
      const rows = parseCellRows(path, text);
      for (const row of [rows.cell, rows.end, rows.trace, ...rows.steps, ...rows.evaluations])
        if (row !== undefined && (row.config !== config || row.code !== code))
          fail("NB_DATA_INVALID", `${path}: holds a row of ${row.config}.${row.code}`);
      return rows;
    } catch (cause) {
      const { code: error, message } = asNarrowbandError(cause);
      throw new NarrowbandError(
        error,
        `${message}; delete the file, or let narrowband experiment run make it again`,
        { cause },
      );
    }
  }

  /** Writes rows.csv: all steps and measurements of these cells, for spreadsheets. */
  async writeCsv(cells: readonly CellRows[]): Promise<string> {
    const path = join(this.directory, "rows.csv");
    const lines = [csvHead(), ...cells.flatMap(csvLines), ""];
    makeDirectory(this.directory);
    await writeText(path, lines.join("\n"));
    return path;
  }
}
