// Two configurations that drift apart would give two different programs under one name.
import { assertEquals } from "@std/assert";

async function readConfig(name: string): Promise<Record<string, unknown>> {
  return JSON.parse(await Deno.readTextFile(new URL(`../${name}`, import.meta.url)));
}

Deno.test("deno.online.json is deno.json without the stand-ins for @std", async () => {
  const { links, exclude, ...offline } = await readConfig("deno.json");
  const { exclude: onlineExclude, ...online } = await readConfig("deno.online.json");
  assertEquals(online, offline);
  assertEquals(onlineExclude, [...exclude as string[], "std"]);
  assertEquals((links as string[]).every((link) => link.startsWith("./std/")), true);
});

Deno.test("every stand-in for @std is linked and imported under its JSR name", async () => {
  const { links, imports } = await readConfig("deno.json");
  const folders = await Array.fromAsync(Deno.readDir(new URL("../std", import.meta.url)));
  const names = folders.map(({ name }) => name).sort();
  assertEquals(links, names.map((name) => `./std/${name}`));
  for (const name of names) {
    const { name: own, version } = await readConfig(`std/${name}/deno.json`);
    assertEquals(own, `@std/${name}`);
    assertEquals(String(version).startsWith("1."), true);
    assertEquals((imports as Record<string, string>)[`@std/${name}`], `jsr:@std/${name}@^1.0.0`);
  }
});
