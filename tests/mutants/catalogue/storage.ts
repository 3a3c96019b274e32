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
    seedsMax: 3,
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
    seedsMax: 3,
  },
  {
    name: "cut-in-memory-only",
    what: "what is cut from the log is still on the disk at the next start",
    edits: [{
      file: LOG,
      find: "      ? this.#cutFiles(tip)\n      : undefined;",
      replace: "      ? undefined\n      : undefined;",
    }],
    seedsMax: 10,
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
    seedsMax: 3,
  },
  {
    name: "older-copy-of-metadata-wins",
    what: "of two good copies the older one is believed",
    edits: [{
      file: METADATA,
      find: "if (first.sequence > second.sequence) return loaded(first, 1, false);",
      replace: "if (first.sequence > second.sequence) return loaded(second, 0, false);",
    }, {
      file: METADATA,
      find: "if (first.sequence < second.sequence) return loaded(second, 0, false);",
      replace: "if (first.sequence < second.sequence) return loaded(first, 1, false);",
    }],
    seedsMax: 75,
  },
  {
    name: "failed-sync-forgotten",
    what: "a batch whose sync failed counts as durable",
    edits: [{
      file: LOG,
      find: "(fault) => this.#finish(fault, done));",
      replace: "() => this.#finish(undefined, done));",
    }],
    seedsMax: 30,
  },
  {
    name: "payload-not-checked",
    what: "a start believes entries whose payload fails its checksum",
    profile: "single",
    edits: [{
      file: "core/log_frame.ts",
      find:
        "if (words[w + FrameWord.payloadChecksum] !== crc32c(bytes, at + FRAME_HEADER_BYTES, end)) {",
      replace:
        "if (words[w + FrameWord.payloadChecksum] !== crc32c(bytes, at + FRAME_HEADER_BYTES, end) && end < 0) {",
    }],
    seedsMax: 150,
  },
  {
    name: "install-without-a-note",
    what: "a crash in the middle of installing a snapshot leaves the old log behind it",
    edits: [{
      file: "node/replica/install.ts",
      find: "    writeNote(disk, facts);\n",
      replace: "",
    }],
    seedsMax: 75,
  },
  {
    name: "log-dropped-with-the-latest-snapshot",
    what: "a checkpoint removes entries that its own snapshot does not cover",
    edits: [{
      file: "node/checkpoint.ts",
      find: "writeU64(through, 0, this.#activeOp);",
      replace: "writeU64(through, 0, readU64(writer.syncedOp, 0));",
    }],
    seedsMax: 20,
  },
];
