/**
 * The two copies of `replica.metadata`, damaged, and bodies of copies that no writer would write. What loads
 * is what one of the copies said when it was written, the later one whenever that is whole.
 */
import { crc32c } from "../../../core/crc32c.ts";
import {
  loadMetadata,
  METADATA_FILE,
  METADATA_TEMPORARY_FILE,
  settleMetadata,
} from "../../../node/metadata/metadata.ts";
import {
  COPY_BYTES,
  decodeCopy,
  encodeCopy,
  type ReplicaMetadata,
} from "../../../node/metadata/codec.ts";
import { MemoryDisk } from "../../../testbed/sim/disk/memory_disk.ts";
import { sampleMetadata } from "../../../tests/support/metadata.ts";
import { applyEdits, drawScript, type EditRules, type Files } from "../file_edits.ts";
import { join, mutate } from "../mutate.ts";
import type { FuzzRandom } from "../random.ts";
import { equalBytes, expect, expectSameBytes, type Target } from "../target.ts";

const HEAD_BYTES = 32;

const RULES: EditRules = {
  names: [METADATA_FILE, METADATA_TEMPORARY_FILE, "LOCK"],
  landmarks:
    () => [0, 12, 16, 24, HEAD_BYTES, COPY_BYTES, COPY_BYTES + 16, COPY_BYTES + HEAD_BYTES],
  reseal: (_, bytes) => {
    for (let at = 0; at + COPY_BYTES <= bytes.length; at += COPY_BYTES) sealCopy(bytes, at);
  },
};

/** Two copies as a crash may have left them. */
interface Copies {
  readonly files: Files;
  readonly copies: readonly Uint8Array[];
  /** Which of them counts. */
  readonly later: 0 | 1;
}

/** The first one later, the second one later, both the same. */
const DIRECTORIES: readonly Copies[] = [
  directoryOf(8n, 7n, 0),
  directoryOf(7n, 8n, 1),
  directoryOf(5n, 5n, 0),
  directoryOf(0xffff_ffffn, 0x1_0000_0000n, 1),
];

function directoryOf(first: bigint, second: bigint, later: 0 | 1): Copies {
  const copies = [first, second].map((sequence) => {
    return encodeCopy(sampleMetadata({ view: 100n + sequence, logView: 99n }), sequence);
  });
  return { files: new Map([[METADATA_FILE, join(...copies)]]), copies, later };
}

/** The target for files. */
export function metadataTarget(load: typeof loadMetadata = loadMetadata): Target {
  const directoryFor = (choice: number): Copies => DIRECTORIES[choice % DIRECTORIES.length]!;
  return {
    name: "metadata",
    outcomes: [
      ...["ok later", "ok earlier", "ok forged", "missing", "wrong_length", "checksum_mismatch"],
      ...["bad_magic", "unsupported_version", "body_length_out_of_range", "unused_bytes_not_zero"],
      ...["malformed_body", "copies_disagree"],
    ],
    draw: (random) => {
      const choice = random.below(DIRECTORIES.length);
      return drawScript(random, choice, directoryFor(choice).files, RULES);
    },
    judge: (input) => judgeFile(load, directoryFor(input[0] ?? 0), input),
  };
}

function judgeFile(load: typeof loadMetadata, directory: Copies, input: Uint8Array): string {
  const { files, isForged } = applyEdits(directory.files, input, RULES);
  const disk = new MemoryDisk();
  for (const [name, bytes] of files) disk.install(name, bytes);
  const file = files.get(METADATA_FILE);
  const found = load(disk);
  if (found.kind === "missing") {
    expect(file === undefined, "a file that is there is called missing");
    return "missing";
  }
  const now = file!.length === 2 * COPY_BYTES
    ? [file!.slice(0, COPY_BYTES), file!.slice(COPY_BYTES)]
    : [];
  const { copies, later } = directory;
  if (found.kind === "damaged") {
    const isWhole = now.some((copy) => copies.some((original) => equalBytes(copy, original)));
    expect(isForged || !isWhole, `a whole copy is not used: ${found.error.message}`);
    return found.error.kind;
  }
  const { metadata, sequence } = found.stored;
  const read = encodeCopy(metadata, sequence);
  expect(now.some((copy) => equalBytes(copy, read)), "the metadata is that of neither copy");
  judgeSettled(load, disk, metadata);
  if (!copies.some((original) => equalBytes(original, read))) {
    expect(isForged, "metadata that was never written");
    return "ok forged";
  }
  const isLater = equalBytes(read, copies[later]!);
  const hasLater = now.some((copy) => equalBytes(copy, copies[later]!));
  expect(isForged || isLater || !hasLater, "the later copy is whole and the earlier one is used");
  return isLater ? "ok later" : "ok earlier";
}

/** Settled, both copies say the same. */
function judgeSettled(
  load: typeof loadMetadata,
  disk: MemoryDisk,
  metadata: ReplicaMetadata,
): void {
  const found = load(disk);
  if (found.kind !== "loaded") return;
  // The last sequence there is has no next one, and no writer gets there.
  if (found.stored.sequence === 2n ** 64n - 1n) return;
  settleMetadata(disk, found.stored);
  const again = load(disk);
  expect(again.kind === "loaded" && again.stored.isIntact, "settled copies differ");
  expectSameBytes(encodeCopy(again.stored.metadata, 1n), encodeCopy(metadata, 1n), "settled");
}

/** The target for bodies: CBOR of any shape behind a sound head. */
export function metadataBodyTarget(decode: typeof decodeCopy = decodeCopy): Target {
  return {
    name: "metadata_body",
    outcomes: ["ok", "malformed_body", "body_length_out_of_range"],
    draw: (random) => {
      const body = drawBody(random);
      return random.oneIn(6) ? body : mutate(random, body, drawBody(random));
    },
    judge: (input) => judgeBody(decode, input),
  };
}

function drawBody(random: FuzzRandom): Uint8Array {
  const copy = encodeCopy(
    sampleMetadata({
      clusterId: random.bytes(16),
      replicaId: random.u64(),
      vote: random.oneIn(2) ? null : { view: random.u64(), replica: random.u64() },
      role: random.pick(["primary", "backup", "view_uncertain", "recovering", "faulted"]),
    }),
    1n,
  );
  const length = new DataView(copy.buffer).getUint32(24, true);
  return copy.slice(HEAD_BYTES, HEAD_BYTES + length);
}

function judgeBody(decode: typeof decodeCopy, input: Uint8Array): string {
  const body = input.subarray(0, COPY_BYTES - HEAD_BYTES);
  const copy = encodeCopy(sampleMetadata(), 9n).fill(0, HEAD_BYTES);
  copy.set(body, HEAD_BYTES);
  new DataView(copy.buffer).setUint32(24, body.length, true);
  sealCopy(copy, 0);
  const decoded = decode(copy);
  if (decoded.kind === "defect") return decoded.defect;
  expectSameBytes(encodeCopy(decoded.metadata, decoded.sequence), copy, "written again");
  return "ok";
}

function sealCopy(bytes: Uint8Array, at: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(at, crc32c(bytes, at + 4, at + COPY_BYTES), true);
}
