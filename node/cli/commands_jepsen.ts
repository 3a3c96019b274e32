/** The commands that judge histories and torture real clusters: names, flags and help. The work is done in testbed/jepsen/. */
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { wantsColor } from "./color.ts";
import type { Session } from "./context.ts";
import {
  ALGORITHMS,
  FAILED_OPS,
  HISTORY_FORMATS,
  HISTORY_MODELS,
  JEPSEN_BACKENDS,
  JEPSEN_NEMESES,
  JEPSEN_WORKLOADS,
  type JepsenRequest,
  NIL_READS,
  REFUSALS,
  type RunJepsen,
} from "./jepsen_options.ts";
import { type JepsenFlags, jepsenRequest } from "./read_jepsen_options.ts";
import { addColorFlag, addJsonFlag, sharedFlags } from "./shared_flags.ts";

/** What is loaded when a verb runs. */
export interface JepsenRunners {
  readonly runJepsen: RunJepsen;
}

/** One verb about to get its arguments and flags. */
type Add = (
  usage: string,
  summary: string,
  description: string,
) => CommandUnknownOpts;

/** Adds jepsen with its verbs. */
export function addJepsenCommands(
  program: CommandUnknownOpts,
  session: Session,
  { runJepsen }: JepsenRunners,
): void {
  const group = program.command("jepsen")
    .summary("Torture real clusters, and judge histories")
    .description(
      "Real replicas under real faults with independent clients, whose whole history is judged: is there an " +
        "order of everything that happened which explains every answer? Histories of other systems are " +
        "judged as well.",
    );
  const add: Add = (usage, summary, description) => {
    const command = group.command(usage).summary(summary).description(description);
    command.action(async () => {
      const { json, color } = sharedFlags(command);
      const flags: JepsenFlags = {
        ...command.opts(),
        json,
        color: wantsColor(session.io, session.io.out, color),
      };
      const verb = command.name() as JepsenRequest["verb"];
      await runJepsen(jepsenRequest(verb, command.args, flags), session.io);
    });
    return command;
  };
  group.commandsGroup("Running:");
  addRunning(add);
  group.commandsGroup("Judging:");
  addJudging(add);
  group.commandsGroup("Looking:");
  addLooking(add);
}

function addRunning(add: Add): void {
  addJsonFlag(
    add(
      "plan",
      "The runs of the release gate",
      "Print the 15 runs of the release matrix and the " +
        "supplementary ones, a line each.",
    ),
    "Print one JSON document",
  );
  const run = add(
    "run",
    "Run clusters under faults, and judge them",
    "Start a cluster, let clients work on it while things go wrong, heal it, and judge what they were " +
      "told. Everything is kept under the output root. With " +
      "ALLOCDB_JEPSEN_FAULT_WINDOW_SECS_OVERRIDE in the environment faults go on for so many seconds: a " +
      "rehearsal, and no evidence for a release. Exit code 3 when the gate is blocked, 6 when " +
      "nothing can be said.",
  );
  run.optionsGroup("Which:")
    .option("--run-id <id>", "This run of the matrix; `allocdb jepsen plan` has them")
    .option("--all", "The whole matrix; runs whose bundles are complete are not run again")
    .option("--supplementary", "With --all: the supplementary runs, too")
    .option("--lanes <n>", "With --all: clusters at a time (default 1)")
    .addOption(new Option("--workload <name>", "A run of your own").choices(JEPSEN_WORKLOADS))
    .addOption(new Option("--nemesis <name>", "What goes wrong in it").choices(JEPSEN_NEMESES))
    .option("--window <duration>", "How long it goes wrong (default 60s)");
  run.optionsGroup("Where:")
    .addOption(backend())
    .option("--workspace <dir>", "Directory for the clusters (default OUTPUT-ROOT/clusters)")
    .option("--output-root <dir>", "Directory for what is left behind (default .artifacts)")
    .option("--program <path>", "Put the replicas of this build of allocdb under test");
  run.optionsGroup("How hard:")
    .option("--seed <n>", "What clients and faults are drawn from (default random; with --all 1)")
    .option("--clients <n>", "Clients at a time (default 16)")
    .option("--rate <n>", "Operations per second of all clients together (default 200)")
    .option("--control-time <duration>", "How long runs without faults take (default 60s)");
  addJsonFlag(run, "Print one JSON document");
  const archive = add(
    "archive",
    "Make a run's bundle again",
    "Judge a history again, fetch the cluster's logs, and put everything into a bundle.",
  );
  archive.addOption(backend())
    .requiredOption("--workspace <dir>", "Directory of the cluster")
    .requiredOption("--run-id <id>", "Which run it was")
    .requiredOption("--history-file <file>", "What its clients saw")
    .option("--output-root <dir>", "Directory for the bundle (default .artifacts)");
  addJsonFlag(archive, "Print one JSON document");
}

