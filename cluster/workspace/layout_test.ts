// The layout says where data is and which process belongs to whom. What was written is read back, wherever the
// workspace has been moved; whatever a hand did to a line is an error that names the line, never a guess.
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { PROFILES } from "../../node/config/profiles.ts";
import {
  type ClusterLayout,
  formatLayout,
  MANUAL_CHORES,
  newLayout,
  parseLayout,
  replicaOf,
} from "./layout.ts";
import { TextProblem } from "./text.ts";

const CLUSTER_ID = Uint8Array.from({ length: 16 }, (_, i) => i * 17);

function sample(root = "/ws", replicas = 3): ClusterLayout {
  return newLayout({
    root,
    clusterId: CLUSTER_ID,
    config: PROFILES.local,
    addresses: Array.from({ length: replicas }, (_, i) => ({
      control: `127.0.0.1:${17_000 + i * 3}`,
      client: `127.0.0.1:${17_001 + i * 3}`,
      protocol: `127.0.0.1:${17_002 + i * 3}`,
    })),
  });
}

const GOLDEN = `version=2
workspace_root=.
cluster_id=00112233445566778899aabbccddeeff
current_view=1
replica_count=1
members=1
secret_path=none
manual=none
core.shard_id=0
core.max_resources=1024
core.max_reservations=1024
core.max_operations=4096
core.max_bundle_size=4
core.max_ttl_slots=256
core.max_expiration_bucket_len=1024
core.reservation_history_window_slots=64
core.max_client_retry_window_slots=128
core.slot_duration_ms=10
engine.max_submission_queue=64
engine.max_command_bytes=4096
engine.max_expirations_per_tick=64
replica.1.role=primary
replica.1.workspace_dir=replica-1
replica.1.log_path=logs/replica-1.log
replica.1.pid_path=run/replica-1.pid
replica.1.metadata_path=replica-1/replica.metadata
replica.1.snapshot_path=replica-1/state.snapshot
replica.1.wal_path=replica-1/state.wal
replica.1.control_addr=127.0.0.1:17000
replica.1.client_addr=127.0.0.1:17001
replica.1.protocol_addr=127.0.0.1:17002
`;

/** What the reference wrote: absolute paths, no cluster id, no slot duration. */
const VERSION_1 = `version=1
workspace_root=/old/ws
current_view=1
replica_count=3
core.shard_id=0
core.max_resources=1024
core.max_reservations=1024
core.max_operations=4096
core.max_ttl_slots=256
core.max_client_retry_window_slots=128
core.reservation_history_window_slots=64
core.max_expiration_bucket_len=1024
engine.max_submission_queue=64
engine.max_command_bytes=4096
engine.max_expirations_per_tick=64
${
  [1, 2, 3].map((n) =>
    `replica.${n}.role=${n === 1 ? "primary" : "backup"}
replica.${n}.workspace_dir=/old/ws/replica-${n}
replica.${n}.log_path=/old/ws/logs/replica-${n}.log
replica.${n}.pid_path=/old/ws/run/replica-${n}.pid
replica.${n}.metadata_path=/old/ws/replica-${n}/replica.metadata
replica.${n}.snapshot_path=/old/ws/replica-${n}/state.snapshot
replica.${n}.wal_path=/old/ws/replica-${n}/state.wal
replica.${n}.control_addr=127.0.0.1:${9_000 + n}
replica.${n}.client_addr=127.0.0.1:${9_100 + n}
replica.${n}.protocol_addr=127.0.0.1:${9_200 + n}
`
  ).join("")
}`;

Deno.test("formatLayout() writes the golden lines, and parseLayout() reads them", () => {
  assertEquals(formatLayout(sample("/ws", 1)), GOLDEN);
  assertEquals(parseLayout(GOLDEN, "/ws"), sample("/ws", 1));
});

Deno.test("parseLayout() reads back every layout, and finds all files of a moved workspace", () => {
  const layouts = fc.record({
    replicas: fc.constantFrom(1, 3, 5),
    clusterId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    config: fc.constantFrom(...Object.values(PROFILES)),
    secret: fc.option(fc.constantFrom("/ws/secret", "/elsewhere/secret"), { nil: undefined }),
    manual: fc.subarray([...MANUAL_CHORES]),
  });
  fc.assert(
    fc.property(layouts, ({ replicas, clusterId, config, secret, manual }) => {
      const made: ClusterLayout = {
        ...sample("/ws", replicas),
        clusterId,
        config,
        secretPath: secret,
        manual: new Set(manual),
      };
      assertEquals(parseLayout(formatLayout(made), "/ws"), made);
      const moved = parseLayout(formatLayout(made), "/new/place");
      for (const replica of moved.replicas) {
        assert(replica.walPath.startsWith("/new/place/replica-"), replica.walPath);
        assert(replica.pidPath.startsWith("/new/place/run/"), replica.pidPath);
      }
    }),
    { seed: 11, numRuns: 50 },
  );
});

