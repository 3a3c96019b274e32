/** The commands that make certificates. */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Session, styleOf } from "./context.ts";
import { addOutputFlags, sharedFlags } from "./shared_flags.ts";

/** Adds tls with its verbs. */
export function addTlsCommands(program: CommandUnknownOpts, session: Session): void {
  const group = program.command("tls")
    .summary("Make an authority and certificates for TLS")
    .description(
      "Certificates with which clients and replicas recognise a node and nobody reads along. Any other " +
        "authority's certificates do as well.",
    );
  addCreateCa(group, session);
  addCreateCert(group, session);
}

function addCreateCa(group: CommandUnknownOpts, session: Session): void {
  const command = group.command("create-ca")
    .summary("Make an authority")
    .description(
      "Make ca.pem, which clients and replicas trust, and ca-key.pem, which makes certificates and is " +
        "better kept away from the nodes.",
    )
    .requiredOption("--out <dir>", "Directory to put them into")
    .option("--name <text>", "What the authority is called (default AllocDB)")
    .option("--days <n>", "How long it is valid (default 3650)");
  command.action(async (flags) => {
    const { createCa } = await import("./verbs_tls.ts");
    await createCa(session.io, styleOf(sharedFlags(command), session.io), flags);
  });
  addOutputFlags(command);
}

function addCreateCert(group: CommandUnknownOpts, session: Session): void {
  const command = group.command("create-cert")
    .summary("Make a node's certificate")
    .description("Make NAME.pem and NAME-key.pem for a node that is reached by these names.")
    .argument("<name>", "What the files and the certificate are called")
    .requiredOption("--ca <dir>", "Where ca.pem and ca-key.pem are")
    .requiredOption("--hosts <list>", "Names and addresses of the node, with commas")
    .requiredOption("--out <dir>", "Directory to put them into")
    .option("--days <n>", "How long it is valid (default 825)");
  command.action(async (name, flags) => {
    const { createCert } = await import("./verbs_tls.ts");
    await createCert(session.io, styleOf(sharedFlags(command), session.io), name, flags);
  });
  addOutputFlags(command);
}
