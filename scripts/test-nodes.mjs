/**
 * Runs the test suite on every supported release line of Node. The binaries come from the npm registry, as packages
 * node-PLATFORM-ARCH, into a temporary directory; nothing of the machine's own Node is changed.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const RELEASES = process.argv.length > 2 ? process.argv.slice(2) : ["20", "22", "24", "26"];
const windows = process.platform === "win32";
const name = `node-${windows ? "win" : process.platform}-${process.arch}`;

const directory = mkdtempSync(join(tmpdir(), "narrowband-nodes-"));
const failed = [];
try {
  for (const release of RELEASES) {
    const prefix = join(directory, release);
    const install = [
      "install",
      "--prefix",
      prefix,
      "--no-save",
      "--ignore-scripts",
      "--silent",
      `${name}@${release}`,
    ];
    execFileSync("npm", install, { stdio: ["ignore", "inherit", "inherit"], shell: windows });
    const bin = join(prefix, "node_modules", name, "bin");
    const node = join(bin, windows ? "node.exe" : "node");
    const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
    console.log(`\nNode ${version}`);
    // The tests' own child processes find this Node first.
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
    const suite = ["node_modules/vitest/vitest.mjs", "run", "--reporter=dot"];
    if (spawnSync(node, suite, { stdio: "inherit", env }).status !== 0) failed.push(version);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
console.log(failed.length === 0 ? `passed on Node ${RELEASES.join(", ")}` : `failed on ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
