// docs/semantics.md is what users and other implementers go by: its tables are read here and held against
// the engine, so that neither can change alone.
import { assert, assertEquals } from "@std/assert";
import { DEFAULT_CORE_CONFIG, tableBytes } from "../../core/config.ts";
import { ResultCode } from "../../core/outcome.ts";
import { RESERVATION_STATE_NAMES } from "../../core/tables.ts";
import { benchIn, record, say, type State, type Verb } from "../support/life_cycle.ts";

const PAGE = await Deno.readTextFile(new URL("../../docs/semantics.md", import.meta.url));

/** Cells of the table that follows a text, without its head. */
function tableAfter(text: string): string[][] {
  const from = PAGE.indexOf(text);
  assert(from >= 0, `the page has no "${text}"`);
  const lines = PAGE.slice(from).split("\n").slice(1);
  const start = lines.findIndex((line) => line.startsWith("|"));
  const end = lines.findIndex((line, at) => at > start && !line.startsWith("|"));
  const cells = (line: string): string[] => line.split("|").slice(1, -1).map((cell) => cell.trim());
  return lines.slice(start + 2, end).map(cells);
}

/** The states that each column stands for. */
const COLUMNS: readonly (readonly State[])[] = [
  ["never"],
  ["reserved"],
  ["confirmed"],
  ["revoking"],
  ["released", "expired", "revoked"],
  ["dropped"],
];

Deno.test("docs/semantics.md: the life cycle is what the engine answers, cell by cell", () => {
  const rows = tableAfter("What each command answers in each state");
  assertEquals(rows.map(([verb]) => verb), ["confirm", "release", "revoke", "reclaim", "expire"]);
  for (const [verb, ...cells] of rows) {
    for (const [column, states] of COLUMNS.entries()) {
      for (const state of states) {
        const { bench, reservationId } = benchIn(state);
        const { code } = say(bench, verb as Verb, reservationId);
        const [expected, next] = cells[column]!.replaceAll(/[*`]/g, "").split(" → ");
        assertEquals(code, expected, `${verb} when ${state}`);
        if (next !== undefined) assertEquals(stateName(record(bench, reservationId)?.state), next);
      }
    }
  }
});

function stateName(state: number | undefined): string | undefined {
  return state === undefined ? undefined : RESERVATION_STATE_NAMES[state];
}

Deno.test("docs/semantics.md: the epoch after each transition is the engine's", () => {
  const rows = tableAfter("What each `ok` changes");
  const from: Record<string, State> = {
    confirm: "reserved",
    release: "confirmed",
    revoke: "confirmed",
    reclaim: "revoking",
    expire: "reserved",
  };
  for (const [verb, epoch] of rows.slice(1)) {
    const { bench, reservationId } = benchIn(from[verb!]!);
    say(bench, verb as Verb, reservationId);
    assertEquals(record(bench, reservationId)?.epoch, BigInt(epoch!));
  }
  assertEquals(rows.map(([verb]) => verb), ["reserve", ...Object.keys(from)]);
});

Deno.test("docs/semantics.md: result codes have the engine's numbers, all of them", () => {
  const listed = tableAfter("## Result codes")
    .map(([number, code]) => [code!.replaceAll("`", ""), Number(number)]);
  assertEquals(Object.fromEntries(listed), { ...ResultCode });
});

Deno.test("docs/semantics.md: the bounds and their defaults are the configuration's, all of them", () => {
  const listed = tableAfter("## Bounds").map(([parameter, value]) => {
    const name = parameter!.replaceAll("`", "").replace("core.", "");
    return [
      name.replaceAll(/_(.)/g, (_, letter) => letter.toUpperCase()),
      value!.replaceAll(",", ""),
    ];
  });
  const defaults = Object.entries(DEFAULT_CORE_CONFIG).map(([name, value]) => [name, `${value}`]);
  assertEquals(listed, defaults);
});

Deno.test("docs/semantics.md: the figures of memory and of sustained commands are right", () => {
  const { maxOperations, maxClientRetryWindowSlots, slotDurationMs } = DEFAULT_CORE_CONFIG;
  const mebibytes = Math.round(tableBytes(DEFAULT_CORE_CONFIG) / 2 ** 20);
  assert(PAGE.includes(`${mebibytes} MiB when everything is full`));
  const windowMs = Number(maxClientRetryWindowSlots) * slotDurationMs;
  assert(
    PAGE.includes(
      `The defaults sustain ${
        Math.floor(maxOperations * 1000 / windowMs).toLocaleString("en")
      } commands`,
    ),
  );
});
