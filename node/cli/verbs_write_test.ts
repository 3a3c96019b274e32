// A write verb must send exactly what was typed, say exactly how it ended, and never leave the caller without a
// safe way to repeat it. Each runs through the whole program against a scripted node.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { main } from "../../cli.ts";
import { RESULT_NAMES, type ResultName } from "../../core/outcome.ts";
import { type Script, type Surroundings, type TestIo, testIo } from "../../tests/support/cli_io.ts";
import type { Rejection } from "../api.ts";
import { type Committed, TransportError, type Unknown } from "../client/types.ts";
import { nameId } from "./ids.ts";

const SEAT = nameId("seat:21A");
const ALICE = nameId("alice");

function committed(code: ResultName, over: Partial<Committed> = {}): Committed {
  return {
    kind: "committed",
    code,
    ok: code === "ok",
    appliedLsn: 12n,
    reservationId: undefined,
    epoch: undefined,
    deadlineSlot: undefined,
    fromRetryCache: false,
    operationId: 0xabc0n,
    ...over,
  };
}

const RESERVED = committed("ok", { reservationId: 12n, epoch: 1n, deadlineSlot: 960n });
const UNKNOWN: Unknown = {
  kind: "unknown",
  reason: "connection_lost",
  message: "the connection was lost",
  operationId: 0xabc0n,
};

async function run(
  line: string,
  script: Script = {},
  surroundings: Surroundings = {},
): Promise<TestIo & { readonly code: number }> {
  const io = testIo(script, surroundings);
  const code = await main(line.split(" "), io);
  return { ...io, code };
}

Deno.test("every write verb sends what was typed", async () => {
  const base = { operationId: 0xabc0n };
  const claim = { ...base, reservationId: 12n, holderId: ALICE, epoch: 1n };
  for (
    const [line, method, command, options] of [
      ["create seat:21A", "create", { ...base, resourceId: SEAT }, {}],
      ["create 0x65 --slot 7", "create", { ...base, resourceId: 101n }, { slot: 7n }],
      [
        "reserve seat:21A --holder alice --ttl 10m",
        "reserve",
        { ...base, ttlMs: 600_000, resourceId: SEAT, holderId: ALICE },
        {},
      ],
      [
        "reserve 1 2 seat:21A --holder alice --ttl 500slots",
        "reserve_bundle",
        { ...base, ttlSlots: 500n, resourceIds: [1n, 2n, SEAT], holderId: ALICE },
        {},
      ],
      ["confirm 12 --holder alice --epoch 1", "confirm", claim, {}],
      ["release 0/12 --holder alice --epoch 1", "release", claim, {}],
      ["revoke 12", "revoke", { ...base, reservationId: 12n }, {}],
      ["reclaim 0xc", "reclaim", { ...base, reservationId: 12n }, {}],
      ["create 1 --operation-id 0x77", "create", { operationId: 0x77n, resourceId: 1n }, {}],
    ] as const
  ) {
    const io = await run(line, { submit: RESERVED });
    assertEquals(io.code, 0, io.stderr());
    assertEquals(io.calls, [{ method, args: [command, options] }]);
    assertEquals([io.openClients(), io.stderr()], [0, ""]);
  }
});

Deno.test("a write takes its server, client and time from flags, then from the environment", async () => {
  const env = { ALLOCDB_SERVER: "h:1,[::1]:2", ALLOCDB_CLIENT: "box", ALLOCDB_HOLDER: "alice" };
  const line = "reserve 1 --ttl 1s";
  const fromEnv = await run(line, { submit: RESERVED }, { env });
  assertEquals(fromEnv.connects, [{
    addresses: ["h:1", "[::1]:2"],
    clientName: "allocdb",
    requestTimeoutMs: 10_000,
    connectTimeoutMs: 3_000,
    clientId: nameId("box"),
  }]);
  const flags = " --server i:3 --client 5 --timeout 250ms --holder bob";
  const fromFlags = await run(line + flags, { submit: RESERVED }, { env });
  assertEquals(fromFlags.connects, [{
    addresses: ["i:3"],
    clientName: "allocdb",
    requestTimeoutMs: 250,
    connectTimeoutMs: 250,
    clientId: 5n,
  }]);
  assertEquals(
    fromFlags.calls[0]?.args[0],
    { operationId: 0xabc0n, ttlMs: 1_000, resourceId: 1n, holderId: nameId("bob") },
  );
});

Deno.test("a write prints its result as kv in a pipe, with none for what is absent", async () => {
  const io = await run("reserve 1 2 --holder 7 --ttl 1s --client 9", { submit: RESERVED });
  assertEquals(
    io.stdout(),
    "result_code=ok\nresource_ids=1,2\nholder_id=7\nreservation_id=12\nepoch=1\ndeadline_slot=960\n" +
      "applied_lsn=12\nfrom_retry_cache=false\noperation_id=43968\nclient_id=9\n",
  );
  const busy = await run("reserve 1 --holder 7 --ttl 1s", { submit: committed("resource_busy") });
  assertMatch(busy.stdout(), /^reservation_id=none$/m);
});

