// Everything at once to a server that leads, one thing at a time to one that may, nothing to one that is left.
import { assertEquals } from "@std/assert";
import type { NotPrimary } from "../api.ts";
import { parseAddress } from "./address.ts";
import { Course } from "./course.ts";
import { PrimarySearch } from "./primary_search.ts";
import type { ServerInfo } from "./types.ts";

const SERVER: ServerInfo = {
  address: "h:1",
  clusterId: new Uint8Array(16),
  version: "test",
  shardId: 0n,
  slotDurationMs: 10,
  maxFrameBytes: 4_096,
  maxCommandBytes: 4_096,
  maxBatchCommands: 10,
  maxBundleSize: 4,
  maxTtlSlots: 100n,
  currentSlot: 0n,
};

/** Replica 1 of three, connected, with what it says of its view. */
function connected(view: bigint, primary: bigint | undefined): Course {
  const search = new PrimarySearch([parseAddress("h:1")], 500);
  const members = [1n, 2n, 3n].map((id) => ({ replicaId: id, address: `h:${id}` }));
  const info = { ...SERVER, cluster: { replicaId: 1n, view, primary, members } };
  search.greeted(info);
  const course = new Course(search);
  course.connected(info);
  return course;
}

function notPrimary(hint: NotPrimary): { category: "definite"; code: "not_primary" } & NotPrimary {
  return { category: "definite", code: "not_primary", ...hint };
}

Deno.test("Course: a primary, or a node that is alone, gets everything", () => {
  assertEquals(connected(3n, 1n).step(0, true), "send");
  const alone = new Course(new PrimarySearch([parseAddress("h:1")], 500));
  alone.connected(SERVER);
  assertEquals(alone.step(0, true), "send");
});

Deno.test("Course: a replica that names another one as primary is left for it before anything is sent", () => {
  assertEquals(connected(3n, 2n).step(0, false), "move");
});

Deno.test("Course: a replica that knows no primary gets one request at a time, with pauses, and three in all", () => {
  const course = connected(3n, undefined);
  for (let i = 0; i < 3; i++) {
    const nowMs = i * 1_000;
    assertEquals(course.step(nowMs, false), "knock");
    course.knocked();
    assertEquals(course.step(nowMs, true), "wait");
    course.displaced(notPrimary({ view: 3n, primary: undefined }), nowMs);
    if (i < 2) assertEquals(course.step(nowMs + 1, false), "wait");
  }
  assertEquals(course.step(2_001, false), "leave");
  assertEquals(course.reason().code, "no_primary");
});

Deno.test("Course: one that accepts a request gets the rest", () => {
  const course = connected(3n, undefined);
  course.knocked();
  course.accepted();
  assertEquals(course.step(0, false), "send");
});

Deno.test("Course: a primary that steps down may answer what it owes before it is left", () => {
  const course = connected(3n, 1n);
  course.displaced(notPrimary({ view: 4n, primary: 2n }), 100);
  assertEquals(course.step(100, true), "wait");
  assertEquals(course.step(100, false), "move");
  assertEquals(course.step(120, true), "move", "but not for ever");
});

Deno.test("Course: answers to what was sent at full speed are no knocks", () => {
  const course = connected(3n, 1n);
  for (let i = 0; i < 4; i++) course.displaced({ category: "indefinite", code: "view_changed" }, 0);
  assertEquals(course.step(1_000, false), "knock");
});

Deno.test("Course: a replica that has stopped itself is left for any other", () => {
  const course = connected(3n, 1n);
  course.displaced({ category: "indefinite", code: "storage_failure" }, 0);
  assertEquals(course.step(0, false), "leave");
  assertEquals(course.reason().code, "connection_lost");
});
