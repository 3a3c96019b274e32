// Schedules by seed: the transcript repeats, and what makes no sense is refused before anything happens.
import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { create, reserve } from "../workload/requests.ts";
import { SingleNode } from "./harness.ts";
import { exploreSchedule, type ScheduledAction } from "./schedule.ts";

const ACTIONS: ScheduledAction[] = [
  { label: "a", candidateSlots: [2n, 3n, 4n, 2n], kind: "submit", request: reserve(1n, 2n, 7n) },
  { label: "b", candidateSlots: [4n, 2n, 3n], kind: "submit", request: reserve(1n, 2n, 8n) },
  { label: "c", candidateSlots: [3n, 4n], kind: "submit", request: create(2n) },
  { label: "tick", candidateSlots: [5n, 6n, 7n], kind: "tick" },
];

function explore(seed: number, actions = ACTIONS) {
  const single = SingleNode.start();
  single.submit(create(1n));
  return exploreSchedule(single, seed, actions);
}

Deno.test("exploreSchedule() takes one course for one seed, and others for others", () => {
  const courses = new Set<string>();
  for (let seed = 0; seed < 40; seed++) {
    const transcript = explore(seed);
    assertEquals(explore(seed), transcript);
    const slots = transcript.map(({ slot }) => slot);
    assertEquals(slots, slots.toSorted((a, b) => Number(a - b)), "slots do not go back");
    assertEquals(transcript.map(({ label }) => label).toSorted(), ["a", "b", "c", "tick"]);
    courses.add(transcript.map(({ label, slot }) => `${label}@${slot}`).join(" "));
  }
  assertNotEquals(courses.size, 1);
});

Deno.test("exploreSchedule() draws from the set of slots, however they are listed", () => {
  const reordered = ACTIONS.map((action) => ({
    ...action,
    candidateSlots: [...action.candidateSlots, ...action.candidateSlots].reverse(),
  }));
  assertEquals(explore(3, reordered), explore(3));
});

Deno.test("exploreSchedule() says what came of each action", () => {
  const single = SingleNode.start();
  single.submit(create(1n));
  const request = { ...reserve(1n, 2n), operationId: 5n, clientId: 1n };
  const transcript = exploreSchedule(single, 1, [
    { label: "1 reserve", candidateSlots: [2n], kind: "submit", request },
    { label: "2 again", candidateSlots: [3n], kind: "submit", request },
    { label: "3 tick", candidateSlots: [4n], kind: "tick" },
  ]);
  const submitted = { kind: "submit", code: "ok", operationId: 5n, appliedLsn: 2n } as const;
  assertEquals(transcript, [
    { label: "1 reserve", slot: 2n, ...submitted, fromRetryCache: false },
    { label: "2 again", slot: 3n, ...submitted, fromRetryCache: true },
    {
      label: "3 tick",
      slot: 4n,
      kind: "tick",
      processedCount: 1,
      lastAppliedLsn: 3n,
      expired: [{ reservationId: 2n, deadlineSlot: 4n, lsn: 3n, code: "ok" }],
    },
  ]);
});

Deno.test("exploreSchedule() refuses what cannot be meant, and nothing happens", () => {
  const single = SingleNode.start();
  single.advanceTo(5n);
  const tick = (label: string, ...candidateSlots: bigint[]): ScheduledAction => ({
    label,
    candidateSlots,
    kind: "tick",
  });
  const refused = (actions: ScheduledAction[], why: string) =>
    assertThrows(() => exploreSchedule(single, 1, actions), Error, why);
  refused([tick("a", 6n), tick("a", 7n)], "Two actions are called a");
  refused([tick("a", 6n), tick("b")], "b has no slot");
  refused([tick("a", 6n), tick("b", 9n, 4n)], "b may happen in slot 4, which is in the past");
  assertEquals(single.slot, 5n);
});
