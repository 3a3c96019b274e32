// Operators look lines, fields, requests and codes up in docs/: each list there is the program's.
import { assert, assertEquals } from "@std/assert";
import { CONTROL_ERROR_CODES, LOG_LEVELS, REPLY_SCHEMAS } from "../node/control/messages.ts";
import { REQUIREMENTS } from "../node/cli/options.ts";
import { sampleStatus } from "./support/control_status.ts";

const OPERATIONS = read("operations.md");
const WIRE = read("wire.md");

function read(name: string): string {
  return Deno.readTextFileSync(new URL(`../docs/${name}`, import.meta.url));
}

/** What stands between a heading and the next one of its kind or higher. */
function section(text: string, heading: string): string {
  const from = text.split(`\n${heading}\n`)[1];
  assert(from !== undefined, heading);
  const level = heading.split(" ")[0]!.length;
  return from.split(new RegExp(`\n#{1,${level}} `))[0]!;
}

/** The words in backquotes that begin a table's rows. */
function firstCells(text: string): string[] {
  return [...text.matchAll(/^\| `([^`]+)`/gm)].map(([, word]) => word!);
}

/** Every event and marker that the sources of a replica's process name. */
function writtenLines(): string[] {
  const folder = new URL("../cluster/daemon/", import.meta.url);
  const names = new Set<string>();
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.endsWith(".ts") || name.endsWith("_test.ts")) continue;
    const source = Deno.readTextFileSync(new URL(name, folder));
    for (const [, event] of source.matchAll(/\.event\(\s*[^"(]*"\w+",\s*"([a-z_]+)"/g)) {
      names.add(`event=${event}`);
    }
    for (const [, event] of source.matchAll(/"(quorum_\w+)"/g)) names.add(`event=${event}`);
    for (const [, event] of source.matchAll(/event\(level, "([a-z_]+)"/g)) {
      names.add(`event=${event}`);
    }
    for (const [, marker] of source.matchAll(/"((?:startup|shutdown)=\w+)"/g)) names.add(marker!);
  }
  const peers = Deno.readTextFileSync(new URL("../node/peer/options.ts", import.meta.url));
  const peerEvents = section(`\n# x\n${peers.split("export type PeerEvent =")[1]!}`, "# x");
  for (const [, kind] of peerEvents.split("export ")[0]!.matchAll(/kind: "(\w+)"/g)) {
    names.add(`event=peer_${kind}`);
  }
  const server = Deno.readTextFileSync(new URL("../node/server/options.ts", import.meta.url));
  for (const [, kind] of server.matchAll(/readonly kind: "(\w+)"/g)) {
    names.add(`event=client_${kind}`);
  }
  return [...names].sort();
}

Deno.test("docs/operations.md lists every line that a replica's process writes, and no other", () => {
  assertEquals(firstCells(section(OPERATIONS, "### A replica's log")).sort(), writtenLines());
});

Deno.test("docs/operations.md explains no field that a status does not have", () => {
  const rows = section(OPERATIONS, "### A replica's state").split("\n").filter((line) =>
    line.startsWith("| `")
  );
  const fields = rows.flatMap((row) =>
    [...row.split("|")[1]!.matchAll(/`([\w.*]+)`/g)].map(([, name]) => name!.replace(/\..*/, ""))
  );
  const known = Object.keys(sampleStatus());
  assertEquals(fields.filter((field) => !known.includes(field)), []);
  assert(fields.length > 10);
});

Deno.test("docs/operations.md names everything that a probe can require", () => {
  const text = section(OPERATIONS, "### A replica's state");
  const [, words] = /--require ([\w|]+)/.exec(text) ?? [];
  assertEquals(words?.split("|"), [...REQUIREMENTS]);
});

Deno.test("docs/wire.md lists every request to a control port, what it answers, and every code", () => {
  const control = section(WIRE, "## Control");
  const requests = [...control.matchAll(/^\| `\{request: "(\w+)"/gm)].map(([, name]) => name!);
  assertEquals(requests, Object.keys(REPLY_SCHEMAS));
  for (const row of control.split("\n").filter((line) => line.startsWith("| `{request:"))) {
    const name = /request: "(\w+)"/.exec(row)![1] as keyof typeof REPLY_SCHEMAS;
    if (name === "status") continue;
    const fields = Object.keys(REPLY_SCHEMAS[name].entries).filter((field) => field !== "status");
    for (const field of fields) assert(row.includes(`\`${field}\``), `${name}: ${field}`);
  }
  const codes = firstCells(control).filter((cell) => !cell.startsWith("{"));
  assertEquals(codes, [...CONTROL_ERROR_CODES]);
  for (const level of LOG_LEVELS) assert(control.includes(`\`${level}\``), level);
});
