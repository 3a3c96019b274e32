// Operators search their logs for what docs/operations.md says. Each text there is one that a node writes, and
// each line that a node writes is one of them.
import { assertEquals } from "@std/assert";
import {
  RECOVERY_FAILURES,
  recoveryFailed,
  type RecoveryFailureClass,
} from "../../node/log_lines.ts";
import { DiskFault } from "../../node/disk.ts";
import * as lines from "../../node/replica/lines.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { sampleMetadata } from "../support/metadata.ts";
import { NodeHarness } from "../support/node_harness.ts";
import { storeAt } from "../support/late_store.ts";
import { TINY_CONFIG } from "../support/core_builders.ts";
import { create, reserve } from "../../testbed/sim/workload/requests.ts";

const DOC = new URL("../../docs/operations.md", import.meta.url);
const VOTER = sampleMetadata();
const LOG = { preparedCount: 2n, highestPreparedLsn: 9n };
const FACTS = { op: 5n, hash: 6n, bytes: 700n };
const LEVELS = ["error", "warn", "info"];
/** Written by the process around the node. */
const OF_THE_PROCESS = [
  "info stopping: signal={}",
  "info stopped: everything acknowledged is on disk",
];

/** The documented lines, each with its level. */
function templates(): string[] {
  const section = Deno.readTextFileSync(DOC).split("\n## Log signatures\n")[1]!;
  const blocks = [...section.matchAll(/```text\n([^`]*)```/g)].map(([, text]) => text!);
  return blocks.flatMap((text, i) => text.trim().split("\n").map((line) => `${LEVELS[i]} ${line}`));
}

/** A vote is the one value that has a space in it. */
const WORD = "(?:view:\\d+ voted_for:\\d+|\\S+)";

function matcher(template: string): RegExp {
  const text = template.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  return new RegExp(`^${text.replace(/\{\}$/, ".+").replaceAll("{}", WORD)}$`);
}

/** Lines of nodes that go through everything that is logged. */
function writtenLines(): string[] {
  return [
    ...expiring().lines,
    ...halting().lines,
    ...haltingInternally().lines,
    ...checkpointing().lines,
    ...exhausted().lines,
    ...tearing().lines,
    ...refusals(),
    ...replicaLines(),
  ];
}

function expiring(): NodeHarness {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.commit(reserve(1n, 1n));
  harness.advanceSlots(4);
  harness.tick();
  return harness;
}

function halting(): NodeHarness {
  const harness = NodeHarness.start();
  harness.disk.plan({ nth: 1, action: "sync", effect: "io_error" });
  harness.do(create(1n));
  return harness;
}

function haltingInternally(): NodeHarness {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.commit(reserve(1n, 1n));
  harness.advanceSlots(4);
  harness.disk.plan({ nth: 1, action: "sync", effect: "io_error" });
  harness.tick();
  return harness;
}

/** One that works, one that fails, one that cannot delete, and a damaged snapshot afterwards. */
function checkpointing(): NodeHarness {
  const harness = NodeHarness.start({ core: { maxOperations: 500 } });
  const write = (): void => {
    for (let i = 0; i < 60; i++) harness.do(create(1n));
  };
  write();
  harness.checkpoint();
  write();
  harness.disk.plan({ nth: 1, action: "create", effect: "disk_full" });
  harness.checkpoint();
  harness.disk.plan({ nth: 1, action: "remove", effect: "io_error" });
  harness.checkpoint();
  harness.crash("keep");
  harness.disk.contents("state.snapshot")[700]! ^= 1;
  harness.reopen();
  return harness;
}

function exhausted(): NodeHarness {
  const disk = storeAt(TINY_CONFIG, 2n ** 64n - 2n, 1n);
  const harness = NodeHarness.start({ disk });
  harness.commit(create(1n));
  return harness;
}

function tearing(): NodeHarness {
  const harness = NodeHarness.start({ disk: new MemoryDisk({ deferred: true }) });
  harness.commit(create(1n));
  for (let i = 0; i < 8; i++) harness.submit(create(1n));
  harness.turn();
  harness.crash("keep");
  harness.disk.contents("state.wal").fill(0, 1_024);
  harness.reopen();
  return harness;
}

function refusals(): string[] {
  const classes = Object.keys(RECOVERY_FAILURES) as RecoveryFailureClass[];
  const paths = { snapshot: "state.snapshot", wal: "state.wal" };
  return classes.map((failure) => `error ${recoveryFailed(failure, paths, "what was found")}`);
}

/** One of each that `node/replica/lines.ts` makes; that they are written is for its own test. */
const OF_REPLICAS: Readonly<Record<string, readonly string[]>> = {
  transitionLine: [`info ${lines.transitionLine(sampleMetadata({ vote: null }), VOTER, LOG)}`],
  bootstrapLine: [
    `info ${lines.bootstrapLine(sampleMetadata({ view: 0n, vote: null }), 0n)}`,
    `info ${lines.bootstrapLine(VOTER, 9n)}`,
  ],
  committingPrefixLine: [`info ${lines.committingPrefixLine(VOTER, LOG, 7n)}`],
  committedPrefixLine: [`info ${lines.committedPrefixLine(VOTER, 9n)}`],
  discardingSuffixLine: [
    `info ${lines.discardingSuffixLine(VOTER, { commitOp: 3n, keptOp: 5n, tipOp: 9n })}`,
  ],
  alreadyUncertainLine: [`info ${lines.alreadyUncertainLine(VOTER, 3n)}`],
  faultingLine: [
    `error ${lines.faultingLine(VOTER, "open", "state.wal at byte 512: invalid_magic")}`,
    `error ${lines.faultingLine(VOTER, "recover", "state.wal at byte 512: invalid_magic")}`,
  ],
  metadataFaultLine: [`error ${lines.metadataFaultLine(VOTER, "it is missing")}`],
  faultedLine: [`error ${lines.faultedLine("it is missing")}`],
  notCountingLine: [`warn ${lines.notCountingLine("its log ended before its snapshot")}`],
  snapshotInstalledLine: [`info ${lines.snapshotInstalledLine(FACTS)}`],
  snapshotNotInstalledLine: [`warn ${lines.snapshotNotInstalledLine(FACTS, "it is another one")}`],
  transferFailedLine: [
    `warn ${lines.transferFailedLine(new DiskFault("disk_full", "write", "file", "no space"))}`,
  ],
  mendingLine: [`warn ${lines.mendingLine("state.wal at byte 512: invalid_magic", 2)}`],
  mendedLine: [`info ${lines.mendedLine(2)}`],
  givingUpLine: [`warn ${lines.givingUpLine("truncate", "state.wal at byte 512: invalid_magic")}`],
};

function replicaLines(): string[] {
  return Object.values(OF_REPLICAS).flat();
}

Deno.test("no line of node/replica/lines.ts is forgotten here", () => {
  const made = Object.keys(lines).filter((name) => name.endsWith("Line"));
  assertEquals(Object.keys(OF_REPLICAS).sort(), made.sort());
});

Deno.test("docs/operations.md has every line that a node writes, and no other", () => {
  const documented = templates();
  const written = writtenLines();
  const unused = documented.filter((template) => {
    return !OF_THE_PROCESS.includes(template) &&
      !written.some((line) => matcher(template).test(line));
  });
  assertEquals(unused, [], "documented and never written");
  const unknown = written.filter((line) => !documented.some((text) => matcher(text).test(line)));
  assertEquals(unknown, [], "written and not documented");
});
