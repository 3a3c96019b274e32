// The gateway over a node that is no script: what the document promises has to come out of the engine, the
// log and the queue together, under contention, across retries, and when the disk fails.
import { assert, assertEquals } from "@std/assert";
import { post, withGateway } from "../../tests/support/http.ts";
import { openLiveNode } from "../../tests/support/live_node.ts";

interface Told {
  readonly status: number;
  readonly code?: string;
  readonly reservation_id?: string;
  readonly from_retry_cache?: boolean;
  readonly category?: string;
  readonly retry?: string;
}

async function told(reply: Promise<Response>): Promise<Told> {
  const { status, ...body } = await (await reply).json().then(async (body) => ({
    ...body,
    status: (await reply).status,
  }));
  return { status, ...body };
}

Deno.test("64 clients want one seat: one gets it, the others hear that it is busy", async () => {
  const { node } = openLiveNode();
  await withGateway(node, {}, async ({ url }) => {
    await told(post(`${url}/v1/resources`, { resource_id: "seat:1" }));
    const replies = await Promise.all(
      Array.from({ length: 64 }, (_, buyer) =>
        told(
          post(`${url}/v1/reservations`, { resource_id: "seat:1", holder_id: buyer, ttl: "5s" }),
        )),
    );
    const codes = replies.map(({ status, code }) => `${status} ${code}`).sort();
    assertEquals(codes, ["201 ok", ...Array(63).fill("409 resource_busy")]);
    const winner = replies.findIndex(({ status }) => status === 201);
    const seat = await (await fetch(`${url}/v1/resources/seat:1`)).json();
    assertEquals(seat.current_reservation_id, replies[winner]!.reservation_id);
    const reservation = await fetch(`${url}/v1/reservations/${seat.current_reservation_id}`);
    assertEquals((await reservation.json()).holder_id, String(winner));
  });
  node.close();
});

Deno.test("a write repeated under its key is applied once, also while the first is under way", async () => {
  const { node } = openLiveNode();
  await withGateway(node, {}, async ({ url }) => {
    await told(post(`${url}/v1/resources`, { resource_id: 1 }));
    const body = { resource_id: 1, holder_id: 2, ttl: "5s", operation_id: 3, client_id: 4 };
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => told(post(`${url}/v1/reservations`, body))),
    );
    assertEquals(new Set(replies.map(({ status }) => status)), new Set([201]));
    assertEquals(new Set(replies.map(({ reservation_id }) => reservation_id)), new Set(["2"]));
    assertEquals(replies.filter(({ from_retry_cache }) => !from_retry_cache).length, 1);
  });
  assertEquals(node.metrics().core.lastAppliedLsn, 2n);
  node.close();
});

Deno.test("a full batch is applied in order and costs fewer syncs than commands", async () => {
  const { node } = openLiveNode();
  await withGateway(node, {}, async ({ url }) => {
    const ids = Array.from({ length: 1_024 }, (_, i) => i);
    const commands = ids.map((id) => ({ command: "create_resource", resource_id: id }));
    const { results } = await (await post(`${url}/v1/commands`, { commands })).json();
    assertEquals(
      results.map(({ code, applied_lsn }: Record<string, string>) => `${code} ${applied_lsn}`),
      ids.map((id) => `ok ${id + 1}`),
    );
  });
  assert(node.metrics().wal.syncCount < 100);
  node.close();
});

Deno.test("time passes: an unconfirmed reservation expires at a tick, and its record ages out", async () => {
  const { node, clock } = openLiveNode();
  await withGateway(node, {}, async ({ url }) => {
    await told(post(`${url}/v1/resources`, { resource_id: 1 }));
    await told(post(`${url}/v1/reservations`, { resource_id: 1, holder_id: 2, ttl: "1s" }));
    const tick = async (): Promise<number> =>
      (await (await post(`${url}/v1/expirations/tick`, {})).json()).processed_count;
    clock.ms = 1_009; // The slot of the deadline is not over: a hold made late in a slot keeps its whole second.
    assertEquals(await tick(), 0);
    clock.ms = 1_010;
    assertEquals(await tick(), 1);
    const confirm = { holder_id: 2, epoch: 1 };
    assertEquals(
      (await told(post(`${url}/v1/reservations/2/confirm`, confirm))).code,
      "stale_epoch",
    );
    const seen = await (await fetch(`${url}/v1/reservations/2`)).json();
    assertEquals([seen.state, seen.epoch], ["expired", "2"]);
    const late = `${url}/v1/reservations/2?current_slot=${BigInt(seen.retire_after_slot) + 1n}`;
    assertEquals((await told(fetch(late))).code, "retired");
  });
  node.close();
});

Deno.test("when the log fails, no write is called certain and nothing but figures is answered", async () => {
  const { node, disk } = openLiveNode();
  await withGateway(node, {}, async ({ url }) => {
    await told(post(`${url}/v1/resources`, { resource_id: 1 }));
    assertEquals(
      (await fetch(`${url}/readyz`).then((reply) => told(Promise.resolve(reply)))).status,
      200,
    );
    disk.plan({ nth: 1, action: "sync", effect: "io_error" });
    const failed = await told(post(`${url}/v1/resources`, { resource_id: 2, operation_id: 9 }));
    assertEquals(
      [failed.status, failed.code, failed.category, failed.retry],
      [503, "storage_failure", "indefinite", "same_id"],
    );
    const again = await told(post(`${url}/v1/resources`, { resource_id: 2, operation_id: 9 }));
    assertEquals([again.code, again.category], ["engine_halted", "indefinite"]);
    for (const path of ["/v1/resources/1", "/v1/reservations/1", "/readyz"]) {
      assertEquals((await told(fetch(url + path))).code, "engine_halted", path);
    }
    assertEquals((await told(post(`${url}/v1/checkpoint`, {}))).code, "engine_halted");
    assertEquals((await told(fetch(`${url}/healthz`))).status, 200);
    const scrape = await (await fetch(`${url}/metrics`)).text();
    assert(scrape.includes("allocdb_accepting_writes 0\n"));
    assert(scrape.includes("allocdb_halted 1\n"));
  });
  node.close();
});
