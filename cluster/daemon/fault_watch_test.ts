// A fault that is noticed late, twice, or not at all makes every test with it worthless.
import { assertEquals } from "@std/assert";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { ReplicaRoom } from "../../tests/support/replica_room.ts";
import { DiskFault } from "../../node/disk.ts";
import type { Faults } from "../workspace/faults.ts";
import { faultsFor, type ReplicaFaults } from "../workspace/faults_for.ts";
import { NO_FAULTS } from "../workspace/faults.ts";
import { FaultWatch } from "./fault_watch.ts";
import { LeveledLog } from "./leveled_log.ts";
import { Weather } from "./weather.ts";

function silent(): LeveledLog {
  return new LeveledLog({ debug() {}, info() {}, warn() {}, error() {} }, 1n);
}

Deno.test("FaultWatch tells at the first look and after every change, and ends what was to end", async () => {
  await using room = await ReplicaRoom.make(1);
  const told: ReplicaFaults[] = [];
  const watch = new FaultWatch({
    layout: room.layout,
    replicaId: 1n,
    log: silent(),
    apply: (faults) => told.push(faults),
  });
  watch.look(0);
  watch.look(10);
  assertEquals(told.map(({ isolated }) => isolated), [false]);
  const disk = { kind: "slow", after: 0, delayMs: 5, untilMillis: 1_000, setAtMillis: 20 } as const;
  room.setFaults({ isolated: [1n], disks: new Map([[1n, disk]]) });
  watch.look(30);
  watch.look(999);
  assertEquals(told.slice(1).map(({ isolated, disk }) => [isolated, disk?.kind]), [[true, "slow"]]);
  watch.look(1_000);
  watch.look(1_010);
  assertEquals(told.slice(2).map(({ isolated, disk }) => [isolated, disk]), [[true, undefined]]);
  Deno.removeSync(`${room.root}/cluster-faults.txt`);
  watch.look(1_020);
  assertEquals(told.slice(3).map(({ isolated }) => isolated), [false]);
});

Deno.test("Weather starts a disk fault anew only when it was set anew", () => {
  const weather = new Weather(new MemoryDisk(), { nowMs: () => 0 }, silent());
  const fault = { kind: "enospc", after: 2, setAtMillis: 1 } as const;
  const set = (changes: Partial<Faults>): void =>
    weather.apply(faultsFor(1n, { ...NO_FAULTS, ...changes }, [1n]));
  const succeeds = (): boolean => {
    try {
      weather.disk.create("a", 512).close();
      return true;
    } catch (error) {
      if (error instanceof DiskFault && error.kind === "disk_full") return false;
      throw error;
    }
  };
  set({ disks: new Map([[1n, fault]]) });
  assertEquals([succeeds(), succeeds()], [true, true]);
  set({ disks: new Map([[1n, fault]]) });
  assertEquals([succeeds(), succeeds()], [false, false]);
  set({ disks: new Map([[1n, { ...fault, setAtMillis: 2 }]]) });
  assertEquals([succeeds(), succeeds(), succeeds()], [true, true, false]);
  set({});
  assertEquals(succeeds(), true);
});

Deno.test("Weather tells parts that come later what is wrong already", () => {
  const weather = new Weather(new MemoryDisk(), { nowMs: () => 0 }, silent());
  weather.apply(faultsFor(1n, { ...NO_FAULTS, isolated: [1n] }, [1n, 2n]));
  const told: unknown[] = [];
  weather.connect({
    setLinks: (links) => told.push(links.toPeer(2n)?.cut, links.fromPeer(2n)?.cut),
    setIsolated: (isolated) => told.push(isolated),
    setClientLinks: ({ fromClients, toClients }) => told.push(fromClients?.cut, toClients?.cut),
  });
  assertEquals(told, [true, true, true, true, true]);
});

Deno.test("Weather makes the clock wrong and right again, and never lets it go back", () => {
  const right = { ms: 0, nowMs: () => right.ms };
  const weather = new Weather(new MemoryDisk(), right, silent());
  const set = (clocks: Faults["clocks"]): void =>
    weather.apply(faultsFor(1n, { ...NO_FAULTS, clocks }, [1n]));
  set(new Map([[1n, { skewMs: 500, rate: 1 }]]));
  assertEquals(weather.clock.nowMs(), 500);
  set(new Map());
  right.ms = 100;
  assertEquals(weather.clock.nowMs(), 500);
  right.ms = 600;
  assertEquals(weather.clock.nowMs(), 600);
});
