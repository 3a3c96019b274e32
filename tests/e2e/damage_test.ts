// Data that no crash explains, given to a real process: it exits with 8, says which file, and leaves every byte
// where it was. Directories that are somebody else's are left alone too.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { crc32c } from "../../core/crc32c.ts";
import { AllocDbClient } from "../../node/client/client.ts";
import { copyData, hashFiles, patchFile } from "./data_files.ts";
import { type Ending, run, startServer, TemporaryDirectory } from "./server_process.ts";

const ANY_PORT = ["--listen", "127.0.0.1:0"];
const SEGMENT_HEADER_BYTES = 512;
/** Where headers of segments and snapshots and copies of metadata have their version. */
const VERSION_AT = 12;

/** What is done to a good data directory, and what must be said. */
interface Damage {
  readonly what: string;
  readonly inflict: (data: string) => void;
  readonly says: string;
}

const DAMAGES: readonly Damage[] = [
  {
    what: "a flipped bit in the log",
    inflict: (data) => patchFile(data, "state.wal", SEGMENT_HEADER_BYTES + 70, (byte) => byte ^ 1),
    says: "error[E_CORRUPT]: state.wal at byte 512: invalid_payload_checksum",
  },
  {
    what: "a flipped bit in the header of a segment",
    inflict: (data) => patchFile(data, "state.wal", 40, (byte) => byte ^ 1),
    says: "error[E_CORRUPT]: state.wal at byte 0: invalid_header_checksum",
  },
  {
    what: "a truncated log",
    inflict: (data) => Deno.truncateSync(join(data, "state.wal"), 700),
    says: "error[E_CORRUPT]: state.wal at byte 700: segment_cut",
  },
  {
    what: "a log that is gone",
    inflict: (data) => Deno.removeSync(join(data, "state.wal")),
    says: "error[E_CORRUPT]: the log is missing",
  },
  {
    what: "a log of a newer version",
    inflict: (data) => raiseVersion(data, "state.wal", 0, 512),
    says: "error[E_DATA_VERSION]: state.wal at byte 0: invalid_version",
  },
  {
    what: "a snapshot of a newer version",
    inflict: (data) => raiseVersion(data, "state.snapshot", 0, 512),
    says: "error[E_DATA_VERSION]: state.snapshot: ",
  },
  {
    what: "metadata of a newer version",
    inflict: (data) => {
      for (const copy of [0, 4_096]) raiseVersion(data, "replica.metadata", copy, 4_096);
    },
    says: "error[E_DATA_VERSION]",
  },
  {
    what: "metadata that is garbage",
    inflict: (data) => {
      const garbage = new Uint8Array(8_192).fill(0x5a);
      Deno.writeFileSync(join(data, "replica.metadata"), garbage);
    },
    says: "error[E_CORRUPT]",
  },
  {
    what: "metadata that was cut",
    inflict: (data) => Deno.truncateSync(join(data, "replica.metadata"), 5_000),
    says: "it has 5000 bytes instead of 8192",
  },
  {
    what: "metadata that is gone",
    inflict: (data) => Deno.removeSync(join(data, "replica.metadata")),
    says: "replica.metadata is missing beside state.snapshot",
  },
];

/** Runs `serve`, which must refuse with exit code 8 and change nothing. */
async function refused(data: string): Promise<Ending> {
  const before = await hashFiles(data);
  const ending = await run(["serve", "--data", data, ...ANY_PORT]);
  assertEquals(ending.code, 8, ending.stderr);
  assertEquals(ending.stdout, "");
  assertEquals(await hashFiles(data), before);
  return ending;
}

/** A stopped data directory with a few entries. */
async function makeData(data: string): Promise<void> {
  await using server = await startServer(["--data", data, ...ANY_PORT, "--profile", "small"]);
  await using client = await AllocDbClient.connect({ address: server.address });
  for (let resourceId = 1n; resourceId < 6n; resourceId++) {
    await client.createResource({ resourceId });
    if (resourceId === 3n) await client.checkpoint();
  }
  await client.close();
  server.process.signal("SIGTERM");
  await server.process.exit();
}

Deno.test("serve exits with 8 on damaged data, says what is damaged and changes nothing", async (t) => {
  using good = new TemporaryDirectory();
  await makeData(good.path);
  for (const { what, inflict, says } of DAMAGES) {
    await t.step(what, async () => {
      using bad = new TemporaryDirectory();
      await copyData(good.path, bad.path);
      inflict(bad.path);
      const { stderr } = await refused(bad.path);
      assertStringIncludes(stderr, says);
    });
  }
});

Deno.test("serve leaves a directory of somebody else alone", async () => {
  using directory = new TemporaryDirectory();
  Deno.writeTextFileSync(join(directory.path, "thesis.txt"), "four years of work");
  const before = await hashFiles(directory.path);
  const ending = await run(["serve", "--data", directory.path, ...ANY_PORT]);
  assertEquals(ending.code, 1);
  assertStringIncludes(ending.stderr, "holds something else: thesis.txt");
  assertEquals(await hashFiles(directory.path), before);
});

Deno.test("serve refuses a data directory that is a file", async () => {
  using directory = new TemporaryDirectory();
  const path = join(directory.path, "file");
  Deno.writeTextFileSync(path, "");
  const ending = await run(["serve", "--data", path, ...ANY_PORT]);
  assertEquals(ending.code, 1);
  assertStringIncludes(ending.stderr, "is not a directory");
});

/** Another version under a checksum that is right. */
function raiseVersion(data: string, name: string, at: number, length: number): void {
  using file = Deno.openSync(join(data, name), { read: true, write: true });
  const bytes = new Uint8Array(length);
  file.seekSync(at, Deno.SeekMode.Start);
  file.readSync(bytes);
  bytes[VERSION_AT] = 99;
  new DataView(bytes.buffer).setUint32(0, crc32c(bytes, 4, length), true);
  file.seekSync(at, Deno.SeekMode.Start);
  file.writeSync(bytes);
}
