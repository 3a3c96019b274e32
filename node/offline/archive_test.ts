// An archive is what is left when a disk is not. It must come back bit for bit or not at all, must be readable by
// any tar, and a replica that comes back from one must not vote on the strength of what it no longer knows.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { checkpointedTwice } from "../../tests/support/checkpointed.ts";
import {
  changeMetadata,
  imageOf,
  inDirectory,
  metadataOf,
  writeOut,
} from "../../tests/support/stored_replica.ts";
import { CliError } from "../errors.ts";
import { encodeOffer, OFFER_FILE } from "../metadata/offer.ts";
import { exportReplica } from "./export.ts";
import { importReplica } from "./import.ts";
import { decodeManifest } from "./manifest.ts";
import { ReadDisk } from "./read_disk.ts";
import { BadArchive, decodeTarHeader, encodeTarHeader } from "./tar.ts";
import { verifyDirectory } from "./verify.ts";

const NOW = "2026-11-20T10:00:00.000Z";

/** A replica's directory `from` and its archive, in a directory of their own. */
async function exported(
  use: (place: { root: string; from: string; archive: string }) => Promise<void> | void,
): Promise<void> {
  const harness = checkpointedTwice();
  await harness.stop();
  const { disk } = harness;
  const vote = { view: 9n, replica: 2n };
  changeMetadata(disk, { configEpoch: 1n, view: 8n, logView: 8n, role: "backup", vote });
  disk.install(OFFER_FILE, encodeOffer({ view: 9n, logView: 8n, op: 121n, hash: 5n }));
  await inDirectory(async (root) => {
    const [from, archive] = [`${root}/from`, `${root}/replica.tar`];
    Deno.mkdirSync(from);
    writeOut(disk, from);
    exportReplica(from, archive, NOW);
    await use({ root, from, archive });
  });
}

Deno.test("importReplica() brings back every byte of log and snapshots, and the same state", async () => {
  await exported(({ root, from, archive }) => {
    importReplica(archive, `${root}/deep/to`, undefined);
    const [before, after] = [imageOf(from), imageOf(`${root}/deep/to`)];
    for (const name of Object.keys(before).filter((file) => file.startsWith("state."))) {
      assertEquals(after[name], before[name], name);
    }
    const state = (directory: string) => {
      const disk = new ReadDisk(directory);
      return verifyDirectory(disk, metadataOf(disk)).state;
    };
    assertEquals(state(`${root}/deep/to`), state(from));
  });
});

Deno.test("importReplica() makes a replica that has no vote and remembers none", async () => {
  await exported(({ root, archive }) => {
    importReplica(archive, `${root}/same`, undefined);
    const same = metadataOf(new ReadDisk(`${root}/same`));
    assertEquals([same.replicaId, same.role, same.vote, same.view], [1n, "recovering", null, 8n]);
    importReplica(archive, `${root}/other`, 3n);
    const other = metadataOf(new ReadDisk(`${root}/other`));
    assertEquals([other.replicaId, other.role, other.vote], [3n, "recovering", null]);
    assertEquals(new ReadDisk(`${root}/other`).size(OFFER_FILE), undefined);
  });
});

Deno.test("importReplica() leaves a single node's directory as it was, and gives it no replica id", async () => {
  const harness = checkpointedTwice();
  await harness.stop();
  await inDirectory((root) => {
    Deno.mkdirSync(`${root}/from`);
    writeOut(harness.disk, `${root}/from`);
    exportReplica(`${root}/from`, `${root}/a.tar`, NOW);
    importReplica(`${root}/a.tar`, `${root}/to`, undefined);
    const before = metadataOf(new ReadDisk(`${root}/from`));
    assertEquals(metadataOf(new ReadDisk(`${root}/to`)), before);
    assertThrows(
      () => importReplica(`${root}/a.tar`, `${root}/third`, 3n),
      CliError,
      "single node",
    );
    assertEquals([...Deno.readDirSync(root)].map(({ name }) => name).sort(), [
      "a.tar",
      "from",
      "to",
    ]);
  });
});

