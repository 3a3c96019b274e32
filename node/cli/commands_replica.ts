/** The commands about one replica of a cluster: running it, looking at it, and tools for its files. */
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type Session, styleOf } from "./context.ts";
import { type LocateReplica, REQUIREMENTS, type RunReplica } from "./options.ts";
import { parseReplicaId, replicaRunOptions } from "./read_replica_options.ts";
import { addOutputFlags, addSecretFlag, secretFileOf, sharedFlags } from "./shared_flags.ts";

/** What is loaded from outside when a replica is run or looked for. */
export interface ReplicaRunners {
  readonly runReplica: RunReplica;
  readonly locateReplica: LocateReplica;
}

/** Adds replica with its verbs. */
export function addReplicaCommands(
  program: CommandUnknownOpts,
  session: Session,
  runners: ReplicaRunners,
): void {
  program.commandsGroup("Cluster:");
  const group = program.command("replica")
    .summary("One replica: run it, look at it, examine its files")
    .description(
      "One replica of a cluster. `run` is what `allocdb cluster` starts; `status` asks a replica that " +
        "runs; the others read or copy the files of one that does not.",
    );
  addRun(group, runners.runReplica);
  addStatus(group, session, runners.locateReplica);
  addInspect(group, session);
  addVerify(group, session);
  addExport(group, session);
  addImport(group, session);
}

function addRun(group: CommandUnknownOpts, runReplica: RunReplica): void {
  group.command("run")
    .summary("Run one replica in the foreground")
    .description(
      "Run one replica of a layout until SIGTERM, Ctrl-C or a stop request. It listens exactly where " +
        "the layout says, and recovers by itself whatever a crash left behind.",
    )
    .requiredOption("--layout <file>", "Layout of the cluster")
    .requiredOption("--replica-id <n>", "Which of its replicas")
    .option("--http <host:port>", "Also serve HTTP and /metrics; a bare port is on 127.0.0.1")
    .option("--tls-cert <file>", "Certificate to show: speak TLS with clients and replicas")
    .option("--tls-key <file>", "Its key")
    .option("--tls-ca <file>", "Authority that vouches for the other replicas")
    .option("--manual-failover", "Never start an election by itself")
    .option("--manual-expiration", "Expire only on `allocdb tick`")
    .option("--manual-checkpoint", "Write snapshots only on `allocdb checkpoint`")
    .addOption(
      new Option("--log-format <format>", "Log lines on standard error (default text)")
        .choices(["text", "json"]),
    )
    .action(async (flags) => await runReplica(replicaRunOptions(flags)));
}

function addStatus(
  group: CommandUnknownOpts,
  session: Session,
  locate: LocateReplica,
): void {
  const command = group.command("status")
    .summary("Ask a replica who it is and how it does")
    .description(
      "Ask a replica's control port. With --require the exit code is a probe's: 0 when it is so, 4 when " +
        "it is not or nothing answers.",
    )
    .option("--addr <host:port>", "Control address")
    .option("--workspace <dir>", "Look the address up in a workspace")
    .option("--replica-id <n>", "Which replica of the workspace")
    .addOption(new Option("--require <what>", "What must be so").choices(REQUIREMENTS))
    .option("--timeout <duration>", "How long to try (default 1s)");
  command.action(async (flags) => {
    const { replicaStatus } = await import("./verb_replica_status.ts");
    const shared = sharedFlags(command);
    const { timeout } = shared;
    const secretFile = secretFileOf(shared, session.io);
    const typed = { ...flags, timeout, secretFile };
    await replicaStatus(session.io, styleOf(shared, session.io), typed, locate);
  });
  addSecretFlag(command, "Options:", "Secret or key to prove who asks");
  addOutputFlags(command);
}

function addInspect(group: CommandUnknownOpts, session: Session): void {
  const command = group.command("inspect")
    .summary("Show what the files of a stopped replica hold")
    .description(
      "Read a data directory without changing a byte: both copies of the metadata, snapshots, segments, " +
        "and whatever is wrong with them. Damaged data is described, not refused.",
    )
    .argument("<dir>", "Data directory");
  command.action(async (directory) => {
    const { inspect } = await import("./verbs_offline.ts");
    await inspect(session.io, styleOf(sharedFlags(command), session.io), directory);
  });
  addOutputFlags(command);
}

function addVerify(group: CommandUnknownOpts, session: Session): void {
  const command = group.command("verify")
    .summary("Check every byte of a stopped replica, or compare two")
    .description(
      "Read snapshots and log, replay them into a scratch engine, and print position, chain hash and " +
        "digest of the state. With --against the two must hold the same history as far as both reach.",
    )
    .argument("<dir>", "Data directory")
    .option("--against <dir>", "Another replica's data directory");
  command.action(async (directory, { against }) => {
    const { verify } = await import("./verbs_offline.ts");
    await verify(session.io, styleOf(sharedFlags(command), session.io), directory, against);
  });
  addOutputFlags(command);
}

function addExport(group: CommandUnknownOpts, session: Session): void {
  const command = group.command("export")
    .summary("Copy the files of a stopped replica into an archive")
    .description(
      "Write a data directory into a tar file with a manifest: whose it is, how far it reaches, and the " +
        "SHA-256 of every file.",
    )
    .argument("<dir>", "Data directory")
    .requiredOption("--to <file>", "Archive to make; must not exist");
  command.action(async (directory, { to }) => {
    const { exportDirectory } = await import("./verbs_offline.ts");
    await exportDirectory(session.io, styleOf(sharedFlags(command), session.io), directory, to);
  });
  addOutputFlags(command);
}

function addImport(group: CommandUnknownOpts, session: Session): void {
  const command = group.command("import")
    .summary("Make a data directory out of an archive")
    .description(
      "Check an archive and unpack it into a new data directory. The replica comes back as `recovering`: " +
        "it has no vote until it has caught up, as it may have promised things since the copy was made.",
    )
    .argument("<file>", "Archive that export made")
    .requiredOption("--to <dir>", "Directory to make; must be empty or not exist")
    .option("--replica-id <n>", "Make it the directory of another replica of the cluster");
  command.action(async (file, { to, replicaId }) => {
    const { importArchive } = await import("./verbs_offline.ts");
    const id = replicaId === undefined ? undefined : parseReplicaId(replicaId);
    await importArchive(session.io, styleOf(sharedFlags(command), session.io), file, to, id);
  });
  addOutputFlags(command);
}
