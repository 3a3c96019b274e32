// A fault that is misread makes a test prove nothing. What was written is read back to the last detail, and a
// file that says anything else is refused with the number of the line.
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { DISK_FAULT_KINDS } from "../../node/cli/cluster_options.ts";
import {
  type Endpoint,
  type Faults,
  NO_FAULTS,
  withClockFault,
  withDiskFault,
  withIsolation,
  withLink,
  withPartition,
} from "./faults.ts";
import { formatFaults, parseFaults, parseGroups } from "./faults_text.ts";
import { TextProblem } from "./text.ts";

const MEMBERS = [1n, 2n, 3n];

/** One change that a verb may make. */
const share = fc.oneof(
  fc.constantFrom(0, 1, 1e-7, 0.000000001),
  fc.integer({ min: 0, max: 1_000 }).map((n) => n / 1_000),
);
const ms = fc.integer({ min: 0, max: 86_400_000 });
const member = fc.constantFrom(...MEMBERS);
const end: fc.Arbitrary<Endpoint> = fc.constantFrom<Endpoint>(1n, 2n, 3n, "client");
const link = fc.tuple(end, end).filter(([from, to]) => from !== to);
const change: fc.Arbitrary<(faults: Faults) => Faults> = fc.oneof(
  fc.tuple(member, fc.boolean()).map(([id, on]) => (faults: Faults) =>
    withIsolation(faults, id, on)
  ),
  fc.constantFrom([], [[1n], [2n, 3n]], [[3n, 1n], [2n]], [[1n], [2n], [3n]]).map(
    (groups) => (faults: Faults) => withPartition(faults, groups),
  ),
  fc.tuple(
    link,
    fc.record({
      cut: fc.constant(true),
      drop: share,
      delayMs: ms,
      jitterMs: ms,
      duplicate: share,
      reorder: share,
      bytesPerSecond: fc.integer({ min: 1, max: 1e9 }),
    }, { requiredKeys: [] }),
  ).map(([[from, to], fault]) => (faults: Faults) => withLink(faults, { from, to, fault })),
  fc.tuple(
    member,
    fc.option(
      fc.record({
        kind: fc.constantFrom(...DISK_FAULT_KINDS),
        after: fc.nat(),
        untilMillis: fc.nat(),
        delayMs: ms,
        setAtMillis: fc.nat(),
      }, { requiredKeys: ["kind", "after", "setAtMillis"] }),
      { nil: undefined },
    ),
  ).map(([id, fault]) => (faults: Faults) => withDiskFault(faults, id, fault)),
  fc.tuple(
    member,
    fc.option(
      fc.record({
        skewMs: fc.integer({ min: -86_400_000, max: 86_400_000 }),
        rate: fc.constantFrom(0.01, 0.5, 1, 1.000001, 100),
      }),
      { nil: undefined },
    ),
  ).map(([id, fault]) => (faults: Faults) => withClockFault(faults, id, fault)),
);
const faultStates = fc.array(change, { maxLength: 12 })
  .map((changes) => changes.reduce((faults, apply) => apply(faults), NO_FAULTS));

Deno.test("parseFaults() reads back whatever the verbs can lead to", () => {
  let withEverything = 0;
  fc.assert(
    fc.property(faultStates, (faults) => {
      assertEquals(parseFaults(formatFaults(faults, MEMBERS), MEMBERS), faults);
      if (faults.links.length > 0 && faults.disks.size > 0 && faults.clocks.size > 0) {
        withEverything++;
      }
    }),
    { seed: 21, numRuns: 300 },
  );
  assert(withEverything > 20, `${withEverything}`);
});

Deno.test("formatFaults() writes the runbook's lines when nothing is wrong, and golden ones otherwise", () => {
  assertEquals(
    formatFaults(NO_FAULTS, MEMBERS),
    "version=2\nreplica.1.network=healthy\nreplica.2.network=healthy\nreplica.3.network=healthy\n",
  );
  let faults = withIsolation(NO_FAULTS, 2n, true);
  faults = withPartition(faults, [[1n, 2n], [3n]]);
  faults = withLink(faults, { from: 1n, to: "client", fault: { cut: true } });
  faults = withLink(faults, { from: 1n, to: 2n, fault: { drop: 0.25, delayMs: 50, jitterMs: 5 } });
  faults = withDiskFault(faults, 3n, { kind: "slow", after: 0, delayMs: 9, setAtMillis: 1_234 });
  faults = withClockFault(faults, 1n, { skewMs: -500, rate: 1.5 });
  assertEquals(
    formatFaults(faults, MEMBERS),
    `version=2
replica.1.network=healthy
replica.2.network=isolated
replica.3.network=healthy
partition=1,2/3
link.1.client.cut=true
link.1.2.drop=0.25
link.1.2.delay_ms=50
link.1.2.jitter_ms=5
replica.3.disk.kind=slow
replica.3.disk.after=0
replica.3.disk.until_millis=none
replica.3.disk.delay_ms=9
replica.3.disk.set_at_millis=1234
replica.1.clock.skew_ms=-500
replica.1.clock.rate=1.5
`,
  );
});

