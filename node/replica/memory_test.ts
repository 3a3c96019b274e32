// What a replica remembers is what it may say to others. Each write must be on the disk in the order it was asked for, an offer
// before the metadata that goes with it, and none may take back what an earlier one said.
import { assert, assertEquals } from "@std/assert";
import { sampleMetadata } from "../../tests/support/metadata.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import type { DiskFault } from "../disk.ts";
import type { ReplicaMetadata } from "../metadata/codec.ts";
import {
  createMetadata,
  loadMetadata,
  METADATA_FILE,
  type StoredMetadata,
} from "../metadata/metadata.ts";
import { loadOffer, OFFER_FILE } from "../metadata/offer.ts";
import type { Offer, StoreEffect } from "../vsr/events.ts";
import { MetadataMemory, NO_MEMORY } from "./memory.ts";

/** A memory over a disk, what it was told, and the files in the order in which they were written. */
class Room {
  readonly disk: MemoryDisk;
  readonly stored: StoredMetadata;
  readonly memory: MetadataMemory;
  readonly written: string[] = [];
  readonly transitions: string[] = [];
  readonly told: string[] = [];

  constructor(metadata: Partial<ReplicaMetadata> = {}) {
    this.disk = new MemoryDisk({
      deferred: true,
      observer: {
        wrote: (name) => void this.written.push(name),
        synced() {},
        renamed() {},
        directorySynced() {},
      },
    });
    const first = sampleMetadata({ view: 7n, logView: 6n, ...HINTS, ...metadata });
    this.stored = createMetadata(this.disk, first);
    this.written.length = 0;
    this.memory = new MetadataMemory(this.disk, this.stored, (before, now) => {
      this.transitions.push(`${before.view}=>${now.view}`);
    });
  }

  store(view: bigint, commitOp: bigint, offer?: Offer): void {
    this.memory.store(effect(view, offer), commitOp, (fault) => {
      this.told.push(`${view} ${fault?.kind ?? "done"}`);
    });
  }

  get durable(): ReplicaMetadata {
    return loaded(this.disk.crash("lose"));
  }
}

const HINTS = { commitOpHint: 100n, snapshotOpHint: 50n };

function loaded(disk: MemoryDisk): ReplicaMetadata {
  const load = loadMetadata(disk);
  assert(load.kind === "loaded");
  return load.stored.metadata;
}

function effect(view: bigint, offer?: Offer): StoreEffect {
  const vote = { view, replica: 1n };
  return { kind: "store", view, logView: 6n, role: "view_uncertain", vote, offer };
}

function offerOf(view: bigint): Offer {
  return { view, logView: 6n, op: 10n * view, hash: view };
}

Deno.test("MetadataMemory.store() makes the offer durable before the metadata, and tells after both", () => {
  const room = new Room();
  room.store(8n, 120n, offerOf(8n));
  assertEquals([room.told, room.written], [[], [OFFER_FILE]]);
  room.disk.settle();
  assertEquals(room.told, ["8 done"]);
  assertEquals(room.written, [OFFER_FILE, METADATA_FILE, METADATA_FILE]);
  assertEquals(room.transitions, ["7=>8"]);
  const { view, logView, role, vote, commitOpHint, snapshotOpHint } = room.durable;
  assertEquals([view, logView, role, vote], [8n, 6n, "view_uncertain", { view: 8n, replica: 1n }]);
  assertEquals([commitOpHint, snapshotOpHint], [120n, 50n]);
  assertEquals(loadOffer(room.disk.crash("lose")), offerOf(8n));
});

Deno.test("MetadataMemory.store() never has metadata on the disk whose offer is not, whenever the power fails", () => {
  const whole = new Room();
  whole.disk.operations = 0;
  whole.store(8n, 0n, offerOf(8n));
  whole.disk.settle();
  for (let nth = 1; nth <= whole.disk.operations; nth++) {
    for (let seed = 0; seed < 8; seed++) {
      const room = new Room();
      room.disk.plan({ nth, effect: "crash" });
      try {
        room.store(8n, 0n, offerOf(8n));
        room.disk.settle();
      } catch {
        assert(room.disk.isCrashed);
      }
      const after = room.disk.crash(new SeededRandom(seed));
      if (loaded(after).view === 8n) assertEquals(loadOffer(after), offerOf(8n));
      assertEquals(room.told, []);
    }
  }
});