function addJudging(add: Add): void {
  const analyze = add(
    "analyze [files...]",
    "Judge histories",
    "Say of each history whether it is linearizable, and if it is not, why, in the fewest operations. " +
      "Exit code 3 when one is not, 65 when one cannot be read, 6 when one cannot be decided, 66 when " +
      "one has too little in it.",
  );
  analyze.option("--history-file <file>", "One more file; prints the release gate's report");
  addReadingFlags(analyze.optionsGroup("Reading:"))
    .option("--init <value>", "Value before the first operation (default nil)")
    .addOption(new Option("--failed-ops <how>", "Operations that failed (default drop)")
      .choices(FAILED_OPS))
    .addOption(new Option("--nil-read <how>", "What a read of nil is (default value)")
      .choices(NIL_READS));
  analyze.optionsGroup("Judging:")
    .addOption(new Option(
      "--refusals <how>",
      "How far refusals of reservations are told apart " +
        "(default exact)",
    ).choices(REFUSALS))
    .addOption(new Option("--algorithm <name>", "How to search (default auto)").choices(ALGORITHMS))
    .option("--time-limit <duration>", "How long one file may take (default 60s)")
    .option("--memory-limit <MiB>", "What the search may remember (default 1024)")
    .option("--min-coverage <file>", "Figures that a history has to reach, as JSON");
  analyze.optionsGroup("Telling:")
    .option("--report <dir>", "Write report.html, report.json, summary.txt, junit.xml and plots")
    .option("--counterexample <file>", "Write the fewest operations that cannot be")
    .option("--certificate <file>", "Write the proof, for `allocdb jepsen verify`")
    .option("--explain <index>", "Say more of the operation that began at this event")
    .option("--stats", "Say how long it took");
  addJsonFlag(analyze, "Print one JSON document");
  const convert = add(
    "convert <from> <to>",
    "Write a history in another format",
    "Read a history and write it in another format. What that one cannot say is counted and told.",
  );
  addReadingFlags(convert)
    .addOption(
      new Option("--to <name>", "What to write (default by the name of the file)")
        .choices(HISTORY_FORMATS),
    );
  addJsonFlag(convert, "Print one JSON document");
  const verify = add(
    "verify [bundle]",
    "Check a bundle, a proof or a cluster",
    "Of a bundle: every file against its checksum, and the verdict against the history. Of a " +
      "certificate: whether it proves what it says. Of a workspace: whether its cluster answers.",
  );
  verify.addOption(backend())
    .option("--workspace <dir>", "Try the cluster of this directory")
    .option("--certificate <file>", "Check this proof")
    .option("--history-file <file>", "With --certificate: what it is a proof about");
  addJsonFlag(verify, "Print one JSON document");
}

function addLooking(add: Add): void {
  const watch = add(
    "watch",
    "Watch runs while they go on",
    "Show the run of one cluster, or of several in one view: phase, window, replicas and the latest events.",
  );
  watch.option("--workspace <dir>", "Directory of the cluster")
    .option("--output-root <dir>", "Where the run leaves its files (default .artifacts)")
    .option("--run-id <id>", "Which run (default the latest)")
    .option("--lane <name,workspace,output-root>", "A cluster of a fleet; repeatable", collect)
    .option("--refresh-millis <n>", "How often to look (default 2000, at least 250)")
    .option("--follow", "Go on until Ctrl-C");
  addColorFlag(watch);
  addJsonFlag(watch, "Print what is seen as one JSON document, with --follow a line each time");
  const compare = add(
    "compare <bundle> <other>",
    "Two runs side by side",
    "Write one page about two bundles: verdicts, checks, latencies and rates.",
  );
  compare.option("--out <file>", "Where to (default comparison.html)");
  addJsonFlag(compare, "Print one JSON document");
  add(
    "serve [directory]",
    "Show bundles in a browser",
    "List the bundles of a directory, and show their reports, until Ctrl-C.",
  )
    .option("--listen <host:port>", "Where to listen (default 127.0.0.1:0)");
}

function backend(): Option {
  return new Option("--backend <name>", "Where replicas run (default local)").choices(
    JEPSEN_BACKENDS,
  );
}

/** How a history is read. */
function addReadingFlags(command: CommandUnknownOpts): CommandUnknownOpts {
  return command
    .addOption(
      new Option("--format <name>", "What it is written in (default: seen from the file)")
        .choices(HISTORY_FORMATS),
    )
    .addOption(
      new Option("--model <name>", "What it is about (default: seen from the operations)")
        .choices(HISTORY_MODELS),
    )
    .addOption(
      new Option("--keyed <word>", "Whether values are [key value] pairs (default: seen from them)")
        .choices(["yes", "no"]),
    )
    .option(
      "--max-skipped <n>",
      "Lines that may be something else (default 0; of logs any number)",
    );
}

function collect(value: string, sofar: readonly string[] | undefined): readonly string[] {
  return [...sofar ?? [], value];
}
