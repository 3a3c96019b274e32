// The cluster is known only through what its command prints: a change there must not turn into a wrong figure.
import { assertEquals, assertThrows } from "@std/assert";
import { spread } from "./allocdb.ts";
import { findLeader } from "./etcd.ts";
import { parseRssBytes } from "./idle.ts";
import { isWhole, parseLook, primaryIn } from "./replicas.ts";

function replica(id: string, role: string | null, state = "active") {
  return {
    ...{ replica: id, state, pid: 7, role, applied_lsn: "3", commit_lsn: null },
    ...{ client: "127.0.0.1:1", control: "127.0.0.1:2", wal: "/ws/replica-1/state.wal" },
  };
}

function look(primary: string | null, ...replicas: readonly ReturnType<typeof replica>[]) {
  return parseLook(JSON.stringify({ more: 1, primary, replicas }));
}

Deno.test("isWhole() needs a primary, and backups that serve for all the others", () => {
  const backups = [replica("1", "backup"), replica("3", "backup")];
  assertEquals(isWhole(look("2", replica("2", "primary"), ...backups)), true);
  assertEquals(isWhole(look(null, replica("2", "primary"), ...backups)), false);
  assertEquals(isWhole(look("2", replica("2", "primary"), replica("1", "recovering"))), false);
  assertEquals(isWhole(look("2", replica("2", "primary"), replica("1", null, "stopped"))), false);
  assertEquals(isWhole(look("2", replica("2", "primary"), replica("1", "primary"))), false);
});

Deno.test("primaryIn() is the replica that the cluster calls its primary", () => {
  const found = look("2", replica("1", "primary"), replica("2", "backup"));
  assertEquals(primaryIn(found)?.replica, "2");
  assertEquals(primaryIn(look("9", replica("1", "primary"))), undefined);
});

Deno.test("parseLook() says what is missing", () => {
  assertThrows(() => look("1"), Error, "replicas");
  const json = JSON.stringify({ primary: null, replicas: [{ ...replica("1", null), pid: "7" }] });
  assertThrows(() => parseLook(json), Error, "replicas.0.pid");
});

Deno.test("findLeader() waits until all members answer and agree", () => {
  const member = (id: number, leader: number) => ({
    Endpoint: `127.0.0.1:${id}`,
    Status: { header: { member_id: id }, leader },
  });
  const find = (...members: readonly unknown[]) => findLeader(JSON.stringify(members), 3);
  assertEquals(find(member(1, 2), member(2, 2), member(3, 2)), "127.0.0.1:2");
  assertEquals(find(member(1, 2), member(2, 2)), undefined);
  assertEquals(find(member(1, 0), member(2, 2), member(3, 2)), undefined);
  assertEquals(find(member(1, 0), member(2, 0), member(3, 0)), undefined);
  assertThrows(() => findLeader("{}", 3));
});

Deno.test("spread() gives every connection as many clients", () => {
  assertEquals(spread(64, Infinity), { connections: 64, inFlight: 1 });
  assertEquals(spread(1_000, 8), { connections: 8, inFlight: 125 });
  assertEquals(spread(4, 8), { connections: 4, inFlight: 1 });
});

Deno.test("parseRssBytes() finds resident memory, and nothing that looks like it", () => {
  assertEquals(
    parseRssBytes("Name:\tx\nVmHWM:\t9 kB\nVmRSS:\t  1024 kB\nRssAnon:\t1 kB\n"),
    2 ** 20,
  );
  assertThrows(() => parseRssBytes("Name:\tVmRSS: 1 kB\n"), Error, "resident");
});