Deno.test("a write prints JSON whose 64 and 128-bit numbers are strings", async () => {
  const id = 2n ** 127n + 1n;
  const submit = committed("ok", { reservationId: id, epoch: 2n ** 64n - 1n, deadlineSlot: 9n });
  const io = await run(`reserve ${id} --holder 7 --ttl 1s --client 9 --json`, { submit });
  assertEquals(JSON.parse(io.stdout()), {
    result_code: "ok",
    resource_ids: [`${id}`],
    holder_id: "7",
    reservation_id: `${id}`,
    epoch: "18446744073709551615",
    deadline_slot: "9",
    applied_lsn: "12",
    from_retry_cache: false,
    operation_id: "43968",
    client_id: "9",
  });
});

Deno.test("--quiet prints the one value that matters, --ids hex shows it in hex", async () => {
  const line = "reserve 1 --holder 7 --ttl 1s -q";
  assertEquals((await run(line, { submit: RESERVED })).stdout(), "12\n");
  assertEquals((await run(`${line} --ids hex`, { submit: RESERVED })).stdout(), "0xc\n");
  assertEquals((await run("create 101 -q", { submit: RESERVED })).stdout(), "101\n");
  assertEquals((await run("revoke 12 -q", { submit: RESERVED })).stdout(), "");
  const busy = await run(line, { submit: committed("resource_busy") });
  assertEquals([busy.code, busy.stdout()], [1, ""]);
});

Deno.test("every committed result but ok is printed and exits with 1 and its own code", async () => {
  for (const name of RESULT_NAMES) {
    if (name === "none" || name === "ok" || name === "noop") continue;
    const io = await run("reserve seat:21A --holder 7 --ttl 1s --json", {
      submit: committed(name),
    });
    assertEquals(io.code, 1);
    assertEquals(JSON.parse(io.stdout()).result_code, name);
    const { ok, error } = JSON.parse(io.stderr());
    assertEquals([ok, error.code, error.exit], [false, `E_${name.toUpperCase()}`, 1]);
    assertEquals(error.context, { result_code: name, applied_lsn: "12" });
    assert(error.hint.length > 0);
  }
});

Deno.test("a busy resource comes with the command that shows who holds it", async () => {
  const io = await run("reserve seat:21A --holder 7 --ttl 1s", {
    submit: committed("resource_busy"),
  });
  assertEquals(
    io.stderr(),
    "error[E_RESOURCE_BUSY]: reserve failed: resource_busy\n" +
      "  hint: see who holds it: allocdb get seat:21A\n",
  );
});

Deno.test("every definite rejection prints no result and exits with its own code", async () => {
  const slots = { requestSlot: 5n, lastRequestSlot: 9n, slotMax: 4n, delta: 2n ** 64n - 1n };
  const cases: readonly (readonly [Rejection & { category: "definite" }, string, number])[] = [
    [
      { category: "definite", code: "invalid_request", reason: "invalid_layout" },
      "E_INVALID_REQUEST",
      1,
    ],
    [{ category: "definite", code: "slot_overflow", kind: 1, ...slots }, "E_SLOT_OVERFLOW", 1],
    [{ category: "definite", code: "slot_rewound", ...slots }, "E_SLOT_REWOUND", 1],
    [{ category: "definite", code: "slot_too_far", ...slots }, "E_SLOT_TOO_FAR", 1],
    [
      {
        category: "definite",
        code: "command_too_large",
        encodedLen: 5_000,
        maxCommandBytes: 4_096,
      },
      "E_COMMAND_TOO_LARGE",
      1,
    ],
    [
      { category: "definite", code: "lsn_exhausted", lastAppliedLsn: 2n ** 64n - 1n },
      "E_LSN_EXHAUSTED",
      1,
    ],
    [
      { category: "definite", code: "overloaded", queueDepth: 64, queueCapacity: 64 },
      "E_OVERLOADED",
      1,
    ],
    [{ category: "definite", code: "shutting_down" }, "E_SHUTTING_DOWN", 4],
    [{ category: "definite", code: "not_primary", view: 3n, primary: 2n }, "E_NOT_PRIMARY", 4],
  ];
  for (const [rejection, code, exit] of cases) {
    const submit = { kind: "rejected", rejection, operationId: 1n } as const;
    const io = await run("create 1 --json", { submit });
    const { error } = JSON.parse(io.stderr());
    assertEquals([io.code, error.code, error.exit, io.stdout()], [exit, code, exit, ""]);
  }
});

Deno.test("a write that never left says so: exit 4, not 6", async () => {
  const rejection = {
    category: "definite",
    code: "not_sent",
    reason: "unreachable",
    message: "no server answered",
  } as const;
  const io = await run("create 1", { submit: { kind: "rejected", rejection, operationId: 1n } });
  assertEquals(io.code, 4);
  assertMatch(io.stderr(), /^error\[E_UNREACHABLE\]: no server answered\n/);
});

