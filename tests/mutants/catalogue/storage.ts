/** Bugs in what is written, when it counts as durable, and how it is found again. */
import type { Mutant } from "../mutant.ts";

const METADATA = "node/metadata/metadata.ts";
const LOG = "node/log/store.ts";

/** See the top of this file. */
export const STORAGE: readonly Mutant[] = [
  {
    name: "log-not-synced",
    what: "a batch of the log counts as durable once it is written",
    edits: [{
      file: "node/log/segments.ts",
      find: "this.#file.writeDurably(active.end, bytes, done);",
      replace: "this.#file.write(active.end, bytes);\n    done(undefined);",
    }],
    seedsMax: 20,
  },
  {
    name: "log-not-synced-alone",
    what: "the same on a single node",
    profile: "single",
    edits: [{
      file: "node/log/segments.ts",
      find: "this.#file.writeDurably(active.end, bytes, done);",
      replace: "this.#file.write(active.end, bytes);\n    done(undefined);",
    }],
    seedsMax: 60,
  },
  {
    name: "cut-in-memory-only",
    what: "what is cut from the log is still on the disk at the next start",
    edits: [{
      file: LOG,
      find: "      ? this.#cutFiles(tip)\n      : undefined;",
      replace: "      ? undefined\n      : undefined;",
    }],
    seedsMax: 60,
  },
  {
    name: "second-copy-of-metadata-left-out",
    what: "metadata is written to one of its copies only",
    edits: [{
      file: METADATA,
      find: "    file.writeDurably(second, copy, done);",
      replace: "    if (second >= 0) done(undefined);",
    }],
    seedsMax: 200,
  },
  {
    name: "metadata-not-synced",
    what: "metadata counts as durable once it is written",
    edits: [{
      file: METADATA,
      find:
        "  file.writeDurably(first, copy, (fault) => {\n    if (fault !== undefined) return done(fault);\n    file.writeDurably(second, copy, done);\n  });",
      replace: "  file.write(first, copy);\n  file.write(second, copy);\n  done(undefined);",
    }],
    seedsMax: 20,
  },
  {
    name: "older-copy-of-metadata-wins",
    what: "of two good copies the older one is believed",
    edits: [{
      file: METADATA,
      find: "if (first.sequence > second.sequence) return loaded(first, 1, false);",
      replace: "if (first.sequence > second.sequence) return loaded(second, 0, false);",
    }],
    seedsMax: 400,
  },
  {
    name: "failed-sync-forgotten",
    what: "after a failed sync the replica goes on as if it had not",
    edits: [{
      file: "node/flush_loop.ts",
      find: "if (fault !== undefined) return this.#listener?.failed(fault);",
      replace:
        "if (fault !== undefined && this.#startedMs < 0) return this.#listener?.failed(fault);",
    }],
    seedsMax: 60,
  },
  {
    name: "payload-not-checked",
    what: "a start believes entries whose payload fails its checksum",
    edits: [{
      file: "core/log_frame.ts",
      find:
        "if (words[w + FrameWord.payloadChecksum] !== crc32c(bytes, at + FRAME_HEADER_BYTES, end)) {",
      replace:
        "if (words[w + FrameWord.payloadChecksum] !== crc32c(bytes, at + FRAME_HEADER_BYTES, end) && end < 0) {",
    }],
    seedsMax: 400,
  },
  {
    name: "log-behind-its-hint-accepted",
    what: "a replica whose log lost committed entries counts as before",
    edits: [{
      file: "node/replica/standing.ts",
      find: "if (tipOp < metadata.commitOpHint) {",
      replace: "if (tipOp < 0n * metadata.commitOpHint) {",
    }],
    seedsMax: 400,
  },
  {
    name: "install-without-a-note",
    what: "a crash in the middle of installing a snapshot leaves the old log behind it",
    edits: [{
      file: "node/replica/install.ts",
      find: "    writeNote(disk, facts);\n",
      replace: "",
    }],
    seedsMax: 400,
  },
  {
    name: "log-dropped-with-the-latest-snapshot",
    what: "a checkpoint removes entries that its own snapshot does not cover",
    edits: [{
      file: "node/checkpoint.ts",
      find: "writeU64(through, 0, this.#activeOp);",
      replace: "writeU64(through, 0, readU64(writer.syncedOp, 0));",
    }],
    seedsMax: 200,
  },
];
