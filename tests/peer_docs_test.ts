// What docs/wire.md says of replicas is what they do: its types, refusals and limits are those of the program.
// (Its bytes are compared with the golden files by wire_docs_test.ts.)
import { assertEquals } from "@std/assert";
import { PEER_REFUSALS } from "../node/peer/hello.ts";
import {
  PEER_FRAME_BYTES_MAX,
  PEER_GREETING_BYTES_MAX,
  PeerMessageType,
} from "../node/peer/message_types.ts";
import { PEER_DEADLINES, PEER_QUEUE_BYTES } from "../node/peer/options.ts";
import { PEER_SAMPLES } from "./support/peer_samples.ts";

const DOCUMENT = Deno.readTextFileSync(new URL("../docs/wire.md", import.meta.url));
const SECTION = DOCUMENT.slice(DOCUMENT.indexOf("\n## Replicas\n"));

/** Rows of tables, cell by cell, without the code marks. */
const ROWS = SECTION.split("\n").filter((line) => line.startsWith("|")).map((line) =>
  line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", ""))
);

function hasRow(first: string, second: string): boolean {
  return ROWS.some((row) => row[0] === first && row[1] === second);
}

Deno.test("docs/wire.md lists every message between replicas by its number, and no other", () => {
  const listed = ROWS.filter((row) => /^\d+$/.test(row[0]!)).map((row) => [row[1], Number(row[0])]);
  assertEquals(listed, Object.entries(PeerMessageType));
});

Deno.test("docs/wire.md counts the elements that every message between replicas has", () => {
  for (const { name, general } of PEER_SAMPLES) {
    const [type, ...elements] = general as unknown[];
    const row = ROWS.find((row) => row[0] === `${type}`);
    if (row === undefined || !row[2]!.includes("u64")) continue;
    const described = row[2]!.split(";")[0]!.split(",");
    assertEquals(described.length, elements.length, name);
  }
});

Deno.test("docs/wire.md lists every refusal between replicas, in the order in which they are looked for", () => {
  const listed = ROWS.filter((row) => row[1] === "connection").map((row) => row[0]);
  assertEquals(listed, [...PEER_REFUSALS, "unexpected_message"]);
});

Deno.test("docs/wire.md states the limits between replicas", () => {
  const { handshakeMs, silenceMs, writeMs, frameMs, backoffMsMin, backoffMsMax } = PEER_DEADLINES;
  const stated: [string, string][] = [
    ["frame before the welcome", `${PEER_GREETING_BYTES_MAX / 2 ** 10} KiB`],
    ["frame after it", `${PEER_FRAME_BYTES_MAX / 2 ** 20} MiB`],
    ["bytes that wait for a peer", `${PEER_QUEUE_BYTES / 2 ** 20} MiB`],
    ["to the welcome", `${handshakeMs / 1_000} s`],
    ["silence", `${silenceMs / 1_000} s`],
    ["the peer takes nothing", `${writeMs / 1_000} s`],
    ["one frame of a peer", `${frameMs / 1_000} s`],
    ["pause before dialling again", `${backoffMsMin} ms`],
  ];
  assertEquals(stated.filter(([name, value]) => !hasRow(name, value)), []);
  assertEquals(SECTION.includes(`doubled up to ${backoffMsMax / 1_000} s`), true);
});

Deno.test("every golden frame between replicas is one that is still made", () => {
  const files = [...Deno.readDirSync(new URL("golden/", import.meta.url))]
    .map(({ name }) => name.replace(".hex", "")).filter((name) => name.startsWith("peer_v1_"));
  assertEquals(files.sort(), PEER_SAMPLES.map(({ name }) => `peer_v1_${name}`).sort());
});
