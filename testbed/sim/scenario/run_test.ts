// The script language itself. A script that cannot fail shows nothing: a wrong expectation, a fact that does not
// hold and a broken promise must each be told by file and line, and what is written back must be what was read.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openReplica } from "../../../node/replica/replica.ts";
import type { ReplicaOptions } from "../../../node/replica/options.ts";
import { unifiedDiff } from "./diff.ts";
import { runScript } from "./run.ts";
import type { Subject } from "../world/subject.ts";

const STORY = `# A story

cluster failover=manual
create resource=1
----
op1 ok lsn=1

# The log has one entry.
log 2
----
op  view  entry              by   standing
1   1     create_resource 1  op1  committed
`;

Deno.test("runScript() finds a script that goes as expected in order, and gives it back as it was", () => {
  assertEquals(runScript(STORY), {
    title: "A story",
    ok: true,
    output: STORY,
    differences: "",
    failure: undefined,
  });
});

Deno.test("runScript() fills in what was not expected yet, and what it wrote is right the next time", () => {
  const bare = STORY.split("\n").filter((line) => !/^(----|op|1 )/.test(line)).join("\n");
  const first = runScript(bare);
  assertEquals([first.ok, first.output], [false, STORY]);
  assertEquals(runScript(first.output).ok, true);
});

Deno.test("runScript() shows a wrong expectation with its line, and puts right only that", () => {
  const run = runScript(STORY.replace("op1 ok lsn=1", "op1 ok lsn=2"), { name: "story.txt" });
  assertEquals([run.ok, run.failure, run.output], [false, undefined, STORY]);
  assertStringIncludes(run.differences, "-op1 ok lsn=2\n+op1 ok lsn=1");
  assertMatch(run.differences, /^--- story\.txt.*\n\+\+\+ story\.txt.*\n@@ -3,7 \+3,7 @@/);
});

Deno.test("runScript() removes an expectation of a block that says nothing", () => {
  const run = runScript("# Quiet\n\ncluster\nrun 1s\n----\nthunder\n\nshow\n");
  assert(run.output.startsWith("# Quiet\n\ncluster\nrun 1s\n\nshow\n----\nreplica"));
  assertEquals(run.ok, false);
});

Deno.test("runScript() plays a script twice in the same way, and says so with any seed", () => {
  const text =
    "# Twice\n\ncluster\ncreate resource=1\ncrash 1 lose\nrun-until primary=2 committed=1\nlog 2\n";
  const outputs = [1, 1, 7].map((seed) => runScript(text, { seed }).output);
  assertEquals(new Set(outputs).size, 1);
});

for (
  const [lines, line, message] of [
    ["create resource=1", 3, "a script begins with cluster [replicas=N]"],
    ["cluster\nclutser", 4, 'unknown verb "clutser": cluster, create, reserve'],
    ["cluster\ncluster", 4, "a script has one cluster"],
    ["cluster replicas=9", 3, "replicas= is 1 to 7"],
    ["cluster failover=never", 3, "failover= is auto or manual"],
    ["cluster\ncreate resourec=1", 4, "create takes no resourec=: resource, to, as, id-of"],
    ["cluster\ncreate resource=1 resource=2", 4, "resource= is given twice"],
    ["cluster\ncreate", 4, "create wants resource="],
    ["cluster\ncreate resource=one", 4, '"one" is not a whole number for resource='],
    ["cluster\ncreate resource=1 to=4", 4, "there is no replica 4"],
    ["cluster\nheal 1", 4, 'heal takes no "1": heal'],
    ["cluster\ncrash 1 maybe", 4, '"maybe" is none of keep, lose'],
    ["cluster\ncrash", 4, "crash wants a replica"],
    ["cluster\nrun 5", 4, "run wants a time like 500ms or 2s"],
    ["cluster\nretry nothing", 4, "there is no operation nothing"],
    ["cluster\nconfirm of=nothing", 4, "there is no operation nothing"],
    ["cluster\nhold kind=letter", 4, '"letter" is none of prepare, heartbeat'],
    ["cluster\ndeliver prepare-1>2", 4, "no prepare-1>2 is held"],
    ["cluster\npartition 1 | 2", 4, "every replica is in one group"],
    ["cluster\ncut 1>1", 4, "there is no way 1>1"],
    ["cluster\nexpect", 4, "expect wants a fact: primary, committed"],
    ["cluster\nexpect role=backup", 4, "expect wants at="],
    ["cluster\nexpect primary=2", 4, "the primary is 1, not 2"],
    ["cluster\nexpect view=2 at=1,3", 4, "view of 1 is 1, not 2"],
    ["cluster\nrun-until primary=3 within=50ms", 4, "the primary is 1, not 3"],
    ["cluster\ndamage 1 entry=9", 4, "no file of 1 holds entry 9"],
    ["----", 3, "no command stands above ----"],
    ["# Nothing but comments", 3, "a script has commands"],
  ] as const
) {
  Deno.test(`runScript() refuses "${lines.split("\n").at(-1)}": ${message}`, () => {
    const text = `# Mistakes\n\n${lines}\n`;
    const run = runScript(text, { name: "wrong.txt" });
    assertEquals(run.ok, false);
    assertStringIncludes(run.failure ?? "", `wrong.txt:${line}: ${message}`);
  });
}

Deno.test("runScript() wants to be told what a script shows", () => {
  assertEquals(
    runScript("cluster\n").failure,
    "script:1: a script begins with a comment that says what it shows",
  );
});

Deno.test("runScript() keeps what it expected behind the line where it could not go on", () => {
  const text = STORY.replace("# The log has", "expect primary=2\n\n# The log has");
  const run = runScript(text);
  assertEquals(run.output, text);
  assertEquals(run.failure, "script:8: the primary is 1, not 2");
});

Deno.test("runScript() fails by the name of a promise that is broken, whatever was expected", () => {
  const text = "# Read without asking\n\ncluster\ncreate resource=1\nrun 200ms\npause 1\n" +
    "run-until primary=2 applied=1 at=2\nrun 100ms\nreserve resource=1\nread resource=1 at=1\n" +
    "resume 1\nrun 100ms\n";
  const run = runScript(text, { open: openGullible });
  assertMatch(run.failure ?? "", /^script:\d+: R8 no stale read/);
  assertEquals(run.ok, false);
  assertEquals(runScript(text).failure, undefined);
});

Deno.test("unifiedDiff() shows what differs with its surroundings, and nothing for equal texts", () => {
  assertEquals(unifiedDiff("a\nb\n", "a\nb\n", "x"), "");
  const before = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"].join("\n");
  const after = before.replace("2\n", "two\n").replace("11\n", "");
  assertEquals(
    unifiedDiff(before, after, "x"),
    [
      ...["--- x (expected)", "+++ x (found)", "@@ -1,5 +1,5 @@"],
      ...[" 1", "-2", "+two", " 3", " 4", " 5"],
      ...["@@ -8,5 +8,4 @@", " 8", " 9", " 10", "-11", " 12"],
    ].join("\n"),
  );
});

/** A replica that believes that it leads without asking anybody. */
function openGullible(options: ReplicaOptions): Subject {
  const replica = openReplica(options);
  replica.confirmAuthority = (done) => done(undefined);
  return replica;
}
