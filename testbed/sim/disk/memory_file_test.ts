// What a file in memory may hold after a crash, against an oracle that is slow and obviously right: for each sector
// what is surely on the disk, and what is there if all that was written is.
import { assert, assertEquals } from "@std/assert";
import { SeededRandom } from "../random.ts";
import { MemoryFile } from "./memory_file.ts";
import { SECTOR_BYTES } from "./sector.ts";

/** What a file is, said naively. */
class Oracle {
  live: number[] = [];
  /** The length, and each sector, as the disk surely has it; sectors as text, zeros behind the end. */
  durableLength = 0;
  readonly durable = new Map<number, string>();
  /** Sectors that no later sync writes unless they are written again. */
  readonly abandoned = new Set<number>();
  readonly unsynced = new Set<number>();
  lengths: number[] = [];

  write(at: number, bytes: Uint8Array): void {
    while (this.live.length < at + bytes.length) this.live.push(0);
    bytes.forEach((byte, i) => this.live[at + i] = byte);
    this.lengths.push(this.live.length);
    for (let s = at / SECTOR_BYTES | 0; s * SECTOR_BYTES < at + bytes.length; s++) {
      this.unsynced.add(s);
      this.abandoned.delete(s);
    }
  }

  sync(): void {
    for (const s of this.unsynced) this.durable.set(s, this.sector(s));
    this.unsynced.clear();
    this.durableLength = this.live.length;
    this.lengths = [];
  }

  sector(s: number): string {
    return text(this.live, s);
  }
}

function text(bytes: ArrayLike<number>, s: number): string {
  return Array.from({ length: SECTOR_BYTES }, (_, i) => bytes[s * SECTOR_BYTES + i] ?? 0).join();
}

Deno.test("MemoryFile.afterCrash() holds for each sector what is durable or what was written, like the oracle", () => {
  let mixed = 0;
  for (let seed = 0; seed < 20; seed++) {
    const random = new SeededRandom(seed);
    const file = new MemoryFile(new Uint8Array());
    const oracle = new Oracle();
    for (let step = 0; step < 20; step++) {
      switch (random.below(5)) {
        case 0:
          file.sync();
          oracle.sync();
          break;
        default: {
          const bytes = random.fill(new Uint8Array(1 + random.below(3_000)));
          const at = random.below(6_000);
          file.write(at, bytes);
          oracle.write(at, bytes);
        }
      }
      assertEquals(Array.from(file.bytes), oracle.live);
      const survival = (["keep", "lose", random] as const)[random.below(3)]!;
      const after = file.afterCrash(survival);
      const lengths = survival === "keep"
        ? [oracle.live.length]
        : survival === "lose"
        ? [oracle.durableLength]
        : [oracle.durableLength, ...oracle.lengths];
      assert(lengths.includes(after.bytes.length), `seed ${seed}: length ${after.bytes.length}`);
      const fates = new Set<boolean>();
      for (let s = 0; s * SECTOR_BYTES < after.bytes.length; s++) {
        const cut = (whole: string): string =>
          text(whole.split(",").slice(0, after.bytes.length - s * SECTOR_BYTES).map(Number), 0);
        const found = text(after.bytes, s);
        const old = cut(oracle.durable.get(s) ?? text([], 0));
        const written = cut(oracle.sector(s));
        if (survival === "keep") assertEquals(found, written);
        else if (survival === "lose") assertEquals(found, old);
        else assert(found === old || found === written, `seed ${seed}: sector ${s}`);
        if (old !== written) fates.add(found === old);
      }
      if (fates.size === 2) mixed++;
    }
  }
  assert(mixed > 20, "some crashes keep a part");
});

Deno.test("MemoryFile.failSync() leaves sectors that only another write makes durable", () => {
  let lost = 0;
  for (let seed = 0; seed < 50; seed++) {
    const random = new SeededRandom(seed);
    const file = new MemoryFile(new Uint8Array(4_096).fill(1));
    file.sync();
    file.write(0, new Uint8Array(4_096).fill(2));
    file.failSync(random);
    file.sync();
    assert(file.bytes.every((byte) => byte === 2));
    const found = file.afterCrash("keep").bytes;
    lost += found.filter((byte, i) => byte === 1 && i % SECTOR_BYTES === 0).length;
    file.write(0, new Uint8Array(512).fill(3));
    assertEquals(
      file.afterCrash("lose").bytes[0],
      found[0],
      "a lost write leaves what the disk has",
    );
    file.sync();
    assertEquals(file.afterCrash("lose").bytes[0], 3);
  }
  assert(lost > 100 && lost < 300);
});

Deno.test("MemoryFile: damage is what is read until its sector is written again as a whole, and durably", () => {
  for (const damage of ["unreadable", new Uint8Array(SECTOR_BYTES).fill(9)] as const) {
    const file = new MemoryFile(new Uint8Array(2_048).fill(1));
    file.sync();
    file.harm(1, damage);
    const into = new Uint8Array(2_048);
    const seen = (): unknown => file.read(0, into) === undefined ? "unreadable" : into[600];
    const wrong = damage === "unreadable" ? damage : 9;
    assertEquals([seen(), file.bytes[600], file.read(0, into.subarray(0, 512))], [wrong, 1, 512]);
    file.write(512, new Uint8Array(500).fill(2));
    assertEquals(seen(), damage === "unreadable" ? damage : 2, "a part of it");
    file.harm(1, damage);
    file.write(500, new Uint8Array(600).fill(3));
    assertEquals(seen(), 3);
    assertEquals(file.afterCrash("lose").damage?.isEmpty, false, "the write may be lost");
    assertEquals(file.afterCrash("keep").damage?.isEmpty, true);
    file.sync();
    assertEquals(file.afterCrash("lose").damage?.isEmpty, true);
  }
});
