// What the whole product promises, on real processes and a real disk: kill -9 under load, and nothing that was
// acknowledged is lost or there twice. And that the loop would notice.
//
// ALLOCDB_KILL_ROUNDS=100 for the long run, ALLOCDB_BIN=dist/allocdb for the compiled program.
import { assertEquals, assertGreater, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { runKillLoop } from "./kill_loop.ts";
import { TemporaryDirectory } from "./server_process.ts";

const ROUNDS = Number(Deno.env.get("ALLOCDB_KILL_ROUNDS") ?? "10");

Deno.test("serve survives kill -9 under load: every answer stands, every retry learns it, nothing runs twice", async () => {
  const report = await runKillLoop({ rounds: ROUNDS, seed: 1 });
  assertEquals(report.digests[0], report.digests[1], "a start changes nothing");
  assertGreater(report.acknowledged, ROUNDS * 100);
  assertGreater(report.claims, ROUNDS * 10);
  assertGreater(report.answeredFromMemory, 0, "some kill struck between a sync and its answer");
  assertGreater(report.startupKinds.get("snapshot_and_wal") ?? 0, 0);
});

Deno.test("the kill loop notices a data directory that was set back", async () => {
  using backup = new TemporaryDirectory();
  const setBack = (data: string, round: number): void => {
    if (round === 1) copyFiles(data, backup.path);
    else {
      for (const { name } of Deno.readDirSync(data)) Deno.removeSync(join(data, name));
      copyFiles(backup.path, data);
    }
  };
  const error = await assertRejects(
    () => runKillLoop({ rounds: 2, seed: 2, onKilled: setBack }),
    Error,
  );
  assertMatch(error.message, /^(Two commands were told|Operation|Resource|Claim) /);
});

function copyFiles(from: string, to: string): void {
  for (const { name } of Deno.readDirSync(from)) {
    Deno.copyFileSync(join(from, name), join(to, name));
  }
}
