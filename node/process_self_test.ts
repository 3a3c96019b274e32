// A server in a process of its own: what its starter learns from it, and that it never leaves one behind.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { CliError } from "./errors.ts";
import { type Program, ServerProcess } from "./process_self.ts";

const CLI = fromFileUrl(new URL("../cli.ts", import.meta.url));
const SELF: Program = { path: Deno.execPath(), args: ["run", "--allow-all", CLI] };

function isAlive(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
  } catch {
    return false;
  }
}

async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function flags(directory: string): string[] {
  return ["--data", `${directory}/data`, "--listen", "127.0.0.1:0", "--profile", "small"];
}

Deno.test("ServerProcess stops when it is disposed of, and after a kill finds its data again", async () => {
  await withDirectory(async (directory) => {
    const first = await ServerProcess.start(SELF, flags(directory));
    assertEquals(first.serving.startupKind, "fresh_start");
    assert(isAlive(first.serving.pid));
    await first.kill();
    assert(!isAlive(first.serving.pid));
    let pid = 0;
    {
      await using second = await ServerProcess.start(SELF, flags(directory));
      pid = second.serving.pid;
      const [hostname, port] = second.serving.listen.split(":");
      (await Deno.connect({ hostname: hostname!, port: Number(port) })).close();
    }
    assert(!isAlive(pid));
  });
});

Deno.test("ServerProcess.start() reports the last words of a server that refuses to start", async () => {
  await withDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/data`);
    await Deno.writeTextFile(`${directory}/data/letter.txt`, "not ours");
    const error = await assertRejects(() => ServerProcess.start(SELF, flags(directory)), CliError);
    assertEquals(error.code, "E_IO");
    assert(error.message.includes("letter.txt"), error.message);
  });
});

Deno.test("ServerProcess.stop() after the process has ended answers its exit code", async () => {
  await withDirectory(async (directory) => {
    const server = await ServerProcess.start(SELF, flags(directory));
    assertEquals(await server.stop(), await server.stop());
  });
});

Deno.test("a program that was started by one that was started by itself starts none: the chain ends", async () => {
  const { code, stderr } = await new Deno.Command(SELF.path, {
    args: [...SELF.args, "demo", "--fast"],
    env: { ALLOCDB_DEPTH: "2" },
    stdin: "null",
  }).output();
  assertEquals(code, 70);
  assert(new TextDecoder().decode(stderr).includes("was about to start itself"));
});
