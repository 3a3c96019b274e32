// The stand-ins in std/ must behave like the packages they stand for. The same tests run against the
// real ones with `deno task test:online`.
import { assert, assertEquals, AssertionError, assertRejects, assertThrows } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { copy, emptyDir, ensureDir, ensureFile, exists, move, walk } from "@std/fs";
import { basename, dirname, fromFileUrl, join, relative, toFileUrl } from "@std/path";

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("assert() narrows a type and throws AssertionError", () => {
  const found: string | undefined = ["x"].at(0);
  assert(found !== undefined);
  assertEquals(found.length, 1);
  assertThrows(() => assert(false, "no"), AssertionError, "no");
});

Deno.test("parseArgs() types flags by their kind and calls unknown() for the rest", () => {
  const unknown: string[] = [];
  const { json, dir, _: rest } = parseArgs(["--json", "--dir", "a", "b", "--odd"], {
    boolean: ["json"],
    string: ["dir"],
    unknown: (argument: string) => {
      unknown.push(argument);
      return argument === "b";
    },
  });
  const typed: [boolean, string | undefined] = [json, dir];
  assertEquals([typed, rest, unknown], [[true, "a"], ["b"], ["b", "--odd"]]);
});

Deno.test("paths survive the way to a URL and back", () => {
  const path = join("/a", "..", "b c", "d%.ts");
  assertEquals([path, fromFileUrl(toFileUrl(path))], ["/b c/d%.ts", path]);
  assertEquals([dirname(path), basename(path), relative("/b c", path)], ["/b c", "d%.ts", "d%.ts"]);
});

Deno.test("copy() refuses to overwrite unless told to", async () => {
  await withDirectory(async (directory) => {
    const [from, to] = [join(directory, "from"), join(directory, "to")];
    await ensureDir(join(from, "deep"));
    await Deno.writeTextFile(join(from, "deep", "file"), "1");
    await copy(from, to);
    await assertRejects(() => copy(from, to), Deno.errors.AlreadyExists);
    await Deno.writeTextFile(join(from, "deep", "file"), "2");
    await copy(from, to, { overwrite: true });
    assertEquals(await Deno.readTextFile(join(to, "deep", "file")), "2");
  });
});

Deno.test("copy() keeps links as links and refuses to copy a directory into itself", async () => {
  await withDirectory(async (directory) => {
    const [from, to] = [join(directory, "from"), join(directory, "to")];
    await ensureDir(from);
    await Deno.symlink("nowhere", join(from, "link"));
    await copy(from, to);
    assertEquals(await Deno.readLink(join(to, "link")), "nowhere");
    await assertRejects(() => copy(from, join(from, "in")), Error, "subdirectory of itself");
  });
});

Deno.test("move() renames, and emptyDir() leaves the directory itself", async () => {
  await withDirectory(async (directory) => {
    await ensureFile(join(directory, "a", "file"));
    await move(join(directory, "a"), join(directory, "b"));
    assertEquals(await exists(join(directory, "a")), false);
    assertEquals(await exists(join(directory, "b", "file"), { isFile: true }), true);
    assertEquals(await exists(join(directory, "b"), { isFile: true }), false);
    await emptyDir(directory);
    assertEquals(await Array.fromAsync(Deno.readDir(directory)), []);
  });
});

Deno.test("walk() filters by extension, depth and skipped paths", async () => {
  await withDirectory(async (directory) => {
    for (const path of ["a.ts", "b.js", "in/c.ts", "in/deep/d.ts", "skip/e.ts"]) {
      await ensureFile(join(directory, path));
    }
    const options = { exts: [".ts"], includeDirs: false, maxDepth: 2, skip: [/skip/] };
    const found = await Array.fromAsync(walk(directory, options), ({ path }) => path);
    assertEquals(found.map((path) => relative(directory, path)).sort(), ["a.ts", "in/c.ts"]);
  });
});
