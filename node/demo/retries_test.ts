// Asking again proves something only if it can go wrong: every way in which a second answer may differ is found.
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { AllocDbClient } from "../client/client.ts";
import type { ClientCommand, Committed, SubmitResult } from "../client/types.ts";
import { type Asked, Ledger } from "./ledger.ts";
import { askAgain } from "./retries.ts";

const FIRST: Committed = {
  kind: "committed",
  code: "ok",
  ok: true,
  appliedLsn: 5n,
  reservationId: 77n,
  epoch: 1n,
  deadlineSlot: 900n,
  fromRetryCache: false,
  operationId: 1n,
};

/** Stands for a connection; never used as one. */
function someClient(clientId: bigint): AllocDbClient {
  return { clientId } as AllocDbClient;
}

function askedBy(client: AllocDbClient, operationIds: readonly bigint[]): Asked[] {
  const ledger = new Ledger();
  for (const operationId of operationIds) {
    const answer = { ...FIRST, operationId, appliedLsn: operationId };
    ledger.noteAsked(client, { kind: "create_resource", resourceId: operationId }, answer);
  }
  return ledger.asked;
}

/** What a server that remembers answers. */
function remembered({ operationId }: ClientCommand): SubmitResult {
  const id = operationId!;
  return { ...FIRST, operationId: id, appliedLsn: id, fromRetryCache: true };
}

Deno.test("askAgain() sends each client its own commands with their old operation ids, and is content with old answers", async () => {
  const [one, two] = [someClient(1n), someClient(2n)];
  const sent: [bigint, (bigint | undefined)[]][] = [];
  const asked = [...askedBy(one, [11n, 12n]), ...askedBy(two, [13n]), ...askedBy(one, [14n])];
  const finding = await askAgain(asked, (client, commands) => {
    sent.push([client.clientId, commands.map(({ operationId }) => operationId)]);
    return Promise.resolve(commands.map(remembered));
  });
  assertEquals([finding.checked, finding.contradiction], [4, undefined]);
  assertEquals(sent, [[1n, [11n, 12n, 14n]], [2n, [13n]]]);
});

Deno.test("askAgain() finds a second answer that is missing, new or another one", async () => {
  const cases: [Partial<Committed> | { kind: string }, string][] = [
    [{ kind: "unknown" }, "operation 12 was ok, and again: unknown"],
    [{ kind: "rejected" }, "operation 12 was ok, and again: rejected"],
    [{ fromRetryCache: false }, "operation 12 was carried out twice"],
    [{ appliedLsn: 99n }, "and again"],
    [{ code: "resource_busy" }, "and again"],
    [{ reservationId: 78n }, "and again"],
    [{ epoch: 2n }, "and again"],
    [{ deadlineSlot: undefined }, "and again"],
  ];
  for (const [change, text] of cases) {
    const finding = await askAgain(
      askedBy(someClient(1n), [11n, 12n]),
      (_, [first, second]) =>
        Promise.resolve(
          [remembered(first!), { ...remembered(second!), ...change }] as SubmitResult[],
        ),
    );
    assertStringIncludes(finding.contradiction ?? "nothing", text);
  }
});
