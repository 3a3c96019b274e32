// A replica that counts although it has lost what it promised can undo a commit; one that does not count although it has lost
// nothing may leave the cluster without a majority. The table says which is which.
import { assertEquals } from "@std/assert";
import { createTip, TipWord } from "../../core/log_tip.ts";
import { writeU64 } from "../../core/words.ts";
import { sampleMetadata } from "../../tests/support/metadata.ts";
import type { ReplicaMetadata } from "../metadata/codec.ts";
import type { Offer } from "../vsr/events.ts";
import { REPLICA_ROLES } from "../vsr/role.ts";
import { standingOf } from "./standing.ts";

/** What recovery found, as far as it matters. */
function found(tipOp: bigint, isLogRestarted = false): Parameters<typeof standingOf>[2] {
  const tip = createTip();
  writeU64(tip, TipWord.op, tipOp);
  return { writer: { tip }, isLogRestarted };
}

function offerOf(op: bigint, logView: bigint): Offer {
  return { view: logView + 1n, logView, op, hash: 5n };
}

interface Row {
  readonly name: string;
  readonly metadata?: Partial<ReplicaMetadata>;
  readonly offer?: Offer;
  readonly tipOp: bigint;
  readonly isLogRestarted?: boolean;
  readonly standing: "founder" | "member" | "recovering";
  readonly reason?: string;
}

const LOST = "it has lost what it promised";

/** Metadata unless told: log view 6, op 100 committed. */
const ROWS: readonly Row[] = [
  { name: "as it should be", tipOp: 100n, standing: "member" },
  { name: "more than committed", tipOp: 2n ** 64n - 1n, standing: "member" },
  { name: "new", metadata: { view: 0n, commitOpHint: 0n }, tipOp: 0n, standing: "founder" },
  {
    name: "new and lost",
    metadata: { view: 0n, commitOpHint: 0n, role: "recovering" },
    tipOp: 0n,
    standing: "recovering",
    reason: LOST,
  },
  {
    name: "never caught up",
    metadata: { role: "recovering" },
    tipOp: 100n,
    standing: "recovering",
    reason: LOST,
  },
  {
    name: "committed entries are gone",
    tipOp: 99n,
    standing: "recovering",
    reason: "its log ends at op 99, op 100 was committed",
  },
  {
    name: "the log was given up for the snapshot",
    tipOp: 120n,
    isLogRestarted: true,
    standing: "recovering",
    reason: "its log ended before its snapshot",
  },
  { name: "all that was offered", offer: offerOf(110n, 6n), tipOp: 110n, standing: "member" },
  {
    name: "less than was offered",
    offer: offerOf(110n, 6n),
    tipOp: 109n,
    standing: "recovering",
    reason: "its log ends at op 109, it had offered op 110",
  },
  {
    name: "less than was offered of a later log",
    offer: offerOf(110n, 7n),
    tipOp: 109n,
    standing: "recovering",
    reason: "its log ends at op 109, it had offered op 110",
  },
  {
    name: "less than was offered of an earlier log, which a later view did without",
    offer: offerOf(110n, 5n),
    tipOp: 100n,
    standing: "member",
  },
];

Deno.test("standingOf() is as the table says", () => {
  for (const row of ROWS) {
    const metadata = sampleMetadata({ logView: 6n, commitOpHint: 100n, ...row.metadata });
    const { standing, reason } = standingOf(
      metadata,
      row.offer,
      found(row.tipOp, row.isLogRestarted),
    );
    assertEquals([standing, reason], [row.standing, row.reason], row.name);
  }
});

Deno.test("standingOf() goes by what was lost, not by the role in which that happened", () => {
  for (const role of REPLICA_ROLES) {
    const metadata = sampleMetadata({ role, commitOpHint: 100n });
    const isLost = role === "recovering";
    const { standing } = standingOf(metadata, undefined, found(100n));
    assertEquals(standing, isLost ? "recovering" : "member", role);
  }
});
