// docs/wire.md is what somebody writes a client from: its bytes are the golden ones, its tables name every
// number that the code knows, and its example client talks to a real server.
import { assert, assertEquals } from "@std/assert";
import { COMMAND_BYTES } from "../core/command_codec.ts";
import { COMMAND_NAMES, CommandTag } from "../core/command.ts";
import { RESULT_NAMES } from "../core/outcome.ts";
import { RESERVATION_STATE_NAMES, RESOURCE_STATE_NAMES } from "../core/tables.ts";
import { DEFAULT_PORT, serverDeadlines, serverLimits } from "../node/server/options.ts";
import { startServer } from "../node/server/server.ts";
import { MessageType, PROTOCOL_VERSION, WIRE_ERROR_CODES } from "../node/wire/messages.ts";
import { isDefinite, RejectionCode } from "../node/wire/rejection.ts";
import { readGolden } from "./support/golden.ts";
import { WireNode } from "./support/wire_node.ts";
import { frameOf, SAMPLES } from "./support/wire_samples.ts";

const DOCUMENT = Deno.readTextFileSync(new URL("../docs/wire.md", import.meta.url));

/** Rows of tables, cell by cell, without the code marks. */
const ROWS = DOCUMENT.split("\n").filter((line) => line.startsWith("|")).map((line) =>
  line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", ""))
);

/** Whether some row has these two cells side by side. */
function hasPair(first: string, second: string): boolean {
  return ROWS.some((row) => row.some((cell, i) => cell === first && row[i + 1] === second));
}

function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

Deno.test("every hex block of docs/wire.md is what its golden file holds", () => {
  const blocks = [...DOCUMENT.matchAll(/```hex (\S+)( part)?\n([^`]*)```/g)];
  assert(blocks.length >= 12);
  for (const [, name, part, text] of blocks) {
    const hex = text!.replaceAll(/#.*/g, "").replaceAll(/\s/g, "");
    const golden = toHex(readGolden(name!));
    if (part === undefined) assertEquals(hex, golden, name);
    else assert(golden.includes(hex), name);
  }
});

Deno.test("docs/wire.md names every message type, command, result, rejection and state by its number", () => {
  const missing: string[] = [];
  const expect = (number: number, name: string): void => {
    if (!hasPair(`${number}`, name)) missing.push(`${number} ${name}`);
  };
  for (const [name, type] of Object.entries(MessageType)) {
    if (type !== MessageType.error) expect(type, name);
  }
  for (const [name, tag] of Object.entries(CommandTag)) if (name !== "expire") expect(tag, name);
  RESULT_NAMES.forEach((name, code) => code > 0 && expect(code, name));
  for (const [name, code] of Object.entries(RejectionCode)) {
    const category = isDefinite(code) ? "1" : "2";
    const found = ROWS.some((row) =>
      row[0] === `${code}` && row[1] === name && row[2] === category
    );
    if (!found) missing.push(`rejection ${code} ${name} of category ${category}`);
  }
  for (const names of [RESOURCE_STATE_NAMES, RESERVATION_STATE_NAMES]) {
    const list = names.slice(1).map((name, i) => `${i + 1} \`${name}\``).join(", ");
    if (!DOCUMENT.replaceAll("\n", " ").includes(`States: ${list}.`)) missing.push(list);
  }
  assertEquals(missing, []);
  assert(
    DOCUMENT.includes(
      `The default port is ${DEFAULT_PORT}. There is one version, ${PROTOCOL_VERSION}.`,
    ),
  );
});

Deno.test("docs/wire.md states the sizes of commands and the defaults of the limits", () => {
  for (const [tag, bytes] of COMMAND_BYTES.entries()) {
    if (bytes === 0 || tag === CommandTag.expire) continue;
    assert(
      ROWS.some((row) =>
        row[0] === `${tag}` && row[1] === COMMAND_NAMES[tag] && row[3] === `${bytes}`
      ),
    );
  }
  const limits = serverLimits({ version: "test" });
  const count = (value: number): string => value.toLocaleString("en-US");
  const mib = (value: number): string => `${value / 2 ** 20} MiB`;
  const { frameMs, handshakeMs, writeMs, idleMs } = serverDeadlines({ version: "test" });
  const stated: [string, string][] = [
    ["max_connections", count(limits.maxConnections)],
    ["max_frame_bytes", mib(limits.maxFrameBytes)],
    ["max_batch_commands", count(limits.maxBatchCommands)],
    ["max_in_flight_commands", count(limits.maxInFlightCommands)],
    ["max_unsent_bytes", mib(limits.maxUnsentBytes)],
    ["hello", `${handshakeMs / 1_000} s`],
    ["one frame", `${frameMs / 1_000} s`],
    ["reading replies", `${writeMs / 1_000} s`],
    ["idle", idleMs === 0 ? "no limit" : ""],
  ];
  assertEquals(stated.filter(([name, value]) => !hasPair(name, value)), []);
});

Deno.test("docs/wire.md lists every error code that a server can answer with", () => {
  const listed = ROWS.filter((row) => row[1] === "connection" || row[1] === "request");
  assertEquals(WIRE_ERROR_CODES.filter((code) => !listed.some((row) => row[0] === code)), []);
});

Deno.test("every golden frame of the wire is one that is still made", () => {
  const files = [...Deno.readDirSync(new URL("golden/", import.meta.url))]
    .map(({ name }) => name.replace(".hex", "")).filter((name) => name.startsWith("wire_v1_"));
  assertEquals(files.sort(), SAMPLES.map(({ name }) => `wire_v1_${name}`).sort());
  assert(SAMPLES.every((sample) => frameOf(sample).length > 12));
});

const hasPython = await new Deno.Command("python3", {
  args: ["--version"],
  stdout: "null",
  stderr: "null",
})
  .output().then(({ success }) => success, () => false);

Deno.test({
  name: "the example client of docs/wire.md makes a reservation",
  ignore: !hasPython, // Not every machine that builds AllocDB has Python.
  fn: async () => {
    const program = /```python\n([^`]*)```/.exec(DOCUMENT)![1]!;
    const node = new WireNode();
    const server = startServer(node, { version: "test", port: 0 });
    const address = `127.0.0.1:${server.addr.port}`;
    const { stdout } = await new Deno.Command("python3", { args: ["-c", program, address] })
      .output();
    await server.drain(0);
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assertEquals(lines, ["create ok", "reserve ok", `reservation ${(5n << 64n) | 2n}`]);
  },
});
