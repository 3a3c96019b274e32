// Directories that are no workspace, or no longer one: an error that says what is wrong and what to do, and not
// a byte changed. Replicas are fakes in real processes.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { initDataDirectory } from "../../node/data_dir.ts";
import { DenoDisk } from "../../node/io/deno_disk.ts";
import { createEmptyLog } from "../../node/serve_data.ts";
import { type ClusterCommands, clusterTest } from "../../tests/support/cluster_commands.ts";
import { LAYOUT_FILE } from "../workspace/workspace_files.ts";
import { lockWorkspace } from "./workspace.ts";

/** Every file with its bytes; locks excepted, which come and go. */
async function contents(directory: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const visit = async (path: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (isDirectory) await visit(join(path, name));
      else if (name !== "LOCK") found.set(join(path, name), await digest(join(path, name)));
    }
  };
  await visit(directory);
  return new Map([...found].sort());
}

/** When it was changed, how long it is, and how it begins: a log segment is too long to read again and again. */
async function digest(path: string): Promise<string> {
  using file = await Deno.open(path);
  const { size, mtime } = await file.stat();
  const start = new Uint8Array(4_096);
  await file.read(start);
  return `${size} ${mtime?.toISOString()} ${start.join(" ")}`;
}

/** Runs what must be refused, and makes sure that nothing was done. */
async function refused(
  commands: ClusterCommands,
  line: string,
  code: number,
  says: RegExp,
): Promise<void> {
  const before = await contents(commands.directory);
  const ran = await commands.run(line);
  assertEquals([ran.code, ran.stdout], [code, ""], `${line}: ${ran.stderr}`);
  assertMatch(ran.stderr, says, line);
  assertMatch(ran.stderr, /^error\[E_\w+\]: .*\n {2}hint: .*\n$/);
  assertEquals(await contents(commands.directory), before, line);
}

clusterTest("every verb but start wants a workspace that is there", async (c) => {
  for (const line of ["status", "stop", "timeline", "logs", "crash --replica-id 1", "heal --all"]) {
    await refused(c, line, 2, /E_NO_WORKSPACE.*there is no .*\n {2}hint: .*cluster start/);
  }
  await Deno.mkdir(c.workspace);
  await refused(c, "status", 2, /has no cluster-layout\.txt/);
  assertEquals([...Deno.readDirSync(c.workspace)], []);
});

clusterTest(
  "start takes no directory with other files, no file, and no half of a workspace",
  async (c) => {
    await Deno.writeTextFile(c.workspace, "a file");
    await refused(c, "start", 1, /Cannot make the workspace/);
    await Deno.remove(c.workspace);
    await Deno.mkdir(c.workspace);
    await Deno.writeTextFile(join(c.workspace, "thesis.tex"), "precious");
    await refused(c, "start", 8, /holds something else: thesis\.tex/);
    await Deno.remove(join(c.workspace, "thesis.tex"));

    await c.ok("start --profile small");
    await c.ok("stop");
    const layout = await Deno.readTextFile(join(c.workspace, LAYOUT_FILE));
    await Deno.remove(join(c.workspace, LAYOUT_FILE));
    await refused(c, "start", 8, /has .* but no cluster-layout\.txt\n {2}hint: put/);
    await Deno.writeTextFile(join(c.workspace, LAYOUT_FILE), layout);
    await c.ok("start");
  },
);

clusterTest("a layout that a hand has changed is refused by its line", async (c) => {
  await c.ok("start --profile small");
  await c.ok("stop");
  const path = join(c.workspace, LAYOUT_FILE);
  const text = await Deno.readTextFile(path);
  for (
    const [from, to, code, says] of [
      [/^version=2/, "version=9", 8, /E_DATA_VERSION.*line 1: version "9"/],
      [
        /replica\.2\.client_addr=.*/,
        "replica.2.client_addr=example.org:80",
        8,
        /line \d+: .*IP:PORT/,
      ],
      [/replica\.3\.wal_path=.*\n/, "", 8, /replica\.3\.wal_path is missing/],
      [/members=1,2,3/, "members=1,2,4", 8, /replica\.4\.\w+ is missing/],
      [
        /cluster_id=\w+/,
        `cluster_id=${"ab".repeat(16)}`,
        2,
        /replica-1 belongs to cluster \w+, and/,
      ],
      [
        /core\.max_resources=\d+/,
        "core.max_resources=2048",
        2,
        /made with other bounds: core\.max_res/,
      ],
    ] as const
  ) {
    const changed = text.replace(from, to);
    assert(changed !== text, String(from));
    await Deno.writeTextFile(path, changed);
    await refused(c, "start", code, says);
  }
  await Deno.writeTextFile(path, text);
  await c.ok("start");
});

