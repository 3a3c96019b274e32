// The last line of the proof must not hold for replicas that differ, or that say nothing.
import { assertEquals } from "@std/assert";
import type { Copy } from "../../node/demo/ending.ts";
import { compareCopies } from "./copies.ts";

const MEMBERS = [1n, 2n, 3n];

function copies(change: Partial<Copy> = {}): Copy[] {
  const same = MEMBERS.map((replicaId) => ({ replicaId, op: 9n, lsn: 8n, digest: "00ff" }));
  return same.map((copy) => copy.replicaId === 2n ? { ...copy, ...change } : copy);
}

Deno.test("compareCopies() holds for equal copies, and says how many there were", () => {
  const { checked, contradiction } = compareCopies(copies(), MEMBERS);
  assertEquals([checked, contradiction], [3, undefined]);
});

Deno.test("compareCopies() sees another digest, another position and another log entry", () => {
  const changes: [Partial<Copy>, string][] = [
    [{ digest: "00fe" }, "00fe at op 9, lsn 8"],
    [{ op: 10n }, "00ff at op 10, lsn 8"],
    [{ lsn: 7n }, "00ff at op 9, lsn 7"],
  ];
  for (const [change, text] of changes) {
    const { contradiction } = compareCopies(copies(change), MEMBERS);
    assertEquals(contradiction, `replica 1 has 00ff at op 9, lsn 8, replica 2 has ${text}`);
  }
});

Deno.test("compareCopies() sees replicas that say nothing, all of them included", () => {
  assertEquals(
    compareCopies(copies().slice(0, 2), MEMBERS).contradiction,
    "replica 3 did not say what it has",
  );
  assertEquals(compareCopies([], MEMBERS).contradiction, "replica 1 did not say what it has");
});
