import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { main } from "../../../cli.ts";
import { testIo } from "../../../tests/support/cli_io.ts";

const SCRIPT = `# A cluster of three has a primary

cluster replicas=3
create resource=1
----
op1 ok lsn=1
`;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly after: string;
}

async function played(text: string, flags: readonly string[] = []): Promise<Ran> {
  const directory = await Deno.makeTempDir();
  const path = join(directory, "script.txt");
  try {
    await Deno.writeTextFile(path, text);
    const io = testIo({}, { terminal: true });
    const code = await main(["sim", "--script", path, ...flags], io);
    const after = await Deno.readTextFile(path);
    return { code, stdout: io.stdout(), stderr: io.stderr(), after };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("sim --script says that a script went as it says", async () => {
  const { code, stdout, after } = await played(SCRIPT);
  assertEquals([code, after], [0, SCRIPT]);
  assertEquals(stdout, "A cluster of three has a primary: as it says\n");
});

Deno.test("sim --script shows the difference, ends with 3 and leaves the file alone", async () => {
  const wrong = SCRIPT.replace("lsn=1", "lsn=7");
  const { code, stdout, stderr, after } = await played(wrong);
  assertEquals([code, after], [3, wrong]);
  assertMatch(stdout, /-op1 ok lsn=7\n\+op1 ok lsn=1\n/);
  assertMatch(stderr, /E_CHECK_FAILED/);
});

Deno.test("sim --script --update writes what happened, and nothing when a promise does not hold", async () => {
  const updated = await played(SCRIPT.replace("lsn=1", "lsn=7"), ["--update"]);
  assertEquals([updated.code, updated.after], [0, SCRIPT]);
  const failing = SCRIPT + "\nexpect primary=none\n";
  const { code, after } = await played(failing, ["--update"]);
  assertEquals([code, after], [3, failing]);
});

Deno.test("sim --script says where a text is no script", async () => {
  const { code, stderr } = await played("# Nothing\n\nfly away\n");
  assertEquals(code, 2);
  assertMatch(stderr, /E_BAD_PLAN.*script\.txt:3/);
});
