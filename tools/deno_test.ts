// Everybody's first command is ./tools/deno. It is run here with an empty cache and a PATH of our
// own, where `npm` and `deno` are small scripts, so that each way to find Deno is taken on purpose.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";

const SCRIPT = fromFileUrl(new URL("./deno", import.meta.url));
const VERSION = (await Deno.readTextFile(`${SCRIPT}.version`)).trim();
const UTILITIES = [
  "cat",
  "chmod",
  "dirname",
  "find",
  "mkdir",
  "mktemp",
  "mv",
  "readlink",
  "rm",
  "uname",
];

/** A stand-in for Deno: answers the version probe, and says who it is and what it was given. */
const fakeDeno = (version: string, name: string): string =>
  `#!/bin/sh
case $1 in eval) echo "${version} $0" ;; *) echo "${name} $*" ;; esac
`;

/** A stand-in for npm: "installs" `deno` the way npm does when it skips install scripts. */
const fakeNpm = (deno: string): string =>
  `#!/bin/sh
case $1 in
  config) echo https://registry.example/ ;;
  install) mkdir -p "$3/node_modules/@deno/some-platform"
    cat > "$3/node_modules/@deno/some-platform/deno" <<'END'
${deno}END
  ;;
esac
`;

interface Sandbox {
  readonly root: string;
  readonly env: Record<string, string>;
}

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Prepares a PATH with the utilities and the given commands, and removes it after `use`. */
async function withCommands(
  commands: Record<string, string>,
  use: (sandbox: Sandbox) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/bin`);
    for (const name of UTILITIES) await Deno.symlink(await which(name), `${root}/bin/${name}`);
    for (const [name, text] of Object.entries(commands)) {
      await Deno.writeTextFile(`${root}/bin/${name}`, text, { mode: 0o755 });
    }
    await use({ root, env: { PATH: `${root}/bin`, HOME: root } });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function which(name: string): Promise<string> {
  for (const folder of ["/usr/bin", "/bin"]) {
    const path = `${folder}/${name}`;
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  throw new Error(`${name} is not on this machine`);
}

async function run({ root, env }: Sandbox, ...args: string[]): Promise<Result> {
  const command = new Deno.Command("/bin/sh", {
    args: [SCRIPT, ...args],
    cwd: root,
    env,
    clearEnv: true,
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).trim();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

const PINNED = fakeDeno(VERSION, "pinned");
const OTHER = fakeDeno("1.0.0", "other");

Deno.test("tools/deno fetches the pinned Deno once, past one of another version", async () => {
  await withCommands({ npm: fakeNpm(PINNED), deno: OTHER }, async (sandbox) => {
    const first = await run(sandbox, "test", "a b");
    assertEquals([first.code, first.stdout], [0, "pinned test a b"]);
    assertStringIncludes(first.stderr, `Fetching Deno ${VERSION}`);
    assertEquals(await run(sandbox, "check"), { code: 0, stdout: "pinned check", stderr: "" });
  });
});

Deno.test("tools/deno leaves one whole executable when several start at once", async () => {
  await withCommands({ npm: fakeNpm(PINNED) }, async (sandbox) => {
    const results = await Promise.all([1, 2, 3, 4].map((n) => run(sandbox, `${n}`)));
    assertEquals(results.map(({ stdout }) => stdout), [1, 2, 3, 4].map((n) => `pinned ${n}`));
    const cache = `${sandbox.root}/.cache/allocdb`;
    const names = (await Array.fromAsync(Deno.readDir(cache))).map(({ name }) => name).sort();
    assertEquals(names, [`deno-${VERSION}`, "npm-registry"]);
    assertEquals((await Array.fromAsync(Deno.readDir(`${cache}/deno-${VERSION}`))).length, 1);
  });
});

Deno.test("tools/deno takes a deno on PATH of the pinned version without npm", async () => {
  await withCommands({ deno: PINNED }, async (sandbox) => {
    assertEquals(await run(sandbox, "x"), { code: 0, stdout: "pinned x", stderr: "" });
  });
});

Deno.test("tools/deno obeys ALLOCDB_DENO, and says so when it cannot", async () => {
  await withCommands(
    { deno: PINNED, mine: fakeDeno(VERSION, "mine"), other: OTHER },
    async (box) => {
      const ask = (name: string) =>
        run({ ...box, env: { ...box.env, ALLOCDB_DENO: `${box.root}/bin/${name}` } }, "x");
      assertEquals((await ask("mine")).stdout, "mine x");
      const ignored = await ask("other");
      assertEquals(ignored.stdout, "pinned x");
      assertStringIncludes(ignored.stderr, "note: ALLOCDB_DENO is not");
    },
  );
});

Deno.test("tools/deno explains itself where there is neither npm nor a usable deno", async () => {
  await withCommands({ deno: OTHER }, async (sandbox) => {
    const { code, stdout, stderr } = await run(sandbox, "x");
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "there is no npm to fetch it");
    assertStringIncludes(stderr, "hint: install Node.js");
    const homeless = await run({ ...sandbox, env: { PATH: sandbox.env.PATH! } }, "x");
    assertStringIncludes(homeless.stderr, "hint: set ALLOCDB_CACHE");
  });
});

Deno.test("tools/deno refuses what npm brings when it is not the pinned version", async () => {
  await withCommands({ npm: fakeNpm(OTHER) }, async (sandbox) => {
    const { code, stderr } = await run(sandbox, "x");
    assertEquals(code, 1);
    assertStringIncludes(stderr, `npm has no Deno ${VERSION}`);
  });
});

Deno.test("tools/deno survives being found on PATH under the name deno", async () => {
  await withCommands({}, async (sandbox) => {
    await Deno.symlink(SCRIPT, `${sandbox.root}/bin/deno`);
    assertEquals((await run(sandbox, "x")).code, 1);
  });
});

Deno.test("tools/deno hands npm's registry and quiet defaults to Deno, and keeps what is set", async () => {
  const printing = `#!/bin/sh
[ "$1" = eval ] && echo "${VERSION} $0" && exit
echo "$NPM_CONFIG_REGISTRY $DENO_TLS_CA_STORE $DENO_NO_UPDATE_CHECK $RUST_BACKTRACE"
`;
  await withCommands({ npm: fakeNpm(""), deno: printing }, async (sandbox) => {
    assertEquals((await run(sandbox, "x")).stdout, "https://registry.example/ system 1 0");
    const set = {
      NPM_CONFIG_REGISTRY: "http://mine/",
      DENO_TLS_CA_STORE: "mozilla",
      RUST_BACKTRACE: "1",
    };
    const kept = await run({ ...sandbox, env: { ...sandbox.env, ...set } }, "x");
    assertEquals(kept.stdout, "http://mine/ mozilla 1 1");
  });
});
