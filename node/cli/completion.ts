/**
 * Shell completion, by @bomb.sh/tab: its scripts ask `allocdb complete -- WORDS…` for candidates. The package
 * prints by itself and keeps one tree per process, so either function is the last thing a process does.
 */
import root, { script } from "@bomb.sh/tab";
import tab from "@bomb.sh/tab/commander";
import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Command as UntypedCommand } from "commander";
import { helpWords } from "./help.ts";

/** Names of the program in scripts: what completes and what is called. */
const PROGRAM = "allocdb";

/** Prints the script that teaches a shell to complete. */
export function printScript(shell: "bash" | "zsh" | "fish" | "powershell"): void {
  script(shell, PROGRAM, PROGRAM);
}

/**
 * Prints candidates, one per line with a description, and a last line for the script.
 *
 * @param program The commands; unusable afterwards.
 * @param words The command line so far, the word being typed last.
 */
export function printCandidates(program: CommandUnknownOpts, words: readonly string[]): void {
  const explained = helpWords(program);
  const scratch = new Command(PROGRAM).helpCommand(false);
  for (const option of program.options) scratch.addOption(option);
  // The package brings commands of its own under these names.
  const others = program.commands.filter((command) => !/^complet(e|ion)$/.test(command.name()));
  for (const command of others) scratch.addCommand(command.description(command.summary()));
  // One class under two sets of types: what infers flags, and what the package knows.
  tab(scratch as unknown as UntypedCommand, { completionCommandName: "completion" });
  root.commands.get("help")?.argument("what", (complete) => {
    for (const word of explained) complete(word, "");
  });
  root.parse([...words]);
}
