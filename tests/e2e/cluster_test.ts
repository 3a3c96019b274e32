// The local cluster as its operator meets it: real replicas from source, every verb of the runbook, and after
// each of them what was acknowledged is still there, on every replica once it has caught up.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { AllocDbClient } from "../../node/client/client.ts";
import { type ClusterCommands, clusterTest, REAL } from "../support/cluster_commands.ts";

/** How long a cluster may take to settle, in milliseconds: only a broken one takes as long. */
const SETTLE_MS_MAX = 20_000;
const LOOK_MS = 50;

/** What `status --json` says of one replica. */
interface ReplicaSaid {
  readonly replica: string;
  readonly state: string;
  readonly role: string | null;
  readonly commit_lsn: string | null;
}

/** What `status --json` says. */
interface StatusSaid {
  readonly primary: string | null;
  readonly view: string | null;
  readonly replicas: readonly ReplicaSaid[];
}

async function status(commands: ClusterCommands): Promise<StatusSaid> {
  return JSON.parse(await commands.ok("status --json"));
}

/** Looks until it is so. */
async function until(
  commands: ClusterCommands,
  what: string,
  isSo: (said: StatusSaid) => boolean,
): Promise<StatusSaid> {
  const end = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const said = await status(commands);
    if (isSo(said)) return said;
    if (performance.now() > end) throw new Error(`never ${what}: ${JSON.stringify(said)}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Whether all replicas serve in one view and have committed equally far. */
function isWhole({ primary, replicas }: StatusSaid): boolean {
  return primary !== null &&
    replicas.every(({ state, role, commit_lsn }) =>
      state === "active" && (role === "primary" || role === "backup") &&
      commit_lsn === replicas[0]!.commit_lsn
    );
}

/** A client, and what was acknowledged to it. */
class Buyer implements AsyncDisposable {
  readonly #client: AllocDbClient;
  readonly #acknowledged: bigint[] = [];

  private constructor(client: AllocDbClient) {
    this.#client = client;
  }

  static async connect(commands: ClusterCommands): Promise<Buyer> {
    const addresses = commands.layout().replicas.map(({ clientAddr }) => clientAddr);
    const client = await AllocDbClient.connect({ addresses, requestTimeoutMs: SETTLE_MS_MAX });
    return new Buyer(client);
  }

  /** Makes a resource, which must succeed. */
  async buy(): Promise<void> {
    const id = BigInt(this.#acknowledged.length + 1);
    const result = await this.#client.createResource({ resourceId: id });
    assert(result.kind === "committed" && result.ok, JSON.stringify(result, textOfBigint));
    this.#acknowledged.push(id);
  }

  /** Everything acknowledged can be read, strictly. */
  async check(): Promise<void> {
    for (const id of this.#acknowledged) {
      assertEquals((await this.#client.getResource(id)).kind, "found", `resource ${id} is lost`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}

function textOfBigint(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

clusterTest(
  "a cluster outlives crashes, isolation, partition and pause of its primary, and a lost disk",
  async (c) => {
    const started = await c.ok("start --profile small");
    assertMatch(started, /role=primary view=1 /);
    {
      await using buyer = await Buyer.connect(c);
      await buyer.buy();

      // Crash of the primary; start brings back what is missing.
      let { primary } = await until(c, "whole", isWhole);
      await c.ok(`crash --replica-id ${primary}`);
      await buyer.buy();
      assert((await status(c)).primary !== primary);
      assertMatch(await c.ok("start"), /^cluster started\n/);

      // An isolated primary is replaced, and is a backup once it is healed.
      ({ primary } = await until(c, "whole again", isWhole));
      await c.ok(`isolate --replica-id ${primary}`);
      await buyer.buy();
      await c.ok(`heal --replica-id ${primary}`);
      const healed = await until(c, "healed", isWhole);
      assert(healed.primary !== primary);

      // A primary in a minority, then together again.
      primary = healed.primary!;
      const others = ["1", "2", "3"].filter((id) => id !== primary);
      await c.ok(`partition --groups ${primary}/${others.join(",")}`);
      await until(
        c,
        "a primary of the majority",
        (said) => said.primary !== null && said.primary !== primary,
      );
      await buyer.buy();
      await c.ok("heal --all");

      // A primary that slept through its own replacement.
      ({ primary } = await until(c, "whole after the partition", isWhole));
      await c.ok(`pause --replica-id ${primary}`);
      await buyer.buy();
      await c.ok(`resume --replica-id ${primary}`);

      // A replica whose disk is gone.
      ({ primary } = await until(c, "whole after the pause", isWhole));
      const backup = c.layout().replicas.find(({ id }) => String(id) !== primary)!;
      await c.ok(`crash --replica-id ${backup.id}`);
      await Deno.remove(backup.directory, { recursive: true });
      await buyer.buy();
      assertMatch((await c.run(`restart --replica-id ${backup.id}`)).stderr, /had lost its data/);
      await until(c, "whole with a new disk", isWhole);
      await buyer.check();
    }
    assertMatch(await c.ok("stop"), /(replica=\d stop_requested .*\n){3}cluster stopped\n$/);
    assertEquals(c.pids().size, 0);

    // Everything is still there after a stop.
    await c.ok("start");
    await until(c, "whole after a stop", isWhole);
    assertEquals(c.events().every(({ outcome }) => outcome === "done"), true);
    await c.ok("stop");
  },
  REAL,
);

clusterTest(
  "a cluster with bad links and a slow disk still commits, and one with a spoiled faults file runs on",
  async (c) => {
    await c.ok("start --profile small");
    await using buyer = await Buyer.connect(c);
    const { primary } = await until(c, "whole", isWhole);
    await c.ok("link --from all --to all --delay 5±5 --drop 0.05 --duplicate 0.1 --reorder 0.1");
    await c.ok(`disk-fault --replica-id ${primary} --kind slow --delay-ms 10`);
    for (let i = 0; i < 5; i++) await buyer.buy();
    Deno.writeTextFileSync(`${c.workspace}/cluster-faults.txt`, "version=2\nnonsense\n");
    for (let i = 0; i < 5; i++) await buyer.buy();
    await c.ok("heal --all");
    await until(c, "whole in good weather", isWhole);
    await buyer.check();
    assertEquals(c.pids().size, 3);
  },
  REAL,
);

clusterTest(
  "a backup whose disk fails is left behind and comes back after a restart",
  async (c) => {
    await c.ok("start --profile small");
    await using buyer = await Buyer.connect(c);
    await buyer.buy();
    const { primary } = await until(c, "whole", isWhole);
    const id = ["1", "2", "3"].find((other) => other !== primary)!;
    await c.ok(`disk-fault --replica-id ${id} --kind fsync-failure`);
    for (let i = 0; i < 3; i++) await buyer.buy();
    await c.ok("heal --all");
    if (c.pids().has(BigInt(id))) await c.ok(`crash --replica-id ${id}`);
    await c.ok(`restart --replica-id ${id}`);
    await until(c, "whole after the disk", isWhole);
    await buyer.check();
  },
  REAL,
);

clusterTest("a cluster of one and a cluster of five serve", async (c) => {
  for (const replicas of [1, 5]) {
    await c.ok(`start --replicas ${replicas} --profile small`);
    const said = await until(c, "whole", isWhole);
    assertEquals(said.replicas.length, replicas);
    await using buyer = await Buyer.connect(c);
    await buyer.buy();
    await buyer.check();
    await c.ok("stop");
    await Deno.rename(c.workspace, `${c.workspace}-of-${replicas}`);
  }
}, REAL);
