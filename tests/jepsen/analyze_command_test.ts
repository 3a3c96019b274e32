// `jepsen analyze` as it is typed: a line for each file, the worst of them as exit code, and files that say the same again.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { main } from "../../cli.ts";
import { testIo } from "../support/cli_io.ts";

const HISTORIES = fromFileUrl(new URL("histories", import.meta.url));
const VALID = join(HISTORIES, "etcd_002.log");
const INVALID = join(HISTORIES, "etcd_000.log");
const OTHER_MODEL = join(HISTORIES, "c01-ok.txt");

async function jepsen(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = testIo();
  const code = await main(["jepsen", ...argv], io);
  return { code, out: io.stdout(), err: io.stderr() };
}

async function inDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("analyze exits with the worst of its files: invalid, unreadable, unknown, too little, valid", async () => {
  await inDirectory(async (directory) => {
    const [empty, broken, wanting] = ["empty", "broken", "wanting.json"]
      .map((name) => join(directory, name)) as [string, string, string];
    Deno.writeTextFileSync(empty, "");
    Deno.writeTextFileSync(broken, "allocdb-history version=1 model=register\nnonsense\n");
    Deno.writeTextFileSync(wanting, '{"widest_concurrency": 1000}');
    const poor = ["--min-coverage", wanting];
    const cases: readonly (readonly [number, readonly string[]])[] = [
      [0, [VALID]],
      [66, [VALID, ...poor]],
      [6, [VALID, empty, ...poor]],
      [65, [VALID, empty, broken, ...poor]],
      [65, [join(directory, "none")]],
      [3, [VALID, empty, broken, INVALID, ...poor]],
    ];
    for (const [code, argv] of cases) {
      const ran = await jepsen("analyze", ...argv);
      assertEquals(ran.code, code, `${argv}: ${ran.err}`);
      const lines = ran.out.split("\n").filter((line) => /^\S.*\t/.test(line));
      assertEquals(lines.length, argv.filter((word) => !poor.includes(word)).length);
    }
  });
});

Deno.test("analyze says what a file is not, in one line with the place", async () => {
  const { code, out } = await jepsen("analyze", OTHER_MODEL, "--model", "cas-register");
  assertEquals(code, 65);
  assertStringIncludes(out, 'line 1: found the operation "append", expected an operation of');
  assertEquals(out.split("\n").length, 2);
});

Deno.test("the counterexample of an invalid history is a smaller one that is invalid, too", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "counterexample.txt");
    await jepsen("analyze", INVALID, "--counterexample", file);
    const again = await jepsen("analyze", file);
    assertEquals(again.code, 3);
    const [, , , events] = again.out.split("\t");
    assert(Number(events) < 40, events);
  });
});

Deno.test("the report of a history is the same bytes each time", async () => {
  await inDirectory(async (directory) => {
    const texts = [];
    for (const name of ["a", "b"]) {
      await jepsen("analyze", INVALID, "--report", join(directory, name));
      texts.push(
        ["report.html", "report.json", "summary.txt", "junit.xml"].map((file) =>
          Deno.readTextFileSync(join(directory, name, file))
        ),
      );
    }
    assertEquals(texts[0], texts[1]);
  });
});

Deno.test("analyze prints the release gate's report for --history-file", async () => {
  const { out } = await jepsen("analyze", "--history-file", INVALID);
  for (const words of ["release_gate=blocked", "blockers=1", "blocker=linearizability"]) {
    assertStringIncludes(out, `\n${words}`);
  }
});

Deno.test("convert writes what can be read again, and nothing over a file that is there", async () => {
  await inDirectory(async (directory) => {
    const [cbor, edn] = [join(directory, "h.cbor"), join(directory, "h.edn")];
    assertEquals((await jepsen("convert", INVALID, cbor)).code, 0);
    assertEquals((await jepsen("convert", cbor, edn)).code, 0);
    const ran = await jepsen("analyze", cbor, edn);
    assertEquals(ran.out.split("\n").filter((line) => line.includes("\tinvalid\t")).length, 2);
    const again = await jepsen("convert", INVALID, cbor);
    assertStringIncludes(again.err, "E_FILE_EXISTS");
    assertEquals((await jepsen("convert", INVALID, join(directory, "h.txt"))).code, 2);
  });
});

