/** What is known of other processes of this machine (Node only). */
import { readFileSync } from "node:fs";

/** Whether a process is there and at work; one that has ended and was not yet asked after by its parent is not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's may not be sent anything.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  try {
    return !/^\d+ \(.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return true;
  }
}