Deno.test("parseLayout() reads version 1, whose recorded root wins over where the file is found", () => {
  const layout = parseLayout(VERSION_1, "/moved");
  assertEquals([layout.version, layout.root, layout.members], [1, "/old/ws", [1n, 2n, 3n]]);
  assertEquals(layout.config.core.maxBundleSize, 1);
  assertEquals(layout.config.core.slotDurationMs, 10);
  assertEquals(replicaOf(layout, 2n)?.prepareLogPath, "/old/ws/replica-2/replica.metadata.prepare");
  // All who read it agree on an id, and another root is another cluster.
  assertEquals(parseLayout(VERSION_1, "/x").clusterId, layout.clusterId);
  const other = parseLayout(VERSION_1.replaceAll("/old/ws", "/other"), "/x");
  assert(other.clusterId.some((byte, i) => byte !== layout.clusterId[i]));
  const malformed = VERSION_1.replace("core.shard_id=0", "core.shard_id=0\ncore.max_bundle_size=x");
  assertThrows(() => parseLayout(malformed, "/x"), TextProblem, "max_bundle_size");
});

/** Keys that may be left out or altered without harm: what follows from others, or is remembered only. */
const UNREAD = /^(workspace_root|current_view|replica\.\d+\.role|secret_path|manual)=/;

Deno.test("parseLayout() refuses every line that is missing, doubled or altered, by its name or number", () => {
  const lines = formatLayout(sample()).trimEnd().split("\n");
  for (const [i, line] of lines.entries()) {
    const key = line.split("=")[0]!;
    const without = lines.filter((_, j) => j !== i).join("\n");
    const doubled = [...lines.slice(0, i + 1), line, ...lines.slice(i + 1)].join("\n");
    assertThrows(() => parseLayout(doubled, "/ws"), TextProblem, `line ${i + 2}`);
    if (UNREAD.test(line)) {
      parseLayout(without, "/ws");
      continue;
    }
    assertThrows(() => parseLayout(without, "/ws"), TextProblem, key);
    const altered = lines.with(i, `${key}=\0`).join("\n");
    const problem = assertThrows(() => parseLayout(altered, "/ws"), TextProblem);
    assertEquals(problem.line, i + 1, key);
    const bare = lines.with(i, key).join("\n");
    assertThrows(() => parseLayout(bare, "/ws"), TextProblem, `line ${i + 1}`);
  }
});

Deno.test("parseLayout() refuses what would make replicas each other's damage", () => {
  const text = formatLayout(sample());
  for (
    const [from, to, says] of [
      ["replica.2.control_addr=127.0.0.1:17003", "replica.2.control_addr=127.0.0.1:17000", "same"],
      ["replica.2.client_addr=127.0.0.1:17004", "replica.2.client_addr=127.0.0.1:17003", "same"],
      [
        "replica.3.pid_path=run/replica-3.pid",
        "replica.3.pid_path=run/../run/replica-1.pid",
        "same",
      ],
      ["replica.1.wal_path=replica-1/state.wal", "replica.1.wal_path=state.wal", "state.wal in"],
      ["replica.1.control_addr=127.0.0.1:17000", "replica.1.control_addr=localhost:1", "IP:PORT"],
      ["replica.1.control_addr=127.0.0.1:17000", "replica.1.control_addr=127.0.0.1:0", "IP:PORT"],
      ["replica.1.control_addr=127.0.0.1:17000", "replica.1.control_addr=1.2.3.256:1", "IP:PORT"],
      ["members=1,2,3", "members=1,3,2", "ascending"],
      ["members=1,2,3", "members=1,2", "replica_count is 3"],
      ["manual=none", "manual=failover,coffee", "some of failover"],
      ["core.max_resources=1024", "core.max_resources=0", "core.max_resources"],
      ["core.max_resources=1024", "core.max_resources=1024\ncore.colour=3", "core.colour"],
      ["version=2", "version=3", "version"],
    ] as const
  ) {
    assert(text.includes(from), from);
    assertThrows(() => parseLayout(text.replace(from, to), "/ws"), TextProblem, says);
  }
});

Deno.test("parseLayout() answers any text with a layout or a TextProblem of one line", () => {
  const lines = formatLayout(sample()).trimEnd().split("\n");
  const mutation = fc.record({
    at: fc.nat(lines.length),
    text: fc.oneof(fc.string(), fc.constantFrom("", "=", "version=2", "members=", ...lines)),
    remove: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      const changed = [...lines];
      for (const { at, text, remove } of mutations) changed.splice(at, remove, text);
      try {
        parseLayout(changed.join("\n"), "/ws");
      } catch (error) {
        assert(error instanceof TextProblem, String(error));
        assert(error.message.length < 400 && !/[\0\n]/.test(error.message), error.message);
      }
    }),
    { seed: 12, numRuns: 1_000 },
  );
});