/** Two holders want one resource at the same time; `answer` is what the second is told. */
function contention(answer: string): string {
  return [
    "allocdb-history version=1 model=reservation initial_resource_ids=7",
    "invoke process=1 operation=reserve client_id=1 operation_id=1 resource_id=7 holder_id=1 ttl_slots=50",
    "invoke process=2 operation=reserve client_id=2 operation_id=1 resource_id=7 holder_id=2 ttl_slots=50",
    "ok process=1 answer=applied code=ok reservation_id=1 epoch=1 deadline_slot=60",
    `ok process=2 answer=applied ${answer}`,
    "end events=4",
    "",
  ].join("\n");
}

Deno.test("a certificate proves its verdict, and none of another history", async () => {
  await inDirectory(async (directory) => {
    const [file, lie, proof] = ["valid.txt", "lie.txt", "proof.json"]
      .map((name) => join(directory, name)) as [string, string, string];
    Deno.writeTextFileSync(file, contention("code=resource_busy"));
    Deno.writeTextFileSync(lie, contention("code=resource_not_found"));
    const made = await jepsen("analyze", file, "--certificate", proof);
    assertEquals(made.code, 0, made.out + made.err);
    const about = (history: string): Promise<{ code: number; out: string; err: string }> =>
      jepsen("verify", "--certificate", proof, "--history-file", history);
    assertEquals((await about(file)).code, 0);
    assertEquals((await about(lie)).code, 3);
    Deno.writeTextFileSync(proof, '{"format":"allocdb-certificate","version":2}');
    assertEquals((await about(file)).code, 2);
    assertEquals((await jepsen("analyze", VALID, "--certificate", proof)).code, 2);
  });
});

Deno.test("analyze explains which of two had to be first", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "valid.txt");
    Deno.writeTextFileSync(file, contention("code=resource_busy"));
    const { code, out } = await jepsen("analyze", file, "--explain", "1");
    assertEquals(code, 0);
    assertStringIncludes(out, "reserve of resource 7 for holder 2 by process 2, on resources 7:");
    assertStringIncludes(out, "comes after the reserve of resource 7 for holder 1 by process 1");
    assertEquals((await jepsen("analyze", file, "--explain", "2")).code, 2);
  });
});

Deno.test("--min-coverage that is no object of figures, or has no end, is told; a figure that is none is called so", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "minimum.json");
    for (const text of ["[]", "3", '{"reads": -1}', '{"reads": 1e999}', '{"reads": "1"}', ""]) {
      await Deno.writeTextFile(file, text);
      const { code, err } = await jepsen("analyze", INVALID, "--min-coverage", file);
      assertEquals(code, 2, text);
      assertStringIncludes(err, "E_BAD_CONFIG");
    }
    assertEquals((await jepsen("analyze", INVALID, "--min-coverage", "/dev/zero")).code, 2);
    await Deno.writeTextFile(file, '{"nonsense": 3}');
    const { out } = await jepsen("analyze", INVALID, "--min-coverage", file);
    assertStringIncludes(out, "nonsense is no figure of this history, which has ");
  });
});

Deno.test("analyze goes on with the others when one of the files cannot even be opened", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "socket\n");
    using _listener = Deno.listen({ transport: "unix", path });
    const { code, out } = await jepsen("analyze", path, directory, INVALID);
    assertEquals(code, 3);
    assertEquals(out.split("\n").filter((line) => line.includes("\tunreadable\t")).length, 2);
    assertStringIncludes(out, "\tinvalid\t");
  });
});

Deno.test("convert tells a missing directory as such; serve takes no address of others, and takes no file for a directory", async () => {
  await inDirectory(async (directory) => {
    const missing = await jepsen("convert", INVALID, join(directory, "no", "h.cbor"));
    assertEquals([missing.code, missing.err.includes("E_BUG")], [1, false]);
    assertEquals((await jepsen("serve", INVALID)).code, 1);
    const elsewhere = await jepsen("serve", directory, "--listen", "192.0.2.1:0");
    assertStringIncludes(elsewhere.err, "E_BAD_ADDRESS");
  });
});
