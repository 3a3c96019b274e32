/** `allocdb help`: commands, error codes, topics, and all of it for programs. */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type ErrorCode, ERRORS, EXIT_CODES, isErrorCode } from "../error_catalogue.ts";
import { CliError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { EXAMPLES } from "./examples.ts";
import type { CliIo } from "./io.ts";
import { jsonText } from "./output.ts";
import { quote } from "./text.ts";
import { TOPICS } from "./topics.ts";

/**
 * Explains one thing, or says what there is.
 *
 * @param program For the commands.
 * @param io Where to.
 * @param what A command, an error code or a topic; absent for the overview.
 * @param json Everything at once as JSON.
 * @throws {CliError} E_USAGE when there is no such thing.
 */
export function help(
  program: CommandUnknownOpts,
  io: CliIo,
  what: string | undefined,
  json: boolean,
): void {
  if (json) return helpAsJson(program, io, what);
  if (what === undefined) return program.outputHelp();
  const command = commandsBelow(program).find((known) => pathOf(known) === what);
  if (command !== undefined) return command.outputHelp();
  io.out.write(pageOf(program, what));
}

/** The words that `help` explains. */
export function helpWords(program: CommandUnknownOpts): string[] {
  const commands = commandsBelow(program).map(pathOf);
  return [...commands, "topics", ...Object.keys(TOPICS), ...Object.keys(ERRORS)];
}

/** Every visible command, a group before what is in it. */
export function commandsBelow(command: CommandUnknownOpts): CommandUnknownOpts[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible.flatMap((known) => [known, ...commandsBelow(known)]);
}

/** A command's words without the program's: `replica status`. */
export function pathOf(command: CommandUnknownOpts): string {
  const { parent } = command;
  if (parent === null) return "";
  return `${pathOf(parent)} ${command.name()}`.trim();
}

/** The examples of a command as its help ends with them. */
export function examplesText(command: string): string {
  const examples = EXAMPLES[command] ?? [];
  if (examples.length === 0) return "";
  const lines = examples.map(({ line, says }) => `  # ${says}\n  $ ${line}\n`);
  return `\nExamples:\n${lines.join("")}`;
}

function pageOf(program: CommandUnknownOpts, what: string): string {
  if (what === "topics") return topicList();
  if (isErrorCode(what)) return errorPage(what);
  if (Object.hasOwn(TOPICS, what)) return TOPICS[what]!.text();
  const words = helpWords(program);
  const guess = nearest(what, words) ?? words.find((word) => word === what.toUpperCase());
  const hint = guess === undefined ? "see `allocdb help topics`" : `did you mean ${guess}?`;
  throw new CliError("E_USAGE", `there is no help on ${quote(what)}`, { hint });
}

function topicList(): string {
  const rows = Object.entries(TOPICS).map(([name, { says }]) => `  ${name.padEnd(14)}${says}\n`);
  return `Topics, to be read with \`allocdb help TOPIC\`:\n${
    rows.join("")
  }\nAnd any command or error code: \`allocdb help reserve\`, \`allocdb help E_RESOURCE_BUSY\`.\n`;
}

const RETRY_TEXT = {
  never: "no, it would fail the same way",
  same_id: "yes, with the same --client and --operation-id",
  after_ms: "yes, after a pause",
} as const;

function errorPage(code: ErrorCode): string {
  const { exitCode, retry, meaning, advice } = ERRORS[code];
  return `${code}

${meaning}

  what to do    ${advice}
  retry         ${RETRY_TEXT[retry]}
  exit code     ${exitCode}, ${EXIT_CODES[exitCode]}
`;
}

function helpAsJson(program: CommandUnknownOpts, io: CliIo, what: string | undefined): void {
  if (what !== undefined) {
    const hint = "leave the word out: `allocdb help --json` prints everything";
    throw new CliError("E_USAGE", "help --json explains everything at once", { hint });
  }
  const tree = {
    ...commandTree(program),
    exit_codes: EXIT_CODES,
    errors: Object.fromEntries(
      Object.entries(ERRORS).map(([code, { exitCode, retry, meaning, advice }]) => [
        code,
        { exit: exitCode, retry, meaning, advice },
      ]),
    ),
    topics: Object.fromEntries(
      Object.entries(TOPICS).map(([name, { says, text }]) => [name, { says, text: text() }]),
    ),
  };
  io.out.write(jsonText(tree, 2));
}

function commandTree(command: CommandUnknownOpts): Readonly<Record<string, unknown>> {
  const maker = command.createHelp();
  return {
    name: command.name(),
    summary: command.summary() || command.description(),
    description: command.description(),
    usage: maker.commandUsage(command),
    group: command.helpGroup().replace(/:$/, "") || null,
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      description: argument.description,
      required: argument.required,
      variadic: argument.variadic,
      choices: argument.argChoices ?? null,
    })),
    options: maker.visibleOptions(command).map((option) => ({
      flags: option.flags,
      name: option.long ?? option.short,
      description: option.description,
      takes_value: option.required || option.optional,
      required: option.mandatory,
      choices: option.argChoices ?? null,
      group: option.helpGroupHeading?.replace(/:$/, "") ?? null,
    })),
    examples: EXAMPLES[pathOf(command)] ?? [],
    commands: maker.visibleCommands(command).map(commandTree),
  };
}