Deno.test("an unknown outcome exits with 6 and a command that repeats it safely", async () => {
  const line = "--timeout 2s reserve seat:21A --holder it's --ttl=10m --client 9 -- seat:21B";
  const first = await run(line, { submit: UNKNOWN });
  assertEquals([first.code, first.stdout()], [6, ""]);
  assertMatch(first.stderr(), /^error\[E_INDEFINITE\]: the connection was lost; it may or may not/);
  const pasted = /again is safe: allocdb (.*)\n/.exec(first.stderr())?.[1];
  assert(pasted !== undefined);
  const words = await new Deno.Command("sh", { args: ["-c", `printf '%s\\n' ${pasted}`] }).output();
  const argv = new TextDecoder().decode(words.stdout).trimEnd().split("\n");
  const io = testIo({ submit: RESERVED });
  assertEquals(await main(argv, io), 0);
  assertEquals(io.connects, first.connects);
  assertEquals(io.calls, first.calls);
});

Deno.test("an unknown outcome in JSON carries the ids and says that the same id may be retried", async () => {
  const io = await run("create 1 --json --client 9 --operation-id 8", { submit: UNKNOWN });
  const { error } = JSON.parse(io.stderr());
  assertEquals([error.retry, error.context.client_id], ["same_id", "9"]);
  assertEquals(
    error.context.retry_command,
    "allocdb create --client 0x9 --operation-id 0x8 1 --json",
  );
});

Deno.test("Ctrl-C while a write is under way exits with 130 and the command that repeats it", async () => {
  let io = testIo();
  const submit = (): Promise<Committed> => {
    io.interrupt();
    return new Promise(() => {});
  };
  io = testIo({ submit });
  assertEquals(await main(["create", "1"], io), 130);
  assertMatch(
    io.stderr(),
    /^error\[E_INTERRUPTED\]: interrupted; it may or may not have happened\n/,
  );
  assertMatch(io.stderr(), /--operation-id 0xabc0/);
});

Deno.test("an unreachable server exits with 4, another cluster with 1", async () => {
  for (
    const [code, exit, name] of [
      ["unreachable", 4, "E_UNREACHABLE"],
      ["timeout", 4, "E_UNREACHABLE"],
      ["connection_lost", 4, "E_UNREACHABLE"],
      ["wrong_cluster", 1, "E_WRONG_CLUSTER"],
      ["wrong_version", 1, "E_PROTOCOL"],
      ["protocol_error", 1, "E_PROTOCOL"],
      ["refused", 1, "E_REFUSED"],
    ] as const
  ) {
    const io = await run("create 1", { connect: new TransportError(code, "told so") });
    assertEquals(io.code, exit);
    assertMatch(io.stderr(), new RegExp(`^error\\[${name}\\]: told so\n  hint: `));
  }
});

Deno.test("a write with a missing or malformed value connects to nobody", async () => {
  for (
    const [line, code] of [
      ["create", "E_USAGE"],
      ["create 1 2", "E_USAGE"],
      ["reserve --holder 7 --ttl 1s", "E_USAGE"],
      ["reserve 1 --ttl 1s", "E_USAGE"],
      ["reserve 1 --holder 7", "E_USAGE"],
      ["reserve 1 --holder 7 --ttl 30", "E_BAD_DURATION"],
      ["reserve 1 --holder 0x --ttl 1s", "E_BAD_ID"],
      ["confirm 12 --holder 7", "E_USAGE"],
      ["confirm 12 --holder 7 --epoch one", "E_BAD_NUMBER"],
      ["confirm seat:21A --holder 7 --epoch 1", "E_BAD_ID"],
      ["revoke 12 --holder 7", "E_USAGE"],
      ["create 1 --slot -1", "E_USAGE"],
      ["create 1 --slot 18446744073709551616", "E_BAD_NUMBER"],
      ["create 1 --server nowhere", "E_BAD_ADDRESS"],
      ["create 1 --timeout 999999h", "E_BAD_DURATION"],
      ["create 1 --timeout 600h", "E_BAD_DURATION"],
      ["create 1 --operation-id 1_0", "E_BAD_ID"],
    ] as const
  ) {
    const io = await run(line);
    assertEquals([io.code, io.connects.length, io.stdout()], [2, 0, ""], line);
    assertMatch(io.stderr(), new RegExp(`^error\\[${code}\\]: .*\n  hint: .*\n$`));
  }
});

Deno.test("at a terminal a reserve prints a table, and how to confirm on standard error", async () => {
  const line = "reserve seat:21A --holder alice --ttl 1s";
  const io = await run(line, { submit: RESERVED }, { terminal: true });
  assertEquals(
    io.stdout(),
    "result_code       ok\nresource          seat:21A\nholder            alice\n" +
      "reservation_id    12\nepoch             1\ndeadline_slot     960\n" +
      "applied_lsn       12\nfrom_retry_cache  false\n",
  );
  assertEquals(io.stderr(), "next: allocdb confirm 12 --holder alice --epoch 1\n");
});
