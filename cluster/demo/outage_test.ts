// What the demo shows as the failover time, against answers at times that are known.
import { assertEquals } from "@std/assert";
import type { Committed } from "../../node/client/types.ts";
import { type Gap, OutageMeter } from "./outage.ts";

const NEW = { fromRetryCache: false } as Committed;
const OLD = { fromRetryCache: true } as Committed;

/** A meter under a clock that is set by hand, and what it has found. */
class Case {
  nowMs = 0;
  found: Gap | undefined;
  readonly meter = new OutageMeter(() => this.nowMs);

  watch(address: string): void {
    this.meter.successorOf(address).then((gap) => this.found = gap);
  }

  async at(nowMs: number, address: string, answer: Committed = NEW): Promise<Gap | undefined> {
    this.nowMs = nowMs;
    this.meter.note(answer, address);
    await Promise.resolve();
    return this.found;
  }
}

Deno.test("OutageMeter measures from the last answer of the old server to the first new write of another", async () => {
  const one = new Case();
  await one.at(100, "a");
  one.watch("a");
  assertEquals(await one.at(130, "a"), undefined, "what was still on its way counts as before");
  assertEquals(await one.at(900, "b", OLD), undefined, "what is remembered is no new write");
  assertEquals(await one.at(950, "b"), { ms: 820, successor: "b" });
  await one.at(960, "c");
  assertEquals(one.found, { ms: 820, successor: "b" }, "only the first");
});

Deno.test("OutageMeter measures one outage after the other", async () => {
  const one = new Case();
  await one.at(10, "a");
  one.watch("a");
  await one.at(20, "b");
  one.watch("b");
  assertEquals(one.found, { ms: 10, successor: "b" });
  assertEquals(await one.at(50, "a"), { ms: 30, successor: "a" });
});

Deno.test("OutageMeter measures from when it was told for a server that never answered", async () => {
  const one = new Case();
  one.nowMs = 40;
  one.watch("a");
  assertEquals(await one.at(100, "b"), { ms: 60, successor: "b" });
});
