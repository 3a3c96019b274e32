/** Whether all replicas have the same in the end. Pure. */
import type { Copy } from "../../node/demo/ending.ts";
import type { Finding } from "../../node/demo/proof.ts";

/**
 * Compares what replicas have.
 *
 * @param copies What each one said.
 * @param members Who should have said something.
 * @returns What must be so, and what speaks against it.
 */
export function compareCopies(copies: readonly Copy[], members: readonly bigint[]): Finding {
  return {
    claim: "all three replicas hold exactly the same",
    checked: copies.length,
    contradiction: silence(copies, members) ?? difference(copies),
  };
}

function silence(copies: readonly Copy[], members: readonly bigint[]): string | undefined {
  const silent = members.find((id) => copies.every(({ replicaId }) => replicaId !== id));
  return silent === undefined ? undefined : `replica ${silent} did not say what it has`;
}

function difference(copies: readonly Copy[]): string | undefined {
  const first = copies[0]!;
  const other = copies.find(({ op, lsn, digest }) =>
    op !== first.op || lsn !== first.lsn || digest !== first.digest
  );
  return other === undefined ? undefined : `${describe(first)}, ${describe(other)}`;
}

function describe({ replicaId, op, lsn, digest }: Copy): string {
  return `replica ${replicaId} has ${digest} at op ${op}, lsn ${lsn}`;
}
