// Real replicas: ALLOCDB_BIN=dist/allocdb for the compiled program, else the sources.
import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertMatch,
  assertRejects,
} from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { controlPorts } from "../../../../cluster/runner/control.ts";
import { startCluster } from "../../../../cluster/runner/start.ts";
import { faultsIn, findWorkspace } from "../../../../cluster/runner/workspace.ts";
import { NO_FAULTS } from "../../../../cluster/workspace/faults.ts";
import { readPidFile } from "../../../../cluster/workspace/pid_file.ts";
import {
  isRunning,
  type ProcessMark,
  signalProcess,
} from "../../../../cluster/workspace/processes.ts";
import { LAYOUT_FILE, readLayout } from "../../../../cluster/workspace/workspace_files.ts";
import { AllocDbClient } from "../../../../node/client/client.ts";
import { CliError } from "../../../../node/errors.ts";
import { REAL } from "../../../../tests/support/cluster_commands.ts";
import type { ClusterEvidence } from "../../evidence/evidence.ts";
import { type ClusterFacts, primaryOf } from "../backend.ts";
import { LocalBackend } from "./local_backend.ts";
import type { LocalOptions } from "./options.ts";

const SOURCES = fromFileUrl(new URL("../../../..", import.meta.url));

/** Replicas are meant to outlive whoever starts them, which the sanitizers take for leaks. */
function backendTest(
  name: string,
  fn: (
    directory: string,
    backend: (options?: Partial<LocalOptions>) => LocalBackend,
  ) => Promise<void>,
): void {
  Deno.test({
    ...{ name, sanitizeOps: false, sanitizeResources: false },
    fn: async () => {
      const directory = await Deno.realPath(await Deno.makeTempDir());
      const backends: LocalBackend[] = [];
      const create = (options: Partial<LocalOptions> = {}): LocalBackend => {
        const backend = new LocalBackend({ workspace: join(directory, "ws"), ...options });
        backends.push(backend);
        return backend;
      };
      try {
        await fn(directory, create);
      } finally {
        for (const backend of backends) await backend.end();
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

/** The processes of a workspace by their pid files. */
function processesIn(workspace: string): readonly ProcessMark[] {
  return readLayout(join(workspace, LAYOUT_FILE))!.replicas.flatMap(({ pidPath }) => {
    const file = readPidFile(pidPath);
    return file.kind === "running" ? [file.mark] : [];
  });
}

/** Creates resources as long as told; answers how many were acknowledged. */
async function load(
  { replicas }: ClusterFacts,
  signal: AbortSignal,
  firstId: number,
): Promise<number> {
  const addresses = replicas.map(({ clientAddress }) => clientAddress);
  await using client = await AllocDbClient.connect({ addresses, reconnectBackoffMsMax: 100 });
  let acknowledged = 0;
  for (let id = firstId; !signal.aborted && id < firstId + 900; id++) {
    const [result] = await client.submitMany([{ kind: "create_resource", resourceId: BigInt(id) }]);
    if (result!.kind === "committed") acknowledged++;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return acknowledged;
}

/** Every replica has the same entries from the first op to the last. */
function requireWhole({ logs, states }: ClusterEvidence): number {
  assertEquals(new Set(states.map(({ op, digest }) => `${op} ${digest}`)).size, 1);
  const { op } = states[0]!;
  for (const { replicaId } of states) {
    const hashes = new Map(
      logs.filter((piece) => piece.replicaId === replicaId)
        .flatMap(({ entries }) => [...entries].map((entry) => [entry.op, entry.hash] as const)),
    );
    assertEquals(hashes.size, op, `replica ${replicaId}`);
    for (const { entries } of logs) {
      for (const entry of entries) assertEquals(hashes.get(entry.op), entry.hash);
    }
  }
  return op;
}

backendTest(
  "LocalBackend kills, cuts off, freezes and wipes replicas, and has the whole log of all of them",
  async (directory, create) => {
    const binary = Deno.env.get("ALLOCDB_BIN");
    const backend = create({ program: binary || SOURCES });
    const facts = await backend.start();
    assertMatch(facts.program, /^allocdb \d+\.\d+\.\d+ \(/);
    const stop = new AbortController();
    const loading = load(facts, stop.signal, 1);
    const first = primaryOf(await backend.statuses())!;
    await backend.kill(first);
    assertEquals((await backend.statuses()).find(({ id }) => id === first)!.state, "stopped");
    await backend.wipe(first);
    await backend.restart(first);
    await backend.mend();
    const second = primaryOf(await backend.statuses())!;
    await backend.partition([[second], [1, 2, 3].filter((id) => id !== second)]);
    await backend.pause(first);
    assertEquals((await backend.statuses()).find(({ id }) => id === first)!.state, "paused");
    await backend.disk(second, { kind: "slow", after: 0, delayMs: 10 });
    await backend.clock(second, { skewMs: 50, rate: 1 });
    const { resumed } = await backend.mend();
    assertEquals(resumed, [first]);
    stop.abort();
    const acknowledged = await loading;
    const settled = await backend.settle();
    assertEquals(settled.digests.map(({ id }) => id), [1, 2, 3]);
    assertGreater(acknowledged, 0);
    assertGreaterOrEqual(requireWhole(await backend.evidence()), acknowledged);
    const logs = join(directory, "logs");
    await Deno.mkdir(logs);
    const copied = await create().collectLogs(logs); // Also who never started it.
    assertEquals(copied, await backend.collectLogs(logs));
    assert(copied.includes("logs/replica-3.log") && copied.includes("cluster-timeline.log"));
    for (const name of copied) assert(Deno.statSync(join(logs, name)).isFile);
    const marks = processesIn(join(directory, "ws"));
    assertEquals(marks.length, 3);
    const refused = await assertRejects(() => create().sweep(), CliError);
    assertEquals(refused.code, "E_WORKSPACE_LOCKED");
    await backend.end();
    assertEquals(marks.filter(isRunning), []);
  },
);

backendTest(
  "LocalBackend takes over a cluster that runs, alone, and leaves it running and well",
  async (directory, create) => {
    const workspace = join(directory, "ws");
    const outside = { control: controlPorts(), program: REAL };
    await startCluster({
      ...{ verb: "start", workspace, json: false, manual: [], profile: "local", bounds: [] },
      ...{ waitForPrimary: false, timeoutMs: 30_000 },
    }, outside);
    try {
      const backend = create({ self: REAL });
      const facts = await backend.start();
      assertEquals(facts.settings["cluster"], "taken over, 3 replicas ran");
      const busy = await assertRejects(() => create({ self: REAL }).start(), CliError);
      assertEquals(busy.code, "E_WORKSPACE_LOCKED");
      const other = await assertRejects(() => create({ program: SOURCES }).start(), CliError);
      assertEquals(other.code, "E_ALREADY_RUNNING");
      await backend.kill(2);
      await backend.isolate(1, true);
      await backend.end();
      assertEquals(processesIn(workspace).length, 3);
      assertEquals(faultsIn(findWorkspace(workspace)), NO_FAULTS);
    } finally {
      for (const mark of processesIn(workspace)) signalProcess(mark, "SIGKILL");
    }
  },
);

backendTest("LocalBackend refuses a program that is none", async (directory, create) => {
  const missing = await assertRejects(
    () => create({ program: join(directory, "nothing") }).start(),
    CliError,
  );
  assertEquals(missing.code, "E_USAGE");
  const stranger = await assertRejects(() => create({ program: "/bin/true" }).start(), CliError);
  assertEquals(stranger.code, "E_PREFLIGHT");
  assertEquals([...Deno.readDirSync(directory)], []);
});

backendTest(
  "LocalBackend that is interrupted while it starts leaves no process behind",
  async (directory, create) => {
    const backend = create({ self: REAL });
    const stop = new AbortController();
    const starting = backend.start(stop.signal);
    setTimeout(() => stop.abort(), 300);
    const error = await assertRejects(() => starting, CliError);
    assertEquals(error.code, "E_INTERRUPTED");
    await backend.end();
    assertEquals(processesIn(join(directory, "ws")), []);
  },
);
