// What each replica is told of the faults must add up to what the file says of the cluster: a direction is cut
// when either end is told so, and it is for one of three reasons.
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { DISK_FAULT_KINDS } from "../../node/cli/cluster_options.ts";
import { DiskFault } from "../../node/disk.ts";
import { FaultyDisk } from "../../node/io/faulty_disk.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { type Faults, NO_FAULTS, withDiskFault, withLink, withPartition } from "./faults.ts";
import { diskRules, faultsFor, hasEnded, linkFaults } from "./faults_for.ts";

const MEMBERS = [1n, 2n, 3n, 4n, 5n];

const states: fc.Arbitrary<Faults> = fc.record({
  isolated: fc.subarray([...MEMBERS]),
  side: fc.array(fc.nat(2), { minLength: 5, maxLength: 5 }),
  links: fc.array(fc.tuple(
    fc.constantFrom(...MEMBERS),
    fc.constantFrom(...MEMBERS),
    fc.constantFrom({ cut: true } as const, { drop: 0.5 }, { delayMs: 7 }),
  )),
}).map(({ isolated, side, links }) => {
  const groups = [0, 1, 2].map((n) => MEMBERS.filter((_, i) => side[i] === n));
  const used = groups.filter((group) => group.length > 0);
  const base = withPartition({ ...NO_FAULTS, isolated }, used.length > 1 ? used : []);
  return links.filter(([from, to]) => from !== to)
    .reduce((faults, [from, to, fault]) => withLink(faults, { from, to, fault }), base);
});

Deno.test("faultsFor() cuts exactly the directions that isolation, partition and links cut, at both ends", () => {
  let cuts = 0;
  fc.assert(
    fc.property(states, (faults) => {
      for (const from of MEMBERS) {
        for (const to of MEMBERS.filter((id) => id !== from)) {
          const side = (id: bigint) => faults.partition.find((group) => group.includes(id));
          const link = faults.links.find((known) => known.from === from && known.to === to);
          const isCut = faults.isolated.some((id) => id === from || id === to) ||
            side(from) !== side(to) || link?.fault.cut === true;
          const sender = linkFaults(faultsFor(from, faults, MEMBERS)).toPeer(to);
          const receiver = linkFaults(faultsFor(to, faults, MEMBERS)).fromPeer(from);
          assertEquals([sender?.cut ?? false, receiver?.cut ?? false], [isCut, isCut]);
          // What is not cut is spoilt once, by the sender.
          if (!isCut) assertEquals([sender, receiver], [link?.fault, undefined]);
          if (isCut) cuts++;
        }
        const isolated = faults.isolated.includes(from);
        const { fromClients, toClients } = faultsFor(from, faults, MEMBERS);
        const expected = isolated ? { cut: true } : undefined;
        assertEquals([fromClients, toClients], [expected, expected]);
      }
    }),
    { seed: 31, numRuns: 100 },
  );
  assertEquals(cuts > 500, true);
});

Deno.test("diskRules() make the disk fail in the way that was asked for, after as many operations", () => {
  const expected = { eio: "io_error", enospc: "disk_full", "torn-write": "io_error" } as const;
  for (const [kind, fault] of Object.entries(expected)) {
    const rules = diskRules({ kind: kind as "eio", after: 2, setAtMillis: 0 });
    const inner = new MemoryDisk();
    const file = new FaultyDisk(inner, rules).create("f", 4_096);
    const told: (string | undefined)[] = [];
    for (let i = 0; i < 4; i++) {
      try {
        file.write(0, new Uint8Array(2_048).fill(i + 1));
        told.push(undefined);
      } catch (error) {
        if (!(error instanceof DiskFault)) throw error;
        told.push(error.kind);
      }
    }
    assertEquals(told, [undefined, undefined, fault, fault], kind);
    const torn = kind === "torn-write" ? [4, 2] : [2, 2];
    assertEquals([inner.contents("f")[0], inner.contents("f")[1_024]], torn, kind);
  }
  const sync = diskRules({ kind: "fsync-failure", after: 0, setAtMillis: 0 });
  const told: unknown[] = [];
  const disk = new FaultyDisk(new MemoryDisk(), sync);
  disk.create("f", 512).writeDurably(0, new Uint8Array(512), (fault) => told.push(fault?.kind));
  assertEquals(told, ["io_error"]);
});

Deno.test("diskRules() for a slow disk only tell later", () => {
  const later: [number, () => void][] = [];
  const rules = diskRules({ kind: "slow", after: 0, delayMs: 40, setAtMillis: 0 });
  const disk = new FaultyDisk(new MemoryDisk(), rules, (ms, run) => later.push([ms, run]));
  const told: unknown[] = [];
  disk.create("f", 512).writeDurably(0, new Uint8Array(512), (fault) => told.push(fault));
  assertEquals([told.length, later.length, later[0]?.[0]], [0, 1, 40]);
  later[0]![1]();
  assertEquals(told, [undefined]);
});

Deno.test("diskRules() gives each fault a table of its own, as the disk counts in it", () => {
  for (const kind of DISK_FAULT_KINDS) {
    const fault = { kind, after: 3, setAtMillis: 0 };
    for (const rule of Object.values(diskRules(fault))) rule.skip = 0;
    assertEquals(Object.values(diskRules(fault)).every(({ skip }) => skip === 3), true, kind);
  }
});

Deno.test("hasEnded() goes by the time that was written down", () => {
  const fault = { kind: "eio", after: 0, setAtMillis: 1_000 } as const;
  assertEquals(hasEnded(fault, Number.MAX_SAFE_INTEGER), false);
  assertEquals(hasEnded({ ...fault, untilMillis: 3_000 }, 2_999), false);
  assertEquals(hasEnded({ ...fault, untilMillis: 3_000 }, 3_000), true);
  assertEquals(withDiskFault(NO_FAULTS, 1n, fault).disks.get(1n), fault);
});
