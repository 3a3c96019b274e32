/** The commands that are about allocdb itself. */
import { Argument, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { wantsColor } from "./color.ts";
import { type Session, styleOf } from "./context.ts";
import { type RunBench, type RunDemo, SCENARIOS } from "./options.ts";
import { show } from "./output.ts";
import { benchOptions, demoOptions } from "./read_options.ts";
import { addColorFlag, addJsonFlag, addOutputFlags, sharedFlags } from "./shared_flags.ts";
import { versionReport } from "./version_report.ts";

/** What is loaded only when it runs. */
export interface Tools {
  readonly runDemo: RunDemo;
  readonly runBench: RunBench;
}

/** Adds demo, bench, completion, version and help. */
export function addToolCommands(
  program: CommandUnknownOpts,
  session: Session,
  tools: Tools,
): void {
  program.commandsGroup("Tools:");
  addDemo(program, session, tools.runDemo);
  addBench(program, tools.runBench);
  addCompletion(program);
  addVersion(program, session);
  addHelp(program, session);
}

function addDemo(program: CommandUnknownOpts, session: Session, runDemo: RunDemo): void {
  const command = program.command("demo")
    .summary("Watch three replicas sell tickets through a crash")
    .description(
      "Start three replicas in a temporary workspace, let buyers fight over seats, kill the primary in " +
        "the middle, bring it back, cut the next primary off, heal, and prove at the end that no seat was " +
        "sold twice, that no acknowledged sale was lost, and that all three replicas hold the same.",
    )
    .option("--fast", "No pauses for the eye")
    .option("--seats <n>", "Seats for sale (default 200)")
    .option("--buyers <n>", "Buyers who want them (default 50)")
    .option("--seed <n>", "What the buyers' choices are drawn from (default 1)")
    .option("--keep", "Keep the workspace of the cluster and say where it is");
  command.action(async (flags) => {
    const { json, color } = sharedFlags(command);
    const { io } = session;
    await runDemo(demoOptions({ ...flags, json }, wantsColor(io, io.out, color)));
  });
  addJsonFlag(command, "One JSON document at the end instead of something to watch");
  addColorFlag(command);
}

function addBench(program: CommandUnknownOpts, runBench: RunBench): void {
  const command = program.command("bench")
    .summary("Measure this machine")
    .description("Run benchmark scenarios on this machine. Everything is written to real files.")
    .addOption(new Option("--scenario <name>", "Which one (default all)").choices(SCENARIOS))
    .option("--data <dir>", "Where the files go (default a temporary directory)");
  command.optionsGroup("Reference scenarios:")
    .option("--hotspot-rounds <n>", "Times the resource changes hands (default 256)")
    .option("--hotspot-contenders <n>", "Who want it each time (default 32, at least 2)")
    .option("--retry-table-capacity <n>", "Operations remembered (default 128)")
    .option("--retry-duplicate-fanout <n>", "Retries of each operation (default 4)")
    .option("--retry-full-rejection-attempts <n>", "Tries while the table is full (default 32)")
    .action(async (flags) => {
      const { json } = sharedFlags(command);
      await runBench(benchOptions({ ...flags, json }));
    });
  addJsonFlag(command, "Print the figures as JSON");
}

function addCompletion(program: CommandUnknownOpts): void {
  const shells = ["bash", "zsh", "fish", "powershell"] as const;
  program.command("completion")
    .summary("Print a completion script for a shell")
    .description("Print a completion script. For bash the package bash-completion is needed.")
    .addArgument(new Argument("<shell>", "Which shell").choices(shells))
    .action(async (shell) => {
      const { printScript } = await import("./completion.ts");
      printScript(shell);
    });
  // What the scripts call; the words that follow `--` are the command line so far.
  program.command("complete", { hidden: true })
    .argument("[words...]")
    .action(async (words) => {
      const { printCandidates } = await import("./completion.ts");
      printCandidates(program, words);
    });
}

function addVersion(program: CommandUnknownOpts, session: Session): void {
  const command = program.command("version")
    .summary("Show version, commit and runtime")
    .description("Show which build this is and what it runs on.");
  command.action(async () => {
    const style = styleOf(sharedFlags(command), session.io);
    await show(session.io, versionReport(), style);
  });
  addOutputFlags(command);
}

function addHelp(program: CommandUnknownOpts, session: Session): void {
  const command = program.command("help")
    .summary("Explain a command, an error code or a topic")
    .description("Explain a command, an error code such as E_RESOURCE_BUSY, or a topic.")
    .argument("[what...]", "Command, code or topic; see `allocdb help topics`");
  command.action(async (what) => {
    const { help } = await import("./help.ts");
    const words = what.length === 0 ? undefined : what.join(" ");
    help(program, session.io, words, sharedFlags(command).json ?? false);
  });
  addJsonFlag(command, "The whole tree of commands, flags, codes and topics");
}
