// Whoever looks at damaged data needs to see all of it: one broken file must not hide the others, and looking must
// never make it worse.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { checkpointedTwice } from "../../tests/support/checkpointed.ts";
import { diskImage } from "../../testbed/sim/disk/data_directory.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { changeMetadata, metadataOf } from "../../tests/support/stored_replica.ts";
import { COPY_BYTES } from "../metadata/codec.ts";
import { METADATA_FILE } from "../metadata/metadata.ts";
import { encodeOffer, OFFER_FILE } from "../metadata/offer.ts";
import { inspectDirectory } from "./inspect.ts";

/** A directory that has been through two checkpoints, as it is after the process has gone. */
async function stopped(): Promise<MemoryDisk> {
  const harness = checkpointedTwice();
  await harness.stop();
  return harness.disk;
}

Deno.test("inspectDirectory() tells position, snapshots and segments of a sound directory", async () => {
  const disk = await stopped();
  const { kind, problems, metadata, copies, snapshots, log, offer } = inspectDirectory(disk);
  assertEquals([kind, problems, metadata?.replicaId, offer], ["allocdb", [], 1n, undefined]);
  assertEquals(copies.map(({ state }) => state), ["sound", "sound"]);
  const newest = snapshots["state.snapshot"]!;
  const previous = snapshots["state.snapshot.previous"]!;
  assertEquals([newest.op, newest.state, previous.op, previous.state], [
    80n,
    "sound",
    40n,
    "sound",
  ]);
  assertEquals(log.tip?.op, 121n);
  assert(log.firstOp! > 1n && log.firstOp! <= 41n);
  const frames = log.segments.map(({ firstOp, lastOp }) => [firstOp, lastOp]);
  assertEquals(frames.at(-1)?.[1] ?? log.segments.at(-2)?.lastOp, 121n);
});

Deno.test("inspectDirectory() changes nothing, whatever it meets", async () => {
  const disk = await stopped();
  const names = disk.list().sort();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...names), fc.nat(), fc.nat(255)), { maxLength: 6 }),
      (patches) => {
        const copy = new MemoryDisk();
        for (const name of names) copy.install(name, disk.contents(name));
        for (const [name, at, byte] of patches) {
          const bytes = copy.contents(name);
          bytes[at % bytes.length] = byte;
        }
        const before = diskImage(copy);
        inspectDirectory(copy);
        assertEquals([diskImage(copy), copy.operations], [before, 0]);
      },
    ),
    { seed: 5, numRuns: 40 },
  );
});

Deno.test("inspectDirectory() names each damaged file and still shows the others", async () => {
  const disk = await stopped();
  disk.contents(METADATA_FILE)[100]! ^= 1;
  disk.contents("state.snapshot")[600]! ^= 1;
  const segment = disk.list().filter((name) => /^state\.wal\.\d+$/.test(name)).sort()[0]!;
  disk.contents(segment)[600]! ^= 1;
  const { problems, metadata, copies, snapshots, log } = inspectDirectory(disk);
  assertEquals(metadata?.replicaId, 1n);
  assertEquals(copies.map(({ state }) => state), ["checksum_mismatch", "sound"]);
  assertEquals(snapshots["state.snapshot"]?.op, 80n);
  assertEquals(snapshots["state.snapshot.previous"]?.state, "sound");
  assertEquals(log.tip?.op, 121n);
  for (const part of ["copy 1", "state.snapshot: checksum_mismatch", segment]) {
    assert(problems.some((problem) => problem.includes(part)), `${part}: ${problems.join("; ")}`);
  }
});

Deno.test("inspectDirectory() reads the log of a directory whose metadata is gone", async () => {
  const disk = await stopped();
  disk.uninstall(METADATA_FILE);
  const { kind, metadata, log, problems } = inspectDirectory(disk);
  assertEquals([kind, metadata, log.tip?.op], ["damaged", undefined, 121n]);
  assert(problems.some((problem) => problem.includes("missing")));
});

Deno.test("inspectDirectory() shows the offer of a view change, and none that was never complete", async () => {
  const disk = await stopped();
  const offer = { view: 7n, logView: 6n, op: 121n, hash: 0xabcn };
  disk.install(OFFER_FILE, encodeOffer(offer));
  assertEquals(inspectDirectory(disk).offer, { ...offer, hash: "0000000000000abc" });
  disk.contents(OFFER_FILE)[20]! ^= 1;
  assertEquals(inspectDirectory(disk).offer, undefined);
});

Deno.test("inspectDirectory() finds files that contradict each other", async () => {
  const disk = await stopped();
  changeMetadata(disk, { clusterId: new Uint8Array(16).fill(9) });
  const foreign = inspectDirectory(disk).problems;
  assert(foreign.includes("a segment of another cluster"), foreign.join("; "));
  changeMetadata(disk, { clusterId: metadataOf(await stopped()).clusterId });
  assertEquals(inspectDirectory(disk).problems, []);
  for (const name of disk.list().filter((file) => file.startsWith("state.snapshot"))) {
    disk.uninstall(name);
  }
  const { problems } = inspectDirectory(disk);
  assert(problems.some((problem) => problem.includes("the snapshots reach op 0")), problems.join());
});

Deno.test("inspectDirectory() tells an empty directory and somebody else's files from a replica's", () => {
  const empty = new MemoryDisk();
  assertEquals(inspectDirectory(empty).kind, "empty");
  empty.install("holiday.jpg", new Uint8Array(10));
  const { kind, otherFiles } = inspectDirectory(empty);
  assertEquals([kind, otherFiles], ["foreign", ["holiday.jpg"]]);
});

Deno.test("inspectDirectory() knows every file that a replica may leave", async () => {
  const disk = await stopped();
  const names = ["state.snapshot.transfer", "state.snapshot.install", "state.snapshot.damaged"];
  for (const name of names) disk.install(name, new Uint8Array(10));
  assertEquals(inspectDirectory(disk).otherFiles, []);
});

Deno.test("inspectDirectory() says so when both copies of the metadata are damaged", async () => {
  const disk = await stopped();
  for (const at of [100, COPY_BYTES + 100]) disk.contents(METADATA_FILE)[at]! ^= 1;
  const { kind, copies, metadata } = inspectDirectory(disk);
  assertEquals([kind, metadata], ["damaged", undefined]);
  assertEquals(copies.map(({ state }) => state), ["checksum_mismatch", "checksum_mismatch"]);
});
