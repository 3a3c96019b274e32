/**
 * The files of a small log, damaged. Opening it shows exactly what was acknowledged or refuses by name; what
 * may be missing is the end of the last batch where the disk shows zeros, and whole files at either end that
 * somebody took away. Source: docs/storage.md#torn-or-damaged.
 */
import { append, open, openWriter } from "../../../tests/support/log_driver.ts";
import { MemoryDisk } from "../../../testbed/sim/disk/memory_disk.ts";
import { SeededRandom } from "../../../testbed/sim/random.ts";
import { applyEdits, drawScript, type EditedFiles } from "../file_edits.ts";
import { expect, expectEqual, type Target } from "../target.ts";
import { isLossExplained, LOG_RULES, lookAtLog, type SoundLog } from "./log_facts.ts";

/** Opens the log of a disk; a test of the fuzzer brings one that is too generous. */
export type OpenLog = typeof open;

const SIZES = { segmentBytes: 1_536, batchBytes: 1_024, zeroAheadBytes: 0 };

/** How many different logs there are to damage. */
const LOGS = 8;

/** Every name of an error that a damaged log can be refused by, and how else opening it can end. */
const OUTCOMES = [
  ...["ok", "ok tail", "ok begins_later", "ok rolled_back", "ok forged", "missing_log"],
  ...["invalid_magic", "invalid_header_checksum", "invalid_version", "invalid_record_type"],
  ...["payload_too_large", "invalid_padding", "invalid_payload_checksum", "non_contiguous_op"],
  ...["non_contiguous_lsn", "rewound_request_slot", "rewound_view", "invalid_synced_op"],
  ...["broken_hash_chain", "unwritten_sector_before_synced_frame", "segment_cut"],
  ...["missing_segment", "misnamed_segment", "duplicate_generation", "wrong_base"],
  ...["foreign_cluster", "foreign_shard", "configuration_mismatch"],
];

/** Makes the target. */
export function logTarget(openLog: OpenLog = open): Target {
  const logs = new Map<number, SoundLog>();
  const logOf = (choice: number): SoundLog => {
    const variant = choice % LOGS;
    const log = logs.get(variant) ?? makeLog(variant);
    logs.set(variant, log);
    return log;
  };
  return {
    name: "log",
    outcomes: OUTCOMES,
    draw: (random) => {
      const choice = random.below(LOGS);
      return drawScript(random, choice, logOf(choice).files, LOG_RULES);
    },
    judge: (input) => judgeLog(openLog, logOf(input[0] ?? 0), input),
  };
}

/** Batches of a few frames over some segments; every other log was opened again in between. */
function makeLog(variant: number): SoundLog {
  const random = new SeededRandom(variant);
  const batches = (count: number): number[] =>
    Array.from({ length: count }, () => 1 + random.below(3));
  let disk = new MemoryDisk();
  append(openWriter(disk, SIZES), batches(5));
  for (let again = variant % 4; again > 0; again--) {
    disk = disk.crash("keep");
    append(openWriter(disk, SIZES), batches(2));
  }
  const files = new Map(disk.list().map((name) => [name, disk.readAll(name)]));
  return lookAtLog(files, open(disk.crash("keep"), SIZES).frames);
}

function judgeLog(openLog: OpenLog, log: SoundLog, input: Uint8Array): string {
  const edited = applyEdits(log.files, input, LOG_RULES);
  const disk = new MemoryDisk();
  for (const [name, bytes] of edited.files) disk.install(name, bytes);
  const options = { ...SIZES, expectFresh: false };
  const { recovery, frames } = openLog(disk, options);
  if (recovery.kind === "corruption") return recovery.error;
  if (recovery.kind !== "recovered") {
    expectEqual(recovery.kind, "missing_log", "how opening ended");
    return recovery.kind;
  }
  const begin = recovery.facts.base[0]!;
  const outcome = edited.isForged ? "ok forged" : judgeFrames(log, edited, begin, frames);
  judgeAgain(openLog, disk, frames, edited.isForged ? [] : [2, 1]);
  return outcome;
}

/** Opened again the log shows the same, and what is appended comes behind it. */
function judgeAgain(
  openLog: OpenLog,
  disk: MemoryDisk,
  frames: readonly string[],
  batches: readonly number[],
): void {
  const options = { ...SIZES, expectFresh: false };
  const again = openLog(disk, options);
  expectEqual(again.frames.join("\n"), frames.join("\n"), "frames of the second opening");
  expectEqual(again.recovery.kind, "recovered", "the second opening");
  if (again.recovery.kind !== "recovered") return;
  const more = append(again.recovery.writer, batches);
  const last = openLog(disk, options).frames;
  expectEqual(last.join("\n"), [...frames, ...more].join("\n"), "frames after some more");
}

function judgeFrames(
  log: SoundLog,
  { files }: EditedFiles,
  begin: number,
  frames: readonly string[],
): string {
  const end = begin + frames.length;
  const expected = log.texts.slice(begin, end);
  expectEqual(frames.join("\n"), expected.join("\n"), `frames ${begin + 1} to ${end}`);
  if (begin > 0) expect(!log.hasOldest(files), "frames are missing that the oldest file still has");
  if (end === log.texts.length) return begin > 0 ? "ok begins_later" : "ok";
  if (!log.hasNewest(files)) return "ok rolled_back";
  expect(isLossExplained(log, files, end), `nothing explains the loss of frame ${end + 1}`);
  return "ok tail";
}
