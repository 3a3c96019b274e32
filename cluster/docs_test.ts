// docs/cluster.md is what an operator has when something is wrong: its tables are compared with the program.
import { assertEquals } from "@std/assert";
import { PROFILES } from "../node/config/profiles.ts";
import { DISK_FAULT_KINDS } from "../node/cli/cluster_options.ts";
import { testIo } from "../tests/support/cli_io.ts";
import { main } from "../cli.ts";
import {
  NO_FAULTS,
  withClockFault,
  withDiskFault,
  withLink,
  withPartition,
} from "./workspace/faults.ts";
import { formatFaults } from "./workspace/faults_text.ts";
import { formatLayout, newLayout } from "./workspace/layout.ts";
import { EVENT_KINDS } from "./workspace/timeline_text.ts";

const PAGE = await Deno.readTextFile(new URL("../docs/cluster.md", import.meta.url));

/** The code words of the first column of the table under a heading, with `.suffix` spelt out. */
function firstColumn(heading: string): readonly string[] {
  const section = PAGE.split(`\n${heading}\n`)[1]!.split(/\n#+ /)[0]!;
  return section.split("\n").filter((line) => /^\| `/.test(line)).flatMap((line) => {
    const words = [...line.split(" | ")[0]!.matchAll(/`([^`]+)`/g)].map(([, word]) => word!);
    const stem = words[0]!.replace(/\.[^.]*$/, "");
    return words.map((word) => word.startsWith(".") ? stem + word : word);
  });
}

Deno.test("docs/cluster.md lists every verb and no other", async () => {
  const io = testIo();
  await main(["help", "--json"], io);
  const tree = JSON.parse(io.stdout());
  const group = tree.commands.find(({ name }: { name: string }) => name === "cluster");
  const verbs = group.commands.map(({ name }: { name: string }) => name);
  assertEquals([...firstColumn("## Verbs")].sort(), [...verbs].sort());
});

Deno.test("docs/cluster.md lists every key of a layout", () => {
  const layout = newLayout({
    root: "/ws",
    clusterId: new Uint8Array(16),
    config: PROFILES.local,
    addresses: [{ control: "127.0.0.1:1", client: "127.0.0.1:2", protocol: "127.0.0.1:3" }],
  });
  const keys = formatLayout(layout).trim().split("\n").map((line) => line.split("=")[0]!)
    .map((key) => key.replace(/^(core|engine)\..*/, "$1.*").replace("replica.1.", "replica.N."));
  assertEquals([...firstColumn("### cluster-layout.txt")].sort(), [...new Set(keys)].sort());
});

Deno.test("docs/cluster.md lists every key of a faults file, every kind of fault and of event", () => {
  let faults = withPartition(NO_FAULTS, [[1n], [2n]]);
  faults = withDiskFault(faults, 1n, { kind: "eio", after: 0, setAtMillis: 0 });
  faults = withClockFault(faults, 1n, { skewMs: 0, rate: 2 });
  const fault = { cut: true, drop: 0, delayMs: 0, jitterMs: 0, duplicate: 0, reorder: 0 };
  faults = withLink(faults, { from: 1n, to: 2n, fault: { ...fault, bytesPerSecond: 1 } });
  const keys = formatFaults(faults, [1n, 2n]).trim().split("\n").slice(1)
    .map((line) => line.split("=")[0]!)
    .map((key) => key.replace(/^replica\.\d/, "replica.N").replace("link.1.2", "link.FROM.TO"));
  const listed = firstColumn("### cluster-faults.txt");
  const kinds: readonly string[] = DISK_FAULT_KINDS;
  assertEquals(listed.filter((word) => kinds.includes(word)), [...DISK_FAULT_KINDS]);
  const others = listed.filter((word) => !kinds.includes(word));
  assertEquals([...others].sort(), [...new Set(keys)].sort());
  assertEquals([...firstColumn("### cluster-timeline.log")].sort(), [...EVENT_KINDS].sort());
});
