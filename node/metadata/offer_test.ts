// A replica that comes back with less than it offered has lost what others rely on. So an offer must be found again as it
// was made, or as the one before it, after any crash; and no damaged or foreign bytes may pass for one.
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { crc32c } from "../../core/crc32c.ts";
import { assertGolden } from "../../tests/support/golden.ts";
import { CrashSignal, MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import type { Survival } from "../../testbed/sim/disk/memory_file.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { DiskFault } from "../disk.ts";
import type { Offer } from "../vsr/events.ts";
import {
  decodeOffer,
  encodeOffer,
  loadOffer,
  lowerOffer,
  OFFER_BYTES,
  OFFER_FILE,
  storeOffer,
} from "./offer.ts";

const OLD: Offer = { view: 7n, logView: 6n, op: 0x1_0000_0001n, hash: 0xfedc_ba98_7654_3210n };
const NEW: Offer = { view: 9n, logView: 7n, op: 0x1_0000_0040n, hash: 0x0123_4567_89ab_cdefn };
const SURVIVALS: readonly Survival[] = [
  "keep",
  "lose",
  ...Array.from({ length: 12 }, (_, seed) => new SeededRandom(seed)),
];

const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const anyOffer: fc.Arbitrary<Offer> = fc.record({ view: u64, logView: u64, op: u64, hash: u64 });

/** A disk that holds an offer, or none. */
function diskWith(offer: Offer | undefined): MemoryDisk {
  const disk = new MemoryDisk();
  if (offer !== undefined) disk.install(OFFER_FILE, encodeOffer(offer));
  return disk;
}

function store(disk: MemoryDisk, offer: Offer): DiskFault | undefined {
  let told: DiskFault | undefined | "nothing" = "nothing";
  storeOffer(disk, offer, (fault) => {
    assertEquals(told, "nothing", "told twice");
    told = fault;
  });
  disk.settle();
  assert(told !== "nothing", "never told");
  return told;
}

/** Crashes at every operation of `work` and answers what was found afterwards, as text. */
function crashEverywhere(before: Offer | undefined, work: (disk: MemoryDisk) => void): Set<string> {
  const whole = diskWith(before);
  work(whole);
  assert(whole.operations > 0);
  const found = new Set<string>();
  for (let nth = 1; nth <= whole.operations; nth++) {
    for (const survival of SURVIVALS) {
      const disk = diskWith(before);
      disk.plan({ nth, effect: "crash" });
      assertThrows(() => work(disk), CrashSignal);
      found.add(textOf(loadOffer(disk.crash(survival))));
    }
  }
  for (const survival of SURVIVALS) found.add(`told ${textOf(loadOffer(whole.crash(survival)))}`);
  return found;
}

function textOf(offer: Offer | undefined): string {
  return offer === undefined ? "none" : `op ${offer.op} of view ${offer.view}`;
}

Deno.test("encodeOffer() writes the golden bytes, and decodeOffer() reads them", () => {
  const bytes = encodeOffer(OLD);
  assertGolden("offer_v1", bytes);
  assertEquals(bytes.length, OFFER_BYTES);
  assertEquals(decodeOffer(bytes), OLD);
});

Deno.test("decodeOffer() reads what encodeOffer() writes, wherever the bytes lie", () => {
  fc.assert(
    fc.property(anyOffer, fc.nat(40), (offer, at) => {
      const around = new Uint8Array(OFFER_BYTES + 64).fill(0xdb);
      around.set(encodeOffer(offer), at);
      assertEquals(decodeOffer(around.subarray(at, at + OFFER_BYTES)), offer);
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("decodeOffer() refuses every single flipped bit, every length and every tear", () => {
  const bytes = encodeOffer(OLD);
  for (let bit = 0; bit < OFFER_BYTES * 8; bit++) {
    bytes[bit >>> 3]! ^= 1 << (bit & 7);
    assertEquals(decodeOffer(bytes), undefined, `bit ${bit}`);
    bytes[bit >>> 3]! ^= 1 << (bit & 7);
  }
  const longer = new Uint8Array(OFFER_BYTES + 1);
  longer.set(bytes);
  assertEquals(decodeOffer(longer), undefined);
  for (let cut = 0; cut < OFFER_BYTES; cut++) {
    assertEquals(decodeOffer(bytes.subarray(0, cut)), undefined, `cut at ${cut}`);
    if (cut >= FIELDS_END) continue; // Only zeros follow.
    const torn = new Uint8Array(OFFER_BYTES);
    torn.set(bytes.subarray(0, cut));
    assertEquals(decodeOffer(torn), undefined, `torn at ${cut}`);
  }
});

Deno.test("decodeOffer() refuses magic, gaps and rest that no writer writes, behind a right checksum", () => {
  for (let at = 4; at < OFFER_BYTES; at++) {
    const bytes = encodeOffer(OLD);
    bytes[at]! ^= 0x10;
    new DataView(bytes.buffer).setUint32(0, crc32c(bytes, 4, OFFER_BYTES), true);
    const isField = at >= FIELDS_AT && at < FIELDS_END;
    assertEquals(decodeOffer(bytes) === undefined, !isField, `byte ${at}`);
  }
});

Deno.test("decodeOffer() answers noise with nothing", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: OFFER_BYTES, maxLength: OFFER_BYTES }), (bytes) => {
      assertEquals(decodeOffer(bytes), undefined);
    }),
    { seed: 2, numRuns: 100 },
  );
});

Deno.test("storeOffer() leaves the old offer or the new after a crash anywhere, and the new once it has told", () => {
  const old = textOf(OLD);
  const now = textOf(NEW);
  assertEquals(
    [...crashEverywhere(OLD, (disk) => void store(disk, NEW))].sort(),
    [now, old, `told ${now}`].sort(),
  );
  assertEquals(
    [...crashEverywhere(undefined, (disk) => void store(disk, NEW))].sort(),
    ["none", now, `told ${now}`].sort(),
  );
});

Deno.test("storeOffer() tells every fault, and leaves the old offer or the new", () => {
  for (const before of [undefined, OLD]) {
    for (const action of ["open", "create", "sync_directory", "write", "sync"] as const) {
      const disk = diskWith(before);
      disk.plan({ nth: 1, action, effect: "io_error" });
      const fault = store(disk, NEW);
      const isUsed = before === undefined
        ? action !== "open"
        : action !== "create" && action !== "sync_directory";
      assertEquals(fault?.kind, isUsed ? "io_error" : undefined, action);
      for (const survival of SURVIVALS) {
        const found = textOf(loadOffer(disk.crash(survival)));
        assert([textOf(before), textOf(NEW)].includes(found), `${action}: ${found}`);
      }
    }
  }
});

Deno.test("lowerOffer() takes back what is beyond an op and leaves the rest, after a crash anywhere", () => {
  const lowered = { ...OLD, op: OLD.op - 5n, hash: 0x77n };
  const found = crashEverywhere(OLD, (disk) => lowerOffer(disk, lowered.op, lowered.hash));
  const [old, now] = [textOf(OLD), textOf(lowered)];
  assertEquals([...found].sort(), [now, old, `told ${now}`].sort());
  const disk = diskWith(OLD);
  lowerOffer(disk, lowered.op, lowered.hash);
  assertEquals(loadOffer(disk), lowered);
});

Deno.test("lowerOffer() never raises an offer, makes one, or writes where there is nothing to take back", () => {
  for (const op of [OLD.op, OLD.op + 1n, 2n ** 64n - 1n]) {
    const disk = diskWith(OLD);
    lowerOffer(disk, op, 1n);
    assertEquals([loadOffer(disk), disk.operations], [OLD, 0]);
  }
  const none = diskWith(undefined);
  lowerOffer(none, 1n, 1n);
  assertEquals([none.list(), none.operations], [[], 0]);
  const torn = diskWith(undefined);
  torn.install(OFFER_FILE, encodeOffer(OLD).fill(0, 20));
  lowerOffer(torn, 1n, 1n);
  assertEquals(torn.operations, 0);
});

Deno.test("loadOffer() and lowerOffer() say when the file cannot be read or written", () => {
  const disk = diskWith(OLD);
  disk.plan({ nth: 1, action: "read", effect: "io_error" });
  assertThrows(() => loadOffer(disk), DiskFault);
  for (const action of ["read", "open", "write", "sync"] as const) {
    const other = diskWith(OLD);
    other.plan({ nth: 1, action, effect: "io_error" });
    assertThrows(() => lowerOffer(other, 1n, 1n), DiskFault);
  }
});

const FIELDS_AT = 16;
const FIELDS_END = FIELDS_AT + 4 * 8;
