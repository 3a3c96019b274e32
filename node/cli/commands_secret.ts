/** The commands that make what nodes and clients prove themselves with. */
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { ROLES } from "../auth/roles.ts";
import { type Session, styleOf } from "./context.ts";
import { addOutputFlags, sharedFlags } from "./shared_flags.ts";

const OUT = ["--out <file>", "File to make, for its owner alone; it must not exist"] as const;

/** Adds secret with its verbs. */
export function addSecretCommands(program: CommandUnknownOpts, session: Session): void {
  const group = program.command("secret")
    .summary("Make a cluster's secret, or a key for one role")
    .description(
      "What nodes and clients prove themselves with, without sending it. A secret is never printed.",
    );
  addCreate(group, session);
  addDerive(group, session);
}

function addCreate(group: CommandUnknownOpts, session: Session): void {
  const command = group.command("create")
    .summary("Make a secret for a new cluster")
    .description(
      "Make a secret of 256 random bits. Whoever has it is everything: give the file to the nodes " +
        "of the cluster and to its operators, and to everybody else a key that is derived from it.",
    )
    .requiredOption(...OUT);
  command.action(async ({ out }) => {
    const { createSecret } = await import("./verbs_secret.ts");
    await createSecret(session.io, styleOf(sharedFlags(command), session.io), out);
  });
  addOutputFlags(command);
}

function addDerive(group: CommandUnknownOpts, session: Session): void {
  const command = group.command("derive")
    .summary("Make a key for one role")
    .description(
      "Derive a key with which its holder is one role and nothing else. It leads neither to the " +
        "secret nor to another role's key.",
    )
    .addOption(
      new Option("--role <role>", "Who its holder is").choices(ROLES).makeOptionMandatory(),
    )
    .requiredOption("--from <file>", "The cluster's secret")
    .requiredOption(...OUT);
  command.action(async (flags) => {
    const { deriveKeyFile } = await import("./verbs_secret.ts");
    await deriveKeyFile(session.io, styleOf(sharedFlags(command), session.io), flags);
  });
  addOutputFlags(command);
}
