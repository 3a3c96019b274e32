/** The commands that run a node, look at one and maintain one. */
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type Session, verbContext } from "./context.ts";
import type { RunServe } from "./options.ts";
import { serveOptions } from "./read_options.ts";
import {
  addConnectionFlags,
  addJsonFlag,
  addOutputFlags,
  addSecretFlag,
  addSlotFlag,
  addTlsFlags,
  secretFileOf,
  SERVER_DEFAULT,
  sharedFlags,
} from "./shared_flags.ts";

/** Adds serve, status, metrics, tick and checkpoint. */
export function addServerCommands(
  program: CommandUnknownOpts,
  session: Session,
  runServe: RunServe,
): void {
  program.commandsGroup("Server:");
  addServe(program, session, runServe);
  addStatus(program, session);
  addMetrics(program, session);
  addTick(program, session);
  addCheckpoint(program, session);
}

function addServe(program: CommandUnknownOpts, session: Session, runServe: RunServe): void {
  const command = program.command("serve")
    .summary("Run a node")
    .description(
      "Run a node on a data directory, which is made when it does not exist. It stops on Ctrl-C or " +
        "SIGTERM after it has answered what it took, and loses nothing acknowledged when it is killed.",
    )
    .requiredOption("--data <dir>", "Data directory")
    .option("--listen <host:port>", `Where clients connect (default ${SERVER_DEFAULT})`)
    .option("--http <host:port>", "Also serve HTTP and /metrics; a bare port is on 127.0.0.1")
    .addOption(
      new Option("--profile <name>", "Bounds of a new data directory (default default)")
        .choices(["default", "local", "small"]),
    )
    .option(
      "--bound <name=value>",
      "One bound, such as core.max_resources=5000; repeatable",
      collect,
    )
    .option("--cluster-id <id>", "Refuse a data directory of another cluster")
    .option("--max-connections <n>", "Connections that may be open at once")
    .addOption(
      new Option("--log-format <format>", "Log lines on standard error (default text)")
        .choices(["text", "json"]),
    );
  command.optionsGroup("Maintenance:")
    .option("--manual-expiration", "Expire only on `allocdb tick`")
    .option("--manual-checkpoint", "Write snapshots only on `allocdb checkpoint`")
    .option("--checkpoint-bytes <n>", "Write one after this many bytes of log")
    .option("--checkpoint-frames <n>", "Write one after this many log entries")
    .option("--checkpoint-seconds <n>", "Write one after this many seconds, if anything changed")
    .action(async (flags) => {
      const shared = sharedFlags(command);
      const secretFile = secretFileOf(shared, session.io);
      await runServe(serveOptions({ ...flags, secretFile, json: shared.json }));
    });
  addSecretFlag(command, "Security:", "The cluster's secret: serve only who proves to know it");
  addTlsFlags(command, "Security:");
  addJsonFlag(command, "Say where it listens as JSON");
}

function addStatus(program: CommandUnknownOpts, session: Session): void {
  const command = program.command("status")
    .summary("Look at a node, or wait for it")
    .description("Who a node is, whether it takes writes, how full it is.")
    .option("--watch", "Look again every second")
    .addOption(
      new Option("--wait <state>", "Wait until it is so, at most --timeout (default 30s)")
        .choices(["ready"]),
    );
  command.action(async ({ watch, wait }) => {
    const { status } = await import("./verb_status.ts");
    const flags = { watch: watch ?? false, ...(wait === undefined ? {} : { wait }) };
    await status(verbContext(command, session), flags);
  });
  addConnectionFlags(command);
  addOutputFlags(command);
}

function addMetrics(program: CommandUnknownOpts, session: Session): void {
  const command = program.command("metrics")
    .summary("Every figure of a node")
    .description("Every operational figure of a node. For Prometheus see `allocdb serve --http`.")
    .option("--list", "Say what they mean; needs no node");
  command.action(async ({ list }) => {
    const { listMetrics, metrics } = await import("./verbs_read.ts");
    if (list) await listMetrics(session.io, sharedFlags(command));
    else await metrics(verbContext(command, session));
  });
  addSlotFlag(command);
  addConnectionFlags(command);
  addOutputFlags(command);
}

function addTick(program: CommandUnknownOpts, session: Session): void {
  const command = program.command("tick")
    .summary("Expire what is due")
    .description(
      "Expire reservations whose deadline has passed. A node does so by itself unless it runs with " +
        "--manual-expiration.",
    );
  command.action(async () => {
    const { tick } = await import("./verbs_read.ts");
    await tick(verbContext(command, session));
  });
  addSlotFlag(command);
  addConnectionFlags(command);
  addOutputFlags(command);
}

function addCheckpoint(program: CommandUnknownOpts, session: Session): void {
  const command = program.command("checkpoint")
    .summary("Write a snapshot and shorten the log")
    .description(
      "Have the node write a snapshot, and wait for it (default at most 1m). A node does so by itself " +
        "unless it runs with --manual-checkpoint.",
    );
  command.action(async () => {
    const { checkpoint } = await import("./verbs_read.ts");
    await checkpoint(verbContext(command, session));
  });
  addConnectionFlags(command);
  addOutputFlags(command);
}

function collect(value: string, sofar: readonly string[] | undefined): readonly string[] {
  return [...sofar ?? [], value];
}
