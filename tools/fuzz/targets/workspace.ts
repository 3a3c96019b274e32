/** The text files of a workspace: what is accepted has one meaning, and what is not says where. */
import { PROFILES } from "../../../node/config/profiles.ts";
import { formatFaults, parseFaults } from "../../../cluster/workspace/faults_text.ts";
import {
  formatLayout,
  MANUAL_CHORES,
  newLayout,
  parseLayout,
} from "../../../cluster/workspace/layout.ts";
import { TextProblem } from "../../../cluster/workspace/text.ts";
import {
  EVENT_KINDS,
  formatBlock,
  parseTimeline,
  TIMELINE_HEAD,
} from "../../../cluster/workspace/timeline_text.ts";
import type { FuzzRandom } from "../random.ts";
import { expect, expectEqual, type Target } from "../target.ts";
import { bytesOfText, mutateText, textOf } from "../text.ts";

/** The functions under test. */
export interface WorkspaceParsers {
  readonly parseLayout: typeof parseLayout;
  readonly parseFaults: typeof parseFaults;
  readonly parseTimeline: typeof parseTimeline;
}

const ROOT = "/ws";
const MEMBERS = [1n, 2n, 3n];

/** Lines of a faults file that stand or fall together. */
const GROUPS = [
  ...[["link.1.2.drop=0.5"], ["link.2.1.cut=true"], ["link.client.3.delay_ms=9"]],
  ...[["partition=1,2/3"], ["replica.1.clock.rate=1.5", "replica.1.clock.skew_ms=-5"]],
  [
    ...["replica.2.disk.kind=slow", "replica.2.disk.after=1", "replica.2.disk.until_millis=none"],
    ...["replica.2.disk.delay_ms=5", "replica.2.disk.set_at_millis=7"],
  ],
];
const WORDS = [
  ...GROUPS.flat(),
  ...["version=1", "version=2", "=", "\n", "\n\n", "isolated", "none", "127.0.0.1:0", "replica.1."],
  ...[
    "members=1,2,3",
    "replica.4.network=healthy",
    "workspace_root=/ws",
    "sequence=",
    "phase=begin",
    "..",
    "/",
    "18446744073709551616",
  ],
];

/** Makes the target; the first line of an input says which file it is. */
export function workspaceTarget(
  parsers: WorkspaceParsers = { parseLayout, parseFaults, parseTimeline },
): Target {
  return {
    name: "workspace",
    outcomes: [
      ...["ok layout", "ok faults", "ok timeline", "timeline with problems"],
      ...["bad line", "something missing", "other version"],
    ],
    draw: (random) => {
      const [kind, text] = drawFile(random);
      const changed = random.oneIn(4) ? text : mutateText(random, text, WORDS);
      return bytesOfText(`${kind}\n${changed}`);
    },
    judge: (input) => {
      const text = textOf(input);
      const kind = text.slice(0, text.indexOf("\n"));
      const rest = text.slice(text.indexOf("\n") + 1);
      if (kind === "layout") return judgeLayout(parsers, rest);
      return kind === "faults" ? judgeFaults(parsers, rest) : judgeTimeline(parsers, rest);
    },
  };
}

function drawFile(random: FuzzRandom): readonly [string, string] {
  switch (random.below(3)) {
    case 0:
      return ["layout", drawLayout(random)];
    case 1:
      return ["faults", drawFaults(random)];
    default:
      return ["timeline", drawTimeline(random)];
  }
}

function drawLayout(random: FuzzRandom): string {
  const layout = newLayout({
    root: ROOT,
    clusterId: Uint8Array.from({ length: 16 }, () => random.below(256)),
    config: random.pick(Object.values(PROFILES)),
    addresses: Array.from({ length: random.pick([1, 3, 5]) }, (_, i) => ({
      control: `127.0.0.1:${7_000 + 3 * i}`,
      client: `127.0.0.1:${7_001 + 3 * i}`,
      protocol: `[::1]:${7_002 + 3 * i}`,
    })),
    secretPath: random.oneIn(2) ? undefined : "/ws/secret",
    manual: new Set(MANUAL_CHORES.filter(() => random.oneIn(3))),
  });
  return formatLayout(layout);
}

function drawFaults(random: FuzzRandom): string {
  const networks = MEMBERS.map((id) =>
    `replica.${id}.network=${random.oneIn(3) ? "isolated" : "healthy"}`
  );
  const others = GROUPS.filter(() => random.oneIn(2)).flat();
  return ["version=2", ...networks, ...others].join("\n");
}

function drawTimeline(random: FuzzRandom): string {
  const blocks = Array.from({ length: random.below(5) }, (_, i) =>
    formatBlock({
      sequence: i + 1,
      timestampMillis: random.below(1_000_000),
      kind: random.pick(EVENT_KINDS),
      replicaId: random.oneIn(2) ? undefined : random.pick(MEMBERS),
      detail: random.oneIn(2) ? undefined : random.pick(WORDS),
      phase: random.pick(["begin", "done", "failed"] as const),
    }));
  return TIMELINE_HEAD + blocks.join("");
}

/** A layout that is accepted has no two replicas in one place, and is the same after it was written again. */
function judgeLayout(parsers: WorkspaceParsers, text: string): string {
  const layout = attempt(() => parsers.parseLayout(text, ROOT));
  if (typeof layout === "string") return layout;
  const { replicas, members } = layout;
  const places = replicas.flatMap((replica) => [
    ...[replica.directory, replica.logPath, replica.pidPath],
    ...[replica.controlAddr, replica.clientAddr, replica.protocolAddr],
  ]);
  expectEqual(new Set(places).size, replicas.length * 6, "places");
  expectEqual(members.join(), replicas.map(({ id }) => id).join(), "members");
  if (layout.version === 2) {
    const written = formatLayout(layout);
    expectEqual(formatLayout(parsers.parseLayout(written, ROOT)), written, "written again");
  }
  return "ok layout";
}

/** Faults that are accepted say of each network what its line says, and are the same after being written again. */
function judgeFaults(parsers: WorkspaceParsers, text: string): string {
  const faults = attempt(() => parsers.parseFaults(text, MEMBERS));
  if (typeof faults === "string") return faults;
  for (const id of MEMBERS) {
    const line = `replica.${id}.network=isolated`;
    expectEqual(faults.isolated.includes(id), text.split("\n").includes(line), line);
  }
  const written = formatFaults(faults, MEMBERS);
  expectEqual(
    formatFaults(parsers.parseFaults(written, MEMBERS), MEMBERS),
    written,
    "written again",
  );
  return "ok faults";
}

/** A timeline never fails; it has no more events than lines that could begin one, in ascending order. */
function judgeTimeline(parsers: WorkspaceParsers, text: string): string {
  const { events, problems } = parsers.parseTimeline(text);
  const lines = text.split("\n").filter((line) => line.startsWith("sequence=")).length;
  expect(events.length <= lines, `${events.length} events of ${lines}`);
  for (const [i, { sequence }] of events.entries()) {
    expect(i === 0 || sequence > events[i - 1]!.sequence, `${sequence} is out of order`);
  }
  return problems.length === 0 ? "ok timeline" : "timeline with problems";
}

/** What was read, or the kind of a refusal, which is one printable line. */
function attempt<T extends object>(parse: () => T): T | string {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TextProblem)) throw error;
    expect(!error.message.includes("\n") && error.message.length < 400, error.message);
    if (error.isOtherVersion) return "other version";
    return error.line === undefined ? "something missing" : "bad line";
  }
}
