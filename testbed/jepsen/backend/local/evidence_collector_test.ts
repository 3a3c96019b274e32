// The cluster goes on by itself while its logs are read: what it decides meanwhile is on some replicas and not on others.
import { assertEquals, assertRejects } from "@std/assert";
import { DEFAULT_CORE_CONFIG } from "../../../../core/config.ts";
import { CliError } from "../../../../node/errors.ts";
import { append, openWriter } from "../../../../tests/support/log_driver.ts";
import { IDENTITY } from "../../../../tests/support/log_frames.ts";
import { MemoryDisk } from "../../../sim/disk/memory_disk.ts";
import { committedLogOf } from "../../evidence/committed_log.ts";
import type { ClusterEvidence } from "../../evidence/evidence.ts";
import { checkMajority } from "../../evidence/logs.ts";
import type { ReplicaDigest, ReplicaStatus } from "../backend.ts";
import { EntryPool } from "./entry_pool.ts";
import { EvidenceCollector } from "./evidence_collector.ts";
import { LogCollector } from "./log_collector.ts";

/** Three replicas with one log of so many entries each, of which they say what is committed. */
class Cluster {
  /** By replica: how much of its log a replica says is committed. */
  told: bigint[];
  /** How often replicas were asked. */
  asked = 0;
  readonly collector: EvidenceCollector;

  constructor(tips: readonly number[], told: bigint[]) {
    const pool = new EntryPool();
    const logs = tips.map((tip, i) => {
      const disk = new MemoryDisk();
      append(openWriter(disk), Array.from({ length: tip }, () => 1), 0);
      return [i + 1, new LogCollector(i + 1, disk, IDENTITY, pool)] as const;
    });
    this.told = told;
    this.collector = new EvidenceCollector(
      DEFAULT_CORE_CONFIG,
      new Map(logs),
      () => this.#statuses(),
    );
  }

  #statuses(): Promise<readonly ReplicaStatus[]> {
    this.asked++;
    return Promise.resolve(this.told.map((commitOp, i) => ({
      ...{ id: i + 1, state: "active", view: 1n, commitOp, serves: i === 0 },
    })));
  }
}

function digestsAt(op: bigint): readonly ReplicaDigest[] {
  return [1, 2, 3].map((id) => ({ id, op, lsn: op, digest: 7n }));
}

function verdictOf(evidence: ClusterEvidence): string {
  return checkMajority(evidence, committedLogOf(evidence)).verdict;
}

Deno.test("EvidenceCollector.evidence() leaves out what the primary alone knows to be committed", async () => {
  const cluster = new Cluster([9, 8, 8], [9n, 8n, 8n]);
  cluster.collector.settling();
  const evidence = await cluster.collector.evidence(digestsAt(8n));
  assertEquals(evidence.logs.map(({ entries, commitOp }) => [entries.length, commitOp]), [
    [8, 8],
    [8, 8],
    [8, 8],
  ]);
  assertEquals(verdictOf(evidence), "pass");
});

Deno.test("EvidenceCollector.evidence() asks of a cluster that was never at rest until a majority has heard of a commit", async () => {
  const cluster = new Cluster([9, 9, 5], [9n, 8n, 5n]);
  const reading = cluster.collector.evidence([]);
  while (cluster.asked < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  cluster.told = [9n, 9n, 5n];
  const evidence = await reading;
  assertEquals(evidence.logs.map(({ commitOp }) => commitOp), [9, 9, 5]);
  assertEquals(verdictOf(evidence), "pass");
});

Deno.test("EvidenceCollector.evidence() keeps what was committed before the cluster came to rest without it", async () => {
  const cluster = new Cluster([9, 8, 8], [9n, 8n, 8n]);
  cluster.collector.start();
  while (cluster.asked < 1) await new Promise((resolve) => setTimeout(resolve, 5));
  await cluster.collector.stop();
  cluster.told = [8n, 8n, 8n];
  cluster.collector.settling();
  const evidence = await cluster.collector.evidence(digestsAt(8n));
  assertEquals(evidence.logs.map(({ commitOp }) => commitOp), [9, 8, 8]);
  assertEquals(verdictOf(evidence), "fail");
});

Deno.test("EvidenceCollector.evidence() proves nothing without a primary", async () => {
  const cluster = new Cluster([], []);
  const error = await assertRejects(() => cluster.collector.evidence([]), CliError);
  assertEquals(error.code, "E_WAIT_TIMEOUT");
});
