/** The commands that read and write reservations. */
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type Session, verbContext } from "./context.ts";
import { addConnectionFlags, addOutputFlags, addRetryFlags, addSlotFlag } from "./shared_flags.ts";

const HOLDER = new Option("--holder <id>", "Who it is for (env ALLOCDB_HOLDER)");
const EPOCH = new Option("--epoch <n>", "Fencing token that reserve printed");

/** Adds create, reserve, confirm, release, revoke, reclaim and get. */
export function addDataCommands(program: CommandUnknownOpts, session: Session): void {
  program.commandsGroup("Data:");
  addCreate(program, session);
  addReserve(program, session);
  addHolderCommand(program, session, "confirm", "Keep a reservation until release or revoke");
  addHolderCommand(program, session, "release", "Give a reservation back");
  addOperatorCommand(program, session, "revoke", "Take a confirmed reservation's authority away");
  addOperatorCommand(program, session, "reclaim", "Free the resources of a revoked reservation");
  addGet(program, session);
}

function addCreate(program: CommandUnknownOpts, session: Session): void {
  const command = program.command("create")
    .summary("Make a resource")
    .description("Make a resource. It is available at once, and there is no way to delete it.")
    .argument("<resource>", "Id or name");
  command.action(async (resource) => {
    const { create } = await import("./verbs_write.ts");
    await create(verbContext(command, session), resource);
  });
  addWriteFlags(command);
}

function addReserve(program: CommandUnknownOpts, session: Session): void {
  const command = program.command("reserve")
    .summary("Claim resources for a holder, for a while")
    .description(
      "Claim one resource, or several of which all or none are reserved. Unless it is confirmed, a " +
        "reservation expires when its time to live is over.",
    )
    .argument("<resource...>", "Ids or names")
    .addOption(HOLDER)
    .option("--ttl <duration>", "How long it may stay unconfirmed: 10m, 90s, 500slots");
  command.action(async (resources, flags) => {
    const { reserve } = await import("./verbs_write.ts");
    await reserve(verbContext(command, session), resources, flags);
  });
  addWriteFlags(command);
}

function addHolderCommand(
  program: CommandUnknownOpts,
  session: Session,
  verb: "confirm" | "release",
  summary: string,
): void {
  const command = program.command(verb)
    .summary(summary)
    .description(`${summary}. Only its holder can, with the fencing token that reserve gave.`)
    .argument("<reservation>", "Id that reserve printed")
    .addOption(HOLDER)
    .addOption(EPOCH);
  command.action(async (reservation, flags) => {
    const { actAsHolder } = await import("./verbs_write.ts");
    await actAsHolder(verbContext(command, session), verb, reservation, flags);
  });
  addWriteFlags(command);
}

function addOperatorCommand(
  program: CommandUnknownOpts,
  session: Session,
  verb: "revoke" | "reclaim",
  summary: string,
): void {
  const command = program.command(verb)
    .summary(summary)
    .description(
      `${summary}. For operators: revoke first, make sure that the holder has stopped, then reclaim.`,
    )
    .argument("<reservation>", "Id that reserve printed");
  command.action(async (reservation) => {
    const { actAsOperator } = await import("./verbs_write.ts");
    await actAsOperator(verbContext(command, session), verb, reservation);
  });
  addWriteFlags(command);
}

function addGet(program: CommandUnknownOpts, session: Session): void {
  const command = program.command("get")
    .summary("Read a resource or a reservation")
    .description("Read a resource or a reservation, as of everything applied so far.")
    .usage("[options] RESOURCE | resource ID | reservation ID")
    .argument("[what...]", "Id or name of a resource")
    .option("--reservation <id>", "Read a reservation instead")
    .option("--required-lsn <lsn>", "Refuse to answer with anything older than this position");
  command.action(async (words, flags) => {
    const { get } = await import("./verbs_read.ts");
    await get(verbContext(command, session), words, flags);
  });
  addSlotFlag(command);
  addConnectionFlags(command);
  addOutputFlags(command);
}

function addWriteFlags(command: CommandUnknownOpts): void {
  addSlotFlag(command);
  addRetryFlags(command);
  addConnectionFlags(command);
  addOutputFlags(command);
}
