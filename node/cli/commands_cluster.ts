/** The commands about replicas on this machine: names, flags and help. The work is done in cluster/. */
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type ClusterRequest, DISK_FAULT_KINDS } from "./cluster_options.ts";
import type { Session } from "./context.ts";
import type { CliIo } from "./io.ts";
import { type ClusterFlags, clusterRequest } from "./read_cluster_options.ts";
import { addJsonFlag, sharedFlags } from "./shared_flags.ts";

/** `runCluster` of cluster/main.ts. */
export type RunCluster = (request: ClusterRequest, io: CliIo) => Promise<void>;

/** What is loaded from outside when a verb runs. */
export interface ClusterRunners {
  readonly runCluster: RunCluster;
}

/** One verb about to get its flags. */
type Add = (
  verb: ClusterRequest["verb"],
  summary: string,
  description: string,
) => CommandUnknownOpts;

const TIMEOUT = ["--timeout <duration>", "How long to try (default 10s)"] as const;
const REPLICA = ["--replica-id <n>", "Which replica"] as const;

/** Adds cluster with its verbs. */
export function addClusterCommands(
  program: CommandUnknownOpts,
  session: Session,
  { runCluster }: ClusterRunners,
): void {
  program.commandsGroup("Cluster:");
  const group = program.command("cluster")
    .summary("Run replicas on this machine, and torture them")
    .description(
      "A cluster of real processes on this machine in one workspace directory, and every way to hurt " +
        "it. Each verb leaves one event in the workspace's timeline.",
    );
  const add: Add = (verb, summary, description) => {
    const command = group.command(verb).summary(summary).description(description)
      .requiredOption("--workspace <dir>", "Directory of the cluster");
    command.action(async (flags: ClusterFlags) => {
      const { json, timeout, secretFile } = sharedFlags(command);
      const typed = { ...flags, json, timeout, secretFile };
      await runCluster(clusterRequest(verb, typed), session.io);
    });
    addJsonFlag(command, "Print one JSON document");
    return command;
  };
  group.commandsGroup("Life:");
  addLife(add);
  group.commandsGroup("Faults:");
  addProcessFaults(add);
  addNetworkFaults(add);
  addMachineFaults(add);
  group.commandsGroup("Looking:");
  addLooking(add);
}

function addLife(add: Add): void {
  add(
    "start",
    "Start what does not run",
    "Make the workspace if it is new, start every replica that does not run, and wait until a primary " +
      "serves. What was started is stopped again when that takes too long.",
  )
    .option("--replicas <n>", "1, 3 or 5, for a new workspace (default 3)")
    .addOption(
      new Option("--profile <name>", "Bounds of a new workspace (default default)")
        .choices(["default", "local", "small"]),
    )
    .option("--bound <name=value>", "One bound of a new workspace; repeatable", collect)
    .option("--secret-file <file>", "Secret that members and callers of a new workspace prove")
    .option("--manual-failover", "In a new workspace: replicas start no elections")
    .option("--manual-expiration", "In a new workspace: expire only on `allocdb tick`")
    .option("--manual-checkpoint", "In a new workspace: snapshots only on `allocdb checkpoint`")
    .option("--no-wait", "Do not wait for a primary")
    .option(...TIMEOUT);
  add("stop", "Stop every replica", "Ask every replica to finish what it took and to stop.")
    .option(...TIMEOUT);
  add(
    "restart",
    "Start one replica again",
    "Start one replica that does not run, through recovery of what is on its disk.",
  )
    .requiredOption(...REPLICA)
    .option(...TIMEOUT);
}

function addProcessFaults(add: Add): void {
  add("crash", "Kill one replica", "Kill one replica with SIGKILL and wait until it is gone.")
    .requiredOption(...REPLICA);
  add(
    "pause",
    "Freeze one replica",
    "Stop one replica's process with SIGSTOP; it knows nothing of it.",
  )
    .requiredOption(...REPLICA);
  add("resume", "Let a frozen replica go on", "Let a paused replica go on with SIGCONT.")
    .requiredOption(...REPLICA);
}

function addNetworkFaults(add: Add): void {
  add(
    "isolate",
    "Cut one replica off",
    "Cut one replica off from peers and clients in both directions. Its control port keeps working.",
  )
    .requiredOption(...REPLICA);
  add(
    "heal",
    "End faults",
    "End the isolation of one replica, or with --all every fault that the workspace has on file: " +
      "isolation, partition, links, disks and clocks. It starts and resumes no process.",
  )
    .option("--replica-id <n>", "End the isolation of this replica")
    .option("--all", "End every fault");
  add(
    "partition",
    "Split the cluster into groups",
    "Let replicas reach only those of their own group. Clients reach everyone.",
  )
    .option("--groups <groups>", "Each replica once: 1,2/3")
    .option("--clear", "End the partition");
  add(
    "link",
    "Make one direction of a link bad",
    "Set what happens to messages from one end to the other; what is not named does not happen. An " +
      "end is a replica id, `client`, or `all` for every other replica.",
  )
    .option("--from <end>", "Where messages come from")
    .option("--to <end>", "Where they go to")
    .option("--cut", "Nothing gets through")
    .option("--drop <share>", "Share that is lost: 0.1")
    .option("--delay <ms>", "How late they are, with a jitter if you like: 50 or 50±20")
    .option("--duplicate <share>", "Share that comes twice")
    .option("--reorder <share>", "Share that later ones overtake")
    .option("--throttle <bytes>", "Bytes per second that get through")
    .option("--clear", "Make it good again; without --from and --to, every link");
}

function addMachineFaults(add: Add): void {
  add(
    "disk-fault",
    "Make one replica's disk fail",
    "Let the disk of one replica fail or be slow, from the replica's next operation on.",
  )
    .requiredOption(...REPLICA)
    .addOption(new Option("--kind <kind>", "What goes wrong").choices(DISK_FAULT_KINDS))
    .option("--after <n>", "Operations that still succeed (default 0)")
    .option("--for <seconds>", "How long (default until it is cleared)")
    .option("--delay-ms <ms>", "For slow: how much longer a sync takes (default 100)")
    .option("--clear", "Make it good again");
  add(
    "clock",
    "Make one replica's clock wrong",
    "Let the clock that gives one replica its slots and timeouts be ahead, behind, fast or slow.",
  )
    .requiredOption(...REPLICA)
    .option("--skew-ms <ms>", "How far it is ahead; negative for behind")
    .option("--rate <factor>", "How fast it goes: 2 is twice as fast")
    .option("--clear", "Make it right again");
}

function addLooking(add: Add): void {
  add(
    "status",
    "Every replica at a glance",
    "What each replica says of itself, and what is wrong with it on purpose.",
  );
  add("timeline", "What was done to the cluster", "Every verb of the workspace in order.");
  add("logs", "Show what replicas log", "The end of the replicas' logs.")
    .option("--replica-id <n>", "Only this replica's")
    .option("--lines <n>", "How many lines of each (default 20)")
    .option("--follow", "Go on until Ctrl-C");
}

function collect(value: string, sofar: readonly string[] | undefined): readonly string[] {
  return [...sofar ?? [], value];
}