Deno.test("parseFaults() reads version 1", () => {
  const text = "version=1\nworkspace_root=/ws\nreplica.1.network=healthy\n" +
    "replica.2.network=isolated\nreplica.3.network=healthy\n";
  assertEquals(parseFaults(text, MEMBERS), withIsolation(NO_FAULTS, 2n, true));
  assertThrows(() => parseFaults(`${text}partition=1/2,3\n`, MEMBERS), TextProblem, "line 6");
});

Deno.test("parseFaults() refuses what it does not understand, with the line", () => {
  const head = formatFaults(NO_FAULTS, MEMBERS);
  for (
    const [line, says] of [
      ["replica.4.network=healthy", "the members are 1, 2, 3"],
      ["replica.1.colour=red", "no key"],
      ["replica.1.disk.colour=red", "no key"],
      ["weather=bad", "no key"],
      ["link.1.2.drop=1.5", "share"],
      ["link.1.2.drop=1e-3", "share"],
      ["link.1.2.wobble=1", "no such fault"],
      ["link.1.1.drop=0", "two different ends"],
      ["link.1.9.drop=0", "link.FROM.TO.FAULT"],
      ["link.1.2=cut", "link.FROM.TO.FAULT"],
      ["link.1.2.cut=false", "true"],
      ["link.1.2.throttle_bytes=0", "bytes per second"],
      ["partition=1,2", "every replica"],
      ["partition=1,2/2,3", "every replica"],
      ["partition=1/2", "every replica"],
      ["replica.1.clock.skew_ms=-0", "milliseconds"],
      ["nonsense", "key=value"],
      ["replica.1.network=healthy", "twice"],
    ] as const
  ) {
    const problem = assertThrows(() => parseFaults(`${head}${line}\n`, MEMBERS), TextProblem, says);
    assertEquals(problem.line, 5, line);
  }
  const half = `${head}replica.1.disk.kind=eio\n`;
  assertThrows(() => parseFaults(half, MEMBERS), TextProblem, "replica.1.disk.");
  assertThrows(() => parseFaults("", MEMBERS), TextProblem, "empty");
  assertThrows(() => parseFaults("version=2\n", MEMBERS), TextProblem, "replica.1.network");
});

Deno.test("parseFaults() answers any text with faults or a TextProblem", () => {
  const lines = fc.array(fc.oneof(
    fc.string(),
    fc.tuple(
      fc.constantFrom(
        "link.1.2.drop",
        "partition",
        "replica.1.disk.kind",
        "replica.2.network",
        "x",
      ),
      fc.oneof(fc.string(), fc.constantFrom("0.5", "1,2/3", "eio", "isolated")),
    ).map(([key, value]) => `${key}=${value}`),
  ));
  fc.assert(
    fc.property(faultStates, lines, fc.nat(), (faults, extra, at) => {
      const text = formatFaults(faults, MEMBERS).split("\n");
      text.splice(at % text.length, at % 3, ...extra);
      try {
        parseFaults(text.join("\n"), MEMBERS);
      } catch (error) {
        assert(error instanceof TextProblem, String(error));
      }
    }),
    { seed: 22, numRuns: 500 },
  );
});

Deno.test("parseGroups() takes each replica once, in two groups or more", () => {
  assertEquals(parseGroups("1,2/3", MEMBERS), [[1n, 2n], [3n]]);
  assertEquals(parseGroups("3/2/1", MEMBERS), [[3n], [2n], [1n]]);
  for (const text of ["", "1,2,3", "1,2", "1/2/3/4", "1,1/2,3", "1,2/3/", "1,2/ 3", "a/b"]) {
    assertEquals(parseGroups(text, MEMBERS), undefined, text);
  }
});