Deno.test("MetadataMemory writes one thing at a time, and what came meanwhile after it", () => {
  const room = new Room();
  room.memory.storeHints(130n, 60n);
  room.store(8n, 120n);
  room.store(9n, 140n, offerOf(9n));
  assertEquals(room.memory.isQuiet, false);
  room.disk.settle();
  assertEquals(room.told, ["8 done", "9 done"]);
  assertEquals(room.transitions, ["7=>8", "8=>9"]);
  const { view, commitOpHint, snapshotOpHint } = room.durable;
  assertEquals([view, commitOpHint, snapshotOpHint], [9n, 140n, 60n]);
  assertEquals(room.memory.isQuiet, true);
});

Deno.test("MetadataMemory never lowers a hint, and writes none that say nothing new", () => {
  const room = new Room();
  room.memory.storeHints(100n, 50n);
  room.memory.storeHints(99n, 0n);
  assertEquals(room.written, []);
  room.store(8n, 3n);
  room.disk.settle();
  assertEquals(room.durable.commitOpHint, 100n);
  room.memory.storeHints(90n, 70n);
  room.disk.settle();
  assertEquals([room.durable.commitOpHint, room.durable.snapshotOpHint], [100n, 70n]);
  room.memory.storeHints(101n, 0n);
  room.disk.settle();
  assertEquals([room.durable.commitOpHint, room.durable.snapshotOpHint], [101n, 70n]);
  assertEquals(room.durable.view, 8n);
  assertEquals(room.transitions, ["7=>8"], "hints are no transition");
});

Deno.test("MetadataMemory.storeHints() gives way to a write that is under way", () => {
  const room = new Room();
  room.store(8n, 120n);
  room.memory.storeHints(500n, 0n);
  room.disk.settle();
  assertEquals([room.durable.view, room.durable.commitOpHint], [8n, 120n]);
});

Deno.test("MetadataMemory keeps the order of what is asked for while it tells", () => {
  const room = new Room();
  const told: bigint[] = [];
  room.memory.store(effect(8n), 0n, () => {
    told.push(8n);
    room.memory.store(effect(9n), 0n, () => told.push(9n));
  });
  room.disk.settle();
  assertEquals([told, room.durable.view], [[8n, 9n], 9n]);
});

Deno.test("MetadataMemory tells everybody who waits of a fault, and writes nothing afterwards", () => {
  for (const nth of [1, 2, 3, 4]) {
    const room = new Room();
    room.disk.plan({ nth, effect: "io_error" });
    room.store(8n, 0n);
    room.store(9n, 0n);
    room.disk.settle();
    assertEquals(room.told, ["8 io_error", "9 io_error"]);
    const written = room.written.length;
    room.store(10n, 0n);
    room.memory.storeHints(999n, 999n);
    room.disk.settle();
    assertEquals([room.told.at(-1), room.written.length], ["10 io_error", written]);
    assert(room.transitions.length === 0);
    assertEquals([room.stored.metadata.view, room.memory.isQuiet], [7n, true]);
  }
});

Deno.test("MetadataMemory leaves the metadata alone when the offer cannot be made durable", () => {
  const room = new Room();
  room.disk.plan({ nth: 1, action: "create", effect: "disk_full" });
  room.store(8n, 0n, offerOf(8n));
  room.disk.settle();
  assertEquals([room.told, room.durable.view], [["8 disk_full"], 7n]);
  room.store(8n, 0n, offerOf(8n));
  room.disk.settle();
  assertEquals([room.told.at(-1), room.durable.view], ["8 done", 8n]);
});

Deno.test("MetadataMemory.whenQuiet() waits for every write, and for nothing else", () => {
  const room = new Room();
  const heard: string[] = [];
  room.memory.whenQuiet(() => heard.push("at once"));
  assertEquals(heard, ["at once"]);
  room.store(8n, 0n);
  room.store(9n, 0n, offerOf(9n));
  room.memory.whenQuiet(() => heard.push(`${room.told.length} told`));
  room.memory.whenQuiet(() => room.store(10n, 0n));
  room.memory.whenQuiet(() => heard.push(`${room.told.length} told`));
  assertEquals(heard.length, 1);
  room.disk.settle();
  assertEquals(heard, ["at once", "2 told", "3 told"]);
});

Deno.test("NO_MEMORY has remembered before it returns", () => {
  const told: (DiskFault | undefined)[] = [];
  NO_MEMORY.store(effect(1n), 0n, (fault) => told.push(fault));
  assertEquals(told, [undefined]);
});
