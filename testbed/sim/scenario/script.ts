/**
 * The text of a protocol script: comments (`#`), commands, and behind `----` what they said when a person last
 * looked. A block of commands ends at a blank line; one that says nothing needs no `----`.
 */
import { ScriptError, Words } from "./words.ts";

/** Commands that are carried out together, and what is expected of them. */
export interface Block {
  readonly commands: readonly Words[];
  /** How many lines of the script come before what they said. */
  readonly commandsEnd: number;
  readonly expected: readonly string[];
}

/** See the top of this file. */
export interface Script {
  /** Its first comment. */
  readonly title: string;
  readonly lines: readonly string[];
  readonly blocks: readonly Block[];
}

/** What stands between commands and what they said. */
export const RULE = "----";

/**
 * Takes a script apart.
 *
 * @param text The script.
 * @returns Its blocks.
 * @throws {ScriptError} When it is none.
 */
export function parseScript(text: string): Script {
  const lines = text.replace(/\n+$/, "").split("\n").map((line) => line.trimEnd());
  const [first] = lines;
  if (!first?.startsWith("# ")) {
    throw new ScriptError(1, "a script begins with a comment that says what it shows");
  }
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length;) {
    const end = endOfBlock(lines, at);
    const block = parseBlock(lines, at, end);
    if (block !== undefined) blocks.push(block);
    at = end + 1;
  }
  if (blocks.length === 0) throw new ScriptError(lines.length, "a script has commands");
  return { title: first.slice(2), lines, blocks };
}

/** The index of the next blank line, or behind the last line. */
function endOfBlock(lines: readonly string[], from: number): number {
  const found = lines.indexOf("", from);
  return found < 0 ? lines.length : found;
}

function parseBlock(lines: readonly string[], from: number, end: number): Block | undefined {
  const rule = lines.indexOf(RULE, from);
  const commandsEnd = rule < 0 || rule >= end ? end : rule;
  const commands: Words[] = [];
  for (let at = from; at < commandsEnd; at++) {
    if (!lines[at]!.startsWith("#")) commands.push(new Words(lines[at]!, at + 1));
  }
  if (commands.length === 0 && commandsEnd < end) {
    throw new ScriptError(commandsEnd + 1, `no command stands above ${RULE}`);
  }
  if (commands.length === 0) return undefined;
  return { commands, commandsEnd, expected: lines.slice(commandsEnd + 1, end) };
}

/** The script with other words behind its commands. */
export function rewritten({ lines, blocks }: Script, said: readonly (readonly string[])[]): string {
  const result: string[] = [];
  let at = 0;
  for (const [i, block] of blocks.entries()) {
    result.push(...lines.slice(at, block.commandsEnd));
    const words = said[i] ?? [];
    if (words.length > 0) result.push(RULE, ...words);
    at = endOfBlock(lines, block.commandsEnd);
  }
  return [...result, ...lines.slice(at)].join("\n") + "\n";
}
