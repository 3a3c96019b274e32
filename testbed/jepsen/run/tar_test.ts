// Whoever gets an archive unpacks it with whatever his system has: the system's own tar is the judge.
import { assertEquals, assertThrows } from "@std/assert";
import { dirname, join } from "@std/path";
import { filesBelow } from "./hashing.ts";
import { packFiles, tarHeader } from "./tar.ts";

Deno.test("packFiles() writes what the system's tar unpacks, whatever the sizes and names", async () => {
  const root = await Deno.makeTempDir();
  try {
    const long = `${"d".repeat(120)}/${"f".repeat(90)}.log`;
    const sizes = { "empty": 0, "one": 1, "a/block": 512, "a/b/over": 513, [long]: 70_000 };
    for (const [name, size] of Object.entries(sizes)) {
      const path = join(root, "in", name);
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeFile(path, Uint8Array.from({ length: size }, (_, i) => i % 251));
    }
    await packFiles(join(root, "x.tar.gz"), join(root, "in"), Object.keys(sizes), 1_700_000_000);
    await Deno.mkdir(join(root, "out"));
    const args = ["-xzf", join(root, "x.tar.gz"), "-C", join(root, "out")];
    const { code, stderr } = await new Deno.Command("tar", { args }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    assertEquals(await filesBelow(join(root, "out")), Object.keys(sizes).sort());
    for (const name of Object.keys(sizes)) {
      const [packed, unpacked] = await Promise.all(
        ["in", "out"].map((side) => Deno.readFile(join(root, side, name))),
      );
      assertEquals(unpacked, packed);
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("packFiles() of the same files gives the same bytes", async () => {
  const root = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(root, "a"), "x");
    for (const name of ["1.tgz", "2.tgz"]) await packFiles(join(root, name), root, ["a"], 7);
    assertEquals(
      await Deno.readFile(join(root, "1.tgz")),
      await Deno.readFile(join(root, "2.tgz")),
    );
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("tarHeader() refuses a name that the format has no room for", () => {
  assertThrows(() => tarHeader("x".repeat(101), 0, 0), Error, "too long a name");
  assertThrows(() => tarHeader("x", 2 ** 34, 0), Error, "too large");
});