Deno.test("exportReplica() writes what tar reads, a manifest first", async () => {
  await exported(async ({ root, from, archive }) => {
    const out = `${root}/unpacked`;
    Deno.mkdirSync(out);
    const args = ["-xf", archive, "-C", out];
    const { success } = await new Deno.Command("tar", { args, stderr: "null" }).output();
    assertEquals(success, true);
    const { "manifest.json": _, "manifest.json.sha256": sum, ...files } = imageOf(out);
    const check = new Deno.Command("sha256sum", {
      args: ["--check", "--quiet", "manifest.json.sha256"],
      cwd: out,
    });
    assertEquals([(await check.output()).success, sum !== undefined], [true, true]);
    assertEquals(files, imageOf(from));
    const manifest = decodeManifest(Deno.readFileSync(`${out}/manifest.json`));
    assert(typeof manifest !== "string", String(manifest));
    assertEquals([manifest.tip_op, manifest.view, manifest.replica_id], ["121", "8", "1"]);
    assertEquals(manifest.files.map(({ name }) => name), Object.keys(files).sort());
  });
});

Deno.test("importReplica() refuses an archive with any byte changed or cut off, and leaves nothing behind", async () => {
  await exported(({ root, archive }) => {
    const good = Deno.readFileSync(archive);
    const places = [0, 100, 150, 600, 700, 1_600, 2_000, good.length >> 1, good.length - 3_000];
    for (const at of places) {
      const bad = good.slice();
      bad[at]! ^= 1;
      if (bad[at] === 0 && at > good.length - 1_024) continue;
      Deno.writeFileSync(`${root}/bad.tar`, bad);
      const failure = attempt(() => importReplica(`${root}/bad.tar`, `${root}/to`, undefined));
      assertEquals(failure?.code, "E_CORRUPT", `byte ${at}: ${failure?.message}`);
    }
    for (const length of [0, 511, 512, 5_000, good.length - 1_500]) {
      Deno.writeFileSync(`${root}/bad.tar`, good.subarray(0, length));
      const failure = attempt(() => importReplica(`${root}/bad.tar`, `${root}/to`, undefined));
      assertEquals(failure?.code, "E_CORRUPT", `${length} bytes`);
    }
    const left = [...Deno.readDirSync(root)].map(({ name }) => name).sort();
    assertEquals(left, ["bad.tar", "from", "replica.tar"]);
  });
});

Deno.test("importReplica() refuses a target in use and changes nothing in it", async () => {
  await exported(({ root, from, archive }) => {
    const before = imageOf(from);
    assertEquals(attempt(() => importReplica(archive, from, undefined))?.code, "E_IO");
    assertEquals(attempt(() => importReplica(archive, archive, undefined))?.code, "E_IO");
    assertEquals(imageOf(from), before);
    Deno.mkdirSync(`${root}/empty`);
    importReplica(archive, `${root}/empty`, undefined);
  });
});

Deno.test("exportReplica() refuses damaged data, an archive that exists, and what is no data directory", async () => {
  await exported(({ root, from, archive }) => {
    assertEquals(attempt(() => exportReplica(from, archive, NOW))?.message, `${archive} exists`);
    const bytes = Deno.readFileSync(`${from}/state.snapshot`);
    bytes[700]! ^= 1;
    Deno.writeFileSync(`${from}/state.snapshot`, bytes);
    assertEquals(attempt(() => exportReplica(from, `${root}/b.tar`, NOW))?.code, "E_CORRUPT");
    Deno.mkdirSync(`${root}/empty`);
    assertEquals(attempt(() => exportReplica(`${root}/empty`, `${root}/b.tar`, NOW))?.code, "E_IO");
    assertEquals([...Deno.readDirSync(root)].some(({ name }) => name.startsWith("b.tar")), false);
  });
});

Deno.test("decodeTarHeader() refuses names that lead out of the directory", () => {
  for (const name of ["../x", "/etc/passwd", "a/b", "", ".hidden", "a\nb"]) {
    assertThrows(() => decodeTarHeader(encodeTarHeader({ name, bytes: 1 })), BadArchive);
  }
  const entry = { name: "state.wal", bytes: 0o77777777777 };
  assertEquals(decodeTarHeader(encodeTarHeader(entry)), entry);
  assertEquals(decodeTarHeader(new Uint8Array(512)), undefined);
});

Deno.test("decodeManifest() says what is wrong with one that export did not write", () => {
  for (const text of ["", "{", "[]", "{}", '{"version":2}', "null"]) {
    assertEquals(typeof decodeManifest(new TextEncoder().encode(text)), "string");
  }
});

function attempt(call: () => unknown): CliError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
}
