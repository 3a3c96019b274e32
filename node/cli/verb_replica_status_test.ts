// Probes act on the exit code of `replica status --require` and runners on its fields: both must say what the
// replica said, in the runbook's order, and tell a replica that is not so from one that does not answer.
import { assertEquals, assertMatch } from "@std/assert";
import { main } from "../../cli.ts";
import { testIo } from "../../tests/support/cli_io.ts";
import { sampleStatus } from "../../tests/support/control_status.ts";
import { controlError, type ControlReply, type ControlStatus } from "../control/messages.ts";
import { startControlServer } from "../control/server.ts";
import { type Requirement, REQUIREMENTS } from "./options.ts";
import { meets } from "./verb_replica_status.ts";

/** The order of the runbook. */
const RUNBOOK_FIELDS = (
  "status protocol_version process_id replica_id state role current_view commit_lsn " +
  "active_snapshot_lsn accepting_writes startup_kind loaded_snapshot_lsn replayed_wal_frame_count " +
  "replayed_wal_last_lsn fault_reason workspace_dir log_path pid_path metadata_path " +
  "prepare_log_path snapshot_path wal_path control_addr client_addr protocol_addr"
).split(" ");

const FAULTED = sampleStatus({
  ...{ state: "faulted", role: "faulted", accepting_writes: undefined, primary: undefined },
  ...{ fault_reason: "metadata is damaged", commit_lsn: undefined },
});

async function run(
  reply: ControlReply,
  ...words: readonly string[]
): Promise<{ code: number; out: string; err: string }> {
  const server = startControlServer(() => reply, { hostname: "127.0.0.1", port: 0 });
  try {
    const io = testIo();
    const address = `127.0.0.1:${server.addr.port}`;
    const code = await main(["replica", "status", "--addr", address, ...words], io);
    return { code, out: io.stdout(), err: io.stderr() };
  } finally {
    await server.close();
  }
}

Deno.test("replica status prints the runbook's fields first, in its order, and none for what is absent", async () => {
  const { code, out } = await run(FAULTED, "--output", "kv");
  const rows = out.trimEnd().split("\n").map((line) => line.split("="));
  assertEquals([code, rows.slice(0, RUNBOOK_FIELDS.length).map(([key]) => key)], [
    0,
    RUNBOOK_FIELDS,
  ]);
  const values = Object.fromEntries(rows);
  assertEquals(
    [values["accepting_writes"], values["fault_reason"], values["peers.2.match_op"]],
    ["none", "metadata is damaged", "9"],
  );
});

Deno.test("replica status --json keeps every u64 whole", async () => {
  const { out } = await run(sampleStatus({ commit_lsn: 2n ** 64n - 1n }), "--json");
  const document = JSON.parse(out);
  assertEquals([document.commit_lsn, document.peers["2"].connected], [
    "18446744073709551615",
    true,
  ]);
});

Deno.test("replica status --require exits with 0 when it is so and with 4 when it is not", async () => {
  const backup = sampleStatus({ role: "backup", accepting_writes: false });
  const cases: readonly (readonly [ControlStatus, Requirement, number])[] = [
    [sampleStatus(), "writable", 0],
    [sampleStatus({ accepting_writes: false }), "writable", 4],
    [backup, "backup", 0],
    [backup, "active", 0],
    [backup, "primary", 4],
    [FAULTED, "active", 4],
  ];
  for (const [status, required, expected] of cases) {
    const { code, out, err } = await run(status, "--require", required, "-q");
    assertEquals([code, out], [expected, `${status.role}\n`], required);
    if (expected === 4) assertMatch(err, /E_NOT_READY.*is not \w+, it is/);
  }
  assertMatch((await run(FAULTED, "--require", "active")).err, /metadata is damaged/);
});

Deno.test("meets() asks nothing of a faulted replica but takes no for an answer", () => {
  for (const required of REQUIREMENTS) {
    assertEquals(meets({ ...sampleStatus(), state: "faulted" }, required), false, required);
  }
});

Deno.test("replica status exits with 4 when nobody answers and with 1 when the replica refuses", async () => {
  const nobody = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = nobody.addr as Deno.NetAddr;
  nobody.close();
  const io = testIo();
  assertEquals(await main(["replica", "status", "--addr", `127.0.0.1:${port}`], io), 4);
  assertMatch(io.stderr(), /E_UNREACHABLE/);
  const refused = await run(controlError("denied", "who are you?"));
  assertEquals(refused.code, 1);
  assertMatch(refused.err, /who are you\?/);
});
