/** The tree of commands: names, flags and help. Nothing here does any of the work. */
import {
  Command,
  CommanderError,
  type CommandUnknownOpts,
  type Option,
  type OutputConfiguration,
} from "@commander-js/extra-typings";
import { CliError } from "../errors.ts";
import { addClusterCommands, type ClusterRunners } from "./commands_cluster.ts";
import { addDataCommands } from "./commands_data.ts";
import { addReplicaCommands, type ReplicaRunners } from "./commands_replica.ts";
import { addSecretCommands } from "./commands_secret.ts";
import { addServerCommands } from "./commands_server.ts";
import { addJepsenCommands, type JepsenRunners } from "./commands_jepsen.ts";
import { addSimCommand, type SimRunners } from "./commands_sim.ts";
import { addTlsCommands } from "./commands_tls.ts";
import { addToolCommands, type Tools } from "./commands_tools.ts";
import type { Session } from "./context.ts";
import { commandsBelow, examplesText, pathOf } from "./help.ts";
import type { CliIo } from "./io.ts";
import type { RunServe } from "./options.ts";
import { addRootFlags, repeated } from "./shared_flags.ts";
import { versionLine } from "./version_report.ts";

/** The commands that are loaded from outside, when they run. */
export interface Runners extends Tools, ReplicaRunners, ClusterRunners, SimRunners, JepsenRunners {
  readonly runServe: RunServe;
}

/** Flags that may stand there more than once. */
const REPEATABLE = new Set(["--bound", "--server", "--lane"]);

/** Flags whose value may be below 0. */
const SIGNED = new Set(["--skew-ms"]);

const AFTER_HELP = `
\`allocdb help COMMAND\` shows its flags with examples, \`allocdb help topics\` everything else.
`;

/**
 * Parses a command line and runs its command.
 *
 * @param session The words and the outside.
 * @param runners What to load for the long-running commands.
 * @throws {CliError} When the words are no command line, or the command failed.
 */
export async function runProgram(session: Session, runners: Runners): Promise<void> {
  const program = buildProgram(session, runners);
  let running = "";
  const remember = (_: unknown, command: CommandUnknownOpts): void => {
    running += ` ${command.name()}`;
  };
  for (const command of [program, ...program.commands]) command.hook("preSubcommand", remember);
  if (session.argv.length === 0) throw nothingAsked();
  try {
    await program.parseAsync(session.argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and the version are printed by way of an exception, too.
    if (error.exitCode !== 0) throw usageError(error, `allocdb${running} --help`);
  }
}

/** Builds the tree; it parses one command line. */
export function buildProgram(session: Session, runners: Runners): CommandUnknownOpts {
  const program = new Command("allocdb")
    .description("AllocDB: durable reservations of scarce things.")
    .version(versionLine(), "-V, --version", "Show version, commit and runtime")
    .helpOption("-h, --help", "Show this help")
    .helpCommand(false)
    .enablePositionalOptions()
    .usage("COMMAND [options]")
    .exitOverride()
    .configureOutput(outputTo(session.io))
    .configureHelp({ showGlobalOptions: false })
    .addHelpText("after", AFTER_HELP);
  addRootFlags(program);
  addDataCommands(program, session);
  addServerCommands(program, session, runners.runServe);
  addClusterCommands(program, session, runners);
  addReplicaCommands(program, session, runners);
  program.commandsGroup("Security:");
  addSecretCommands(program, session);
  addTlsCommands(program, session);
  addSimCommand(program, session, runners);
  addJepsenCommands(program, session, runners);
  addToolCommands(program, session, runners);
  for (const command of commandsBelow(program)) {
    command.helpCommand(false);
    command.addHelpText("after", examplesText(pathOf(command)));
    refuseSloppyFlags(command);
  }
  refuseSloppyFlags(program);
  return program;
}

/** Errors are printed by whoever catches them, so the parser's own words for them are dropped. */
function outputTo(io: CliIo): OutputConfiguration {
  return {
    writeOut: (text) => io.out.write(text),
    writeErr: () => {},
    outputError: () => {},
    getOutHelpWidth: () => io.columns(),
    getErrHelpWidth: () => io.columns(),
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  };
}

/** The parser keeps the last of two equal flags, and takes a following flag for a value. Both are mistakes. */
function refuseSloppyFlags(command: CommandUnknownOpts): void {
  for (const option of command.options) {
    let seen = false;
    command.on(`option:${option.name()}`, (value: string | null | undefined) => {
      const flag = option.long ?? option.flags;
      if (seen && !REPEATABLE.has(flag)) throw repeated(flag);
      seen = true;
      const isNumber = SIGNED.has(flag) && /^-[0-9]/.test(value ?? "");
      if (value?.startsWith("-") && !isNumber) throw missingValue(option, value);
    });
  }
}

function missingValue(option: Option, value: string): CliError {
  const hint = `${option.flags}: ${option.description}`;
  return new CliError("E_USAGE", `${option.long} has no value, as '${value}' is a flag`, { hint });
}

function nothingAsked(): CliError {
  return new CliError("E_USAGE", "no command", {
    hint: "see `allocdb --help`; try `allocdb demo`",
  });
}

/** The parser's errors carry `error: `, and a suggestion on a line of its own. */
function usageError(error: CommanderError, see: string): CliError {
  if (error.code === "commander.help") {
    const group = see.replace(/ --help$/, "");
    return new CliError("E_USAGE", `${group} does nothing by itself`, { hint: `see \`${see}\`` });
  }
  const [message, suggestion] = error.message.replace(/^error: /, "").split("\n");
  const guess = /^\(Did you mean (.*)\?\)$/.exec(suggestion ?? "")?.[1];
  const hint = guess === undefined ? `see \`${see}\`` : `did you mean ${guess}?`;
  return new CliError("E_USAGE", (message ?? "").replace(/\.$/, ""), { hint });
}