clusterTest(
  "start takes no directory of another replica, another cluster or a single server",
  async (c) => {
    await c.ok("start --profile small");
    await c.ok("stop");
    const path = (id: number): string => join(c.workspace, `replica-${id}`);
    const swap = async (a: string, b: string): Promise<void> => {
      await Deno.rename(a, `${a}.swap`);
      await Deno.rename(b, a);
      await Deno.rename(`${a}.swap`, b);
    };
    await swap(path(1), path(2));
    await refused(c, "start", 2, /replica-1 belongs to replica 2, not to 1/);
    await swap(path(1), path(2));

    const other = join(c.directory, "other");
    await c.ok("start --profile small", other);
    await c.ok("stop", other);
    await swap(path(3), join(other, "replica-3"));
    await refused(c, "start", 2, /replica-3 belongs to cluster/);
    await refused(c, "restart --replica-id 3", 2, /replica-3 belongs to cluster/);
    await swap(path(3), join(other, "replica-3"));

    await Deno.rename(path(3), `${path(3)}.away`);
    await Deno.mkdir(path(3));
    const disk = new DenoDisk(path(3));
    const { clusterId, config } = c.layout();
    initDataDirectory(disk, {
      replicaId: 3n,
      core: config.core,
      createdAt: "2026-01-01T00:00:00.000Z",
      fillClusterId: (into) => into.set(clusterId),
      createLog: () => createEmptyLog(disk, clusterId, config),
    });
    await refused(c, "start", 2, /replica-3 is the data directory of a single server/);
    await Deno.remove(path(3), { recursive: true });
    await Deno.mkdir(path(3));
    await Deno.writeTextFile(join(path(3), "thesis.tex"), "precious");
    await refused(c, "start", 8, /replica-3 holds something else: thesis\.tex/);
  },
);

clusterTest("start names the port and the replica when somebody listens there", async (c) => {
  await c.ok("start --profile small");
  await c.ok("stop");
  for (const name of ["client", "protocol", "control"] as const) {
    const [hostname, port] = c.layout().replicas[1]![`${name}Addr`].split(":");
    using _listener = Deno.listen({ hostname: hostname!, port: Number(port) });
    await refused(c, "start", 7, new RegExp(`E_PORT_IN_USE.*replica 2 cannot .*:${port}`));
  }
});

clusterTest(
  "a replica of another cluster on a control port is told apart and left alone",
  async (c) => {
    await c.ok("start --profile small");
    const other = join(c.directory, "other");
    await c.ok("start --profile small --no-wait", other);
    await c.ok("stop", other);
    // The other cluster's layout with this one's ports.
    const path = join(other, LAYOUT_FILE);
    const ours = await Deno.readTextFile(join(c.workspace, LAYOUT_FILE));
    const addresses = ours.split("\n").filter((line) => /_addr=/.test(line));
    const theirs = (await Deno.readTextFile(path)).split("\n").filter((line) =>
      !/_addr=/.test(line)
    );
    await Deno.writeTextFile(path, [...theirs, ...addresses].join("\n"));
    const pids = c.pids();
    for (const line of ["start", "stop", "crash --replica-id 1", "restart --replica-id 1"]) {
      const { code, stderr } = await c.run(line, other);
      assertMatch(stderr, /replica 1 of cluster \w{32} answers on /, line);
      assertEquals([code, c.pids()], [7, pids]);
    }
    assertMatch(
      await c.ok("status", other),
      /^replica=1 state=unreachable .*\nreplica=1 fault_reason=/m,
    );
  },
);

clusterTest("founding that was cut short is taken up where it ended", async (c) => {
  await c.ok("start --profile small");
  await c.ok("stop");
  const layout = c.layout();
  // As it is before the last step: founders made, the layout not yet under its name.
  await Deno.rename(join(c.workspace, LAYOUT_FILE), join(c.workspace, `${LAYOUT_FILE}.founding`));
  await Deno.remove(layout.replicas[2]!.directory, { recursive: true });
  await c.ok("start");
  assertEquals(c.layout(), layout);
  const names = [...Deno.readDirSync(c.workspace)].map(({ name }) => name);
  assertEquals(names.includes(`${LAYOUT_FILE}.founding`), false);
});

clusterTest(
  "verbs at once go one after the other, and one that waits too long says for whom",
  async (c) => {
    await c.ok("start --profile small --no-wait");
    const ids = ["1", "2", "3", "1", "2", "3"];
    await Promise.all(ids.map((id) => c.ok(`isolate --replica-id ${id}`)));
    const events = c.events();
    assertEquals(events.map(({ sequence }) => sequence), [1, 2, 3, 4, 5, 6, 7]);
    assertEquals(events.every(({ outcome }) => outcome === "done"), true);
    const held = await lockWorkspace(c.workspace);
    try {
      await lockWorkspace(c.workspace, 20);
      assert(false, "locked twice");
    } catch (error) {
      assertMatch(String(error), new RegExp(`is in use by process ${Deno.pid}`));
    } finally {
      held.release();
    }
  },
);
