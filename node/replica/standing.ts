/** What a replica may say about itself after a start, given what it finds on its disk. */
import { TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import type { ReplicaMetadata } from "../metadata/codec.ts";
import type { Recovered } from "../recover.ts";
import type { Offer } from "../vsr/events.ts";
import type { ProtocolOptions } from "../vsr/protocol.ts";

/** How it comes back, and why not as a full member. */
export interface Standing {
  readonly standing: ProtocolOptions["standing"];
  readonly reason: string | undefined;
}

/** As much of a recovery as matters. */
export type RecoveredLog = Pick<Recovered, "isLogRestarted"> & {
  readonly writer: Pick<Recovered["writer"], "tip">;
};

/**
 * Decides how a replica comes back.
 *
 * @param metadata What it remembers.
 * @param offer What it offered last.
 * @param recovered What its disk holds.
 * @returns Its standing.
 */
export function standingOf(
  metadata: ReplicaMetadata,
  offer: Offer | undefined,
  recovered: RecoveredLog,
): Standing {
  if (metadata.role === "recovering") return recovering("it has lost what it promised");
  const tipOp = readU64(recovered.writer.tip, TipWord.op);
  if (recovered.isLogRestarted) return recovering("its log ended before its snapshot");
  if (tipOp < metadata.commitOpHint) {
    return recovering(`its log ends at op ${tipOp}, op ${metadata.commitOpHint} was committed`);
  }
  if (offer !== undefined && offer.logView >= metadata.logView && tipOp < offer.op) {
    return recovering(`its log ends at op ${tipOp}, it had offered op ${offer.op}`);
  }
  const isFounder = metadata.view === 0n;
  return { standing: isFounder ? "founder" : "member", reason: undefined };
}

function recovering(reason: string): Standing {
  return { standing: "recovering", reason };
}
