/** The command that simulates clusters: names, flags and help. The work is done in testbed/sim/. */
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type Session, styleOf } from "./context.ts";
import { simOptions } from "./read_sim_options.ts";
import { addOutputFlags, sharedFlags } from "./shared_flags.ts";
import { type RunSim, SIM_PROFILES } from "./sim_options.ts";

/** What is loaded when it runs. */
export interface SimRunners {
  readonly runSim: RunSim;
}

/** Adds sim. */
export function addSimCommand(
  program: CommandUnknownOpts,
  session: Session,
  { runSim }: SimRunners,
): void {
  program.commandsGroup("Testbed:");
  const command = program.command("sim")
    .summary("Simulate clusters in which everything goes wrong")
    .description(
      "Live whole clusters of the very code of this program in one process, with simulated network, " +
        "disks and clocks. A seed decides everything that happens, so what went wrong once goes wrong " +
        "again. Judges look after every step. Exit code 3 when a promise was broken.",
    );
  command.optionsGroup("Which lives:")
    .option("--seeds <n>", "How many (default 100)")
    .option("--from <seed>", "The first of them (default 1)")
    .option("--seed <seed>", "This one: a number, or a commit's 40 digits; with --seeds the first")
    .option("--replay <file>", "The one that a plan describes, as a failure leaves it behind")
    .option("--script <file>", "No life, but a protocol script: play it and compare")
    .option("--update", "With --script: write what happened into it")
    .addOption(
      new Option("--profile <name>", "What they are like (default swarm)").choices(SIM_PROFILES),
    );
  command.optionsGroup("How long:")
    .option("--jobs <n>", "Processes that share the work (default 1)")
    .option(
      "--until-failure",
      "Stop at the first life that goes wrong; without --seeds, go on until then",
    )
    .option("--minutes <n>", "Begin no life after so many; without --seeds, go on until then")
    .option("--steps <n>", "Stop each life after so many events");
  command.optionsGroup("A closer look:")
    .option("--trace [file]", "Everything that happens in the one life, in words")
    .option("--html <file>", "The one life as a picture to look into, in one page")
    .option("--at <ms>", "With --html: show messages around this time instead of the end")
    .option("--twice", "Live the one life twice and compare")
    .option("--cost [file]", "Where the time goes; the file is for a profile viewer");
  command.optionsGroup("When something is wrong:")
    .option("--out <dir>", "Where the plan and the transcript go (default .)")
    .option("--no-shrink", "Leave the life as long as it is");
  command.addOption(new Option("--worker").hideHelp());
  command.action(async (flags) => {
    const style = styleOf(sharedFlags(command), session.io);
    await runSim(simOptions(typed(flags, command), style), session.io);
  });
  addOutputFlags(command);
}

type Flags = Parameters<typeof simOptions>[0];

/** `--no-shrink` has a value even when nobody typed it. */
function typed(flags: Flags, command: CommandUnknownOpts): Flags {
  return command.getOptionValueSource("shrink") === "cli" ? flags : { ...flags, shrink: undefined };
}
