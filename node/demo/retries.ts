/** The last retry of all: everything that was ever asked is asked once more. */
import type { ClientCommand, Committed, SubmitResult } from "../client/types.ts";
import type { AllocDbClient } from "../client/client.ts";
import type { Asked } from "./ledger.ts";
import type { Finding } from "./proof.ts";

/** Sends commands again and answers what came back, in order. */
type Resend = (
  client: AllocDbClient,
  commands: readonly ClientCommand[],
) => Promise<readonly SubmitResult[]>;

/**
 * Sends every command of the book again under its old operation id. Each must get the answer that it got before,
 * remembered and not carried out again; that nothing changed by it shows when the seats are read afterwards.
 *
 * @param asked The commands, with clients that are still open.
 * @param resend How they are sent; tests bring their own.
 * @returns What must be so, and what speaks against it.
 */
export async function askAgain(
  asked: readonly Asked[],
  resend: Resend = (client, commands) => client.submitMany(commands),
): Promise<Finding> {
  const byClient = Map.groupBy(asked, ({ client }) => client);
  const differences = await Promise.all([...byClient].map(async ([client, theirs]) => {
    const results = await resend(client, theirs.map(({ command }) => command));
    return theirs.map(({ answer }, i) => difference(answer, results[i]!));
  }));
  return {
    claim: "every command, sent once more, got its first answer and did nothing",
    checked: asked.length,
    contradiction: differences.flat().find((text) => text !== undefined),
  };
}

function difference(first: Committed, again: SubmitResult): string | undefined {
  const name = `operation ${first.operationId}`;
  if (again.kind !== "committed") return `${name} was ${first.code}, and again: ${again.kind}`;
  if (!again.fromRetryCache) return `${name} was carried out twice`;
  const facts = ({ code, appliedLsn, reservationId, epoch, deadlineSlot }: Committed): string =>
    [code, appliedLsn, reservationId, epoch, deadlineSlot].join(" ");
  if (facts(first) === facts(again)) return undefined;
  return `${name} was answered "${facts(first)}", and again "${facts(again)}"`;
}
