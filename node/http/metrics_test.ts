// Operators read the same figures in three places and write alerts against their names. The tree, the
// registry and the page are compared with each other, in both directions, and the numbers with the node's.
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { withGateway } from "../../tests/support/http.ts";
import { HEALTHY_METRICS, ScriptedNode } from "../../tests/support/scripted_node.ts";
import { STANDING } from "../../tests/support/wire_node.ts";
import type { Metrics } from "../api.ts";
import { METRICS } from "../cli/metric_names.ts";
import { GATEWAY_METRICS } from "./gateway_metrics.ts";
import { metricsToJson, type Tree, type TreeValue } from "./metrics_json.ts";
import { NODE_METRICS } from "./metrics_table.ts";
import { createExposition } from "./prometheus.ts";
import { REPLICA_METRICS } from "./replica_metrics.ts";

const PAGE = fromFileUrl(new URL("../../docs/metrics.md", import.meta.url));

/** Every value of a tree under the dotted path that leads to it. */
function leaves(tree: Tree, prefix = ""): [string, TreeValue][] {
  return Object.entries(tree).flatMap(([name, value]): [string, TreeValue][] =>
    typeof value === "object" && value !== null
      ? leaves(value as Tree, `${prefix}${name}.`)
      : [[`${prefix}${name}`, value]]
  );
}

/** Samples of a scrape; labels are part of the name. */
function samples(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const space = line.lastIndexOf(" ");
    return [line.slice(0, space), Number(line.slice(space + 1))];
  }));
}

async function scrape(figures: Metrics): Promise<string> {
  const node = new ScriptedNode();
  node.figures = figures;
  return await createExposition(node, "0.1.0", () => 0).render();
}

/** What Prometheus should be told, from the tree alone: units and words turned into numbers. */
function expected(path: string, value: TreeValue): number | undefined {
  switch (path) {
    case "halt_reason":
      return value === null ? 0 : 1;
    case "recovery.startup_kind":
      return ["fresh_start", "wal_only", "snapshot_only", "snapshot_and_wal"]
        .indexOf(String(value)) + 1;
    case "core.operation_table_utilization_pct":
      return Number(value) / 100;
    default:
      if (value === null) return undefined;
      return path.endsWith("_ms") ? Number(value) / 1_000 : Number(value);
  }
}

Deno.test("metricsToJson() has a name for every figure, and every name has a metric and a help", () => {
  const paths = leaves(metricsToJson(HEALTHY_METRICS)).map(([path]) => path);
  assertEquals(paths, NODE_METRICS.map(({ runbook }) => runbook));
  assertEquals(paths.toSorted(), METRICS.map(({ name }) => name).toSorted());
});

Deno.test("metricsToJson() writes u64 as text and what is absent as null", () => {
  const tree = metricsToJson({
    ...HEALTHY_METRICS,
    core: { ...HEALTHY_METRICS.core, lastAppliedLsn: 2n ** 64n - 1n, lastRequestSlot: undefined },
  });
  const core = tree.core as Tree;
  assertEquals(core.last_applied_lsn, "18446744073709551615");
  assertEquals(core.last_request_slot, null);
  assertEquals(JSON.parse(JSON.stringify(tree)), tree);
});

Deno.test("a scrape has the node's figures in base units, and none where there is none", async () => {
  const halted: Metrics = {
    ...HEALTHY_METRICS,
    acceptingWrites: false,
    haltReason: "sync failed",
    recovery: {
      ...HEALTHY_METRICS.recovery,
      startupKind: "fresh_start",
      loadedSnapshotLsn: undefined,
    },
    wal: { ...HEALTHY_METRICS.wal, checkpointAgeMs: undefined },
  };
  for (const figures of [HEALTHY_METRICS, halted]) {
    const seen = samples(await scrape(figures));
    for (const [path, value] of leaves(metricsToJson(figures))) {
      const { name } = NODE_METRICS.find(({ runbook }) => runbook === path)!;
      assertEquals(seen.get(name), expected(path, value), path);
    }
  }
});

Deno.test("a scrape of a replica says how it stands, now and not as it once stood; one that is alone says nothing", async () => {
  const node = new ScriptedNode();
  const exposition = createExposition(node, "0.1.0", () => 0);
  const figures = async (): Promise<[string, number][]> =>
    [...samples(await exposition.render())].filter(([name]) => /_(replica|peer)_/.test(name));
  assertEquals(await figures(), []);
  node.standing = STANDING;
  assertEquals(
    new Map(await figures()),
    new Map([
      ['allocdb_replica_role{role="primary"}', 0],
      ['allocdb_replica_role{role="backup"}', 1],
      ['allocdb_replica_role{role="view_uncertain"}', 0],
      ['allocdb_replica_role{role="recovering"}', 0],
      ['allocdb_replica_role{role="faulted"}', 0],
      ["allocdb_replica_view", 4],
      ["allocdb_replica_primary", 3],
      ["allocdb_replica_commit_op", 41],
      ["allocdb_replica_applied_op", 40],
      ["allocdb_replica_tip_op", 42],
      ['allocdb_peer_connected{peer="2"}', 0],
      ['allocdb_peer_connected{peer="3"}', 1],
      ['allocdb_peer_lag_ops{peer="2"}', 0],
      ['allocdb_peer_lag_ops{peer="3"}', 0],
      ['allocdb_peer_last_heard_seconds{peer="3"}', 0.012],
    ]),
  );
  node.standing = { ...STANDING, primary: undefined, peers: [] };
  const names = new Set((await figures()).map(([name]) => name.replace(/\{.*/, "")));
  assertEquals(names.has("allocdb_replica_primary"), false);
  assertEquals(names.has("allocdb_peer_connected"), false);
});

Deno.test("a counter shows what the node has counted, however often it is scraped", async () => {
  const node = new ScriptedNode();
  const exposition = createExposition(node, "0.1.0", () => 0);
  await exposition.render();
  const again = samples(await exposition.render());
  assertEquals(again.get("allocdb_committed_total"), HEALTHY_METRICS.counters.committed);
});

Deno.test("a scrape keeps to Prometheus' rules for names and to the registry of its own", async () => {
  const text = await withGateway(new ScriptedNode(), {}, async ({ url }) => {
    const reply = await fetch(`${url}/metrics`);
    assertEquals(reply.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    return await reply.text();
  });
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, n, t]) => [n!, t!]));
  const declared = [...NODE_METRICS, ...REPLICA_METRICS, ...Object.values(GATEWAY_METRICS)];
  assertEquals(types, new Map(declared.map(({ name, type }) => [name, type])));
  for (const { name, type } of declared) {
    assert(/^allocdb_[a-z][a-z0-9_]*$/.test(name), name);
    assertEquals(name.endsWith("_total"), type === "counter", name);
  }
});

Deno.test("docs/metrics.md has a row for every metric, as the registry has it, and no other", async () => {
  const page = await Deno.readTextFile(PAGE);
  const rows = [...page.matchAll(/^\| (`.*) \|$/gm)].map(([, row]) => row!.split(/\s+\|\s+/));
  const node = NODE_METRICS.map(({ runbook, name, type, help, alert }) => [
    ...[`\`${runbook}\``, `\`${name}\``, type, help, alert],
  ]);
  const labelled = [...REPLICA_METRICS, ...Object.values(GATEWAY_METRICS)].map((
    { name, type, labels, help, alert },
  ) => [
    ...[`\`${name}\``, type, labels.join(", ") || "-", help, alert],
  ]);
  assertEquals(rows.map((row) => row.map((cell) => cell.trim())), [...node, ...labelled]);
});
