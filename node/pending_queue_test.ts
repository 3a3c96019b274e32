// A retry that arrives while its first is pending must find it, and only it: a miss would run a command twice.
// Tried against a plain list, with keys from a tiny space, hashes that collide, and many laps of the ring.
import { assert, assertEquals } from "@std/assert";
import { createCommand, Field } from "../core/command.ts";
import { NO_ROW } from "../core/ids.ts";
import type { ResultSink } from "./api.ts";
import { PendingQueue } from "./pending_queue.ts";

interface Entry {
  readonly key: number | undefined;
  readonly fields: number;
  readonly token: number;
}

const SINK: ResultSink = { committed() {}, rejected() {} };

Deno.test("PendingQueue finds what a plain list finds, whatever collides, over many laps", () => {
  const capacity = 7;
  const queue = new PendingQueue(capacity);
  const list: Entry[] = [];
  const command = createCommand(1);
  let seed = 12345;
  const below = (n: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed >>> 8) % n;
  };
  let found = 0;
  for (let step = 0; step < 20_000; step++) {
    const key = below(12);
    command.words[Field.operationId] = key;
    command.fingerprint[0] = below(2);
    const hash = key & 3;
    const row = queue.find(command, hash);
    const expected = list.find((entry) => entry.key === key);
    assertEquals(row !== NO_ROW, expected !== undefined, `step ${step}`);
    if (expected !== undefined) {
      found++;
      queue.follow(row, command, SINK, step);
    } else if (queue.room > 0) {
      const isClient = below(4) > 0;
      if (isClient) queue.pushClient(command, hash, SINK, step);
      else queue.pushInternal(SINK, step);
      list.push({ key: isClient ? key : undefined, fields: command.fingerprint[0]!, token: step });
    }
    if (list.length > 0 && below(3) > 0) {
      assertEquals(queue.headToken, list[0]!.token);
      assert(queue.headSink === SINK);
      queue.shift();
      list.shift();
    }
    assertEquals(queue.length, list.length);
  }
  assert(found > 1_000);
});

Deno.test("PendingQueue hands followers out with their entry, marked by whether they ask the same", () => {
  const queue = new PendingQueue(3);
  const command = createCommand(1);
  for (let lap = 0; lap < 10; lap++) {
    command.words[Field.operationId] = lap;
    command.fingerprint[0] = 1;
    queue.pushInternal(SINK, 0);
    queue.pushClient(command, 9, SINK, 1);
    const row = queue.find(command, 9);
    queue.follow(row, command, SINK, 2);
    command.fingerprint[0] = 5;
    queue.follow(row, command, SINK, 3);
    assertEquals(queue.shift(), []);
    const followers = queue.shift().map(({ token, isSame }) => ({ token, isSame }));
    assertEquals(followers, [{ token: 2, isSame: true }, { token: 3, isSame: false }]);
    assertEquals(queue.find(command, 9), NO_ROW);
  }
});
