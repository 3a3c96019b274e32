// Files as people have them: packed, with another name than their content, cut, missing. Whatever is wrong has to be said in one line
// with the file's name, and a conversion that fails leaves nothing behind.
import { assertEquals, assertLessOrEqual, assertRejects, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { convert } from "../../testbed/jepsen/codec/convert.ts";
import {
  FORMAT_NAMES,
  READ_DEFAULTS,
  type ReadOptions,
} from "../../testbed/jepsen/codec/format.ts";
import { formatNamed } from "../../testbed/jepsen/codec/formats.ts";
import { readHistory } from "../../testbed/jepsen/codec/read.ts";
import { openSource } from "../../testbed/jepsen/codec/source.ts";
import { HistoryError } from "../../testbed/jepsen/history/history_error.ts";
import { readBytes, recordingOf, written } from "./codec_histories.ts";
import { SAMPLE } from "./codec_sample.ts";

const ENCODER = new TextEncoder();

async function withFile(
  content: Uint8Array<ArrayBuffer> | string,
  body: (path: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const path = join(directory, "history");
    await Deno.writeFile(path, typeof content === "string" ? ENCODER.encode(content) : content);
    await body(path);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function packed(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function refusal(path: string, options: ReadOptions = READ_DEFAULTS): Promise<string> {
  const error = await assertRejects(() => readHistory(path, options), HistoryError);
  assertEquals(error.message.includes("\n"), false);
  return error.message.replace(path, "FILE");
}

for (const name of ["cbor", "text", "jsonl", "runbook"] as const) {
  Deno.test(`readHistory() knows ${name} by its content, packed or not`, async () => {
    const bytes = written(SAMPLE, name);
    const expected = readBytes(bytes, formatNamed(name));
    await withFile(bytes, async (path) => {
      assertEquals(await readHistory(path, READ_DEFAULTS), expected);
    });
    await withFile(await packed(bytes), async (path) => {
      assertEquals(await readHistory(path, READ_DEFAULTS), expected);
    });
  });
}

Deno.test("every format of FORMAT_NAMES can be read, and only its own beginning is taken for ours", () => {
  for (const name of FORMAT_NAMES) {
    assertEquals(formatNamed(name).name, name);
    if (formatNamed(name).write === undefined || name === "kv") continue;
    if (name === "edn" || name === "json") continue;
    const head = written(SAMPLE, name).subarray(0, 4_096);
    const takers = FORMAT_NAMES.filter((each) => formatNamed(each).sniff(head));
    assertEquals(takers[0], name);
  }
});

Deno.test("readHistory() says what is wrong with a file as a whole", async () => {
  await withFile("", async (path) => {
    assertEquals((await readHistory(path, READ_DEFAULTS)).notes, ["nothing in it: 0 operations"]);
    assertStringIncludes(await refusal(`${path}.not`), "no such file");
    assertStringIncludes(await refusal(join(path, "..")), "a directory");
  });
  await withFile(" \n\r\n", async (path) => {
    assertEquals((await readHistory(path, READ_DEFAULTS)).events, 0);
  });
  await withFile("once upon a time\n", async (path) => {
    assertEquals(
      await refusal(path),
      `FILE: found the beginning of no format, expected one of ${
        ["cbor", "text", "jsonl", "runbook", "kv", "edn", "log", "json"].join(", ")
      }`,
    );
  });
  const whole = await packed(written(SAMPLE, "text"));
  await withFile(whole.slice(0, whole.length - 20), async (path) => {
    assertStringIncludes(await refusal(path), "FILE: found a damaged or cut gzip file");
  });
});

Deno.test("readHistory() reads standard input, in whatever pieces it comes", async () => {
  const module = new URL("../../testbed/jepsen/codec/read.ts", import.meta.url);
  const script = `const { readHistory } = await import("${module}");` +
    'const { events } = await readHistory("-", { failedOps: "drop", nilRead: "value" }); console.log(events);';
  const config = fromFileUrl(new URL("../../deno.json", import.meta.url));
  const args = ["eval", "--quiet", `--config=${config}`, script];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  const bytes = await packed(written(SAMPLE, "cbor"));
  for (let at = 0; at < bytes.length; at += 50) await writer.write(bytes.slice(at, at + 50));
  await writer.close();
  const { stdout, success } = await child.output();
  assertEquals([success, new TextDecoder().decode(stdout)], [true, "14\n"]);
});

Deno.test("readHistory() reads as the format that it is told", async () => {
  await withFile(written(SAMPLE, "text"), async (path) => {
    const message = await refusal(path, { ...READ_DEFAULTS, format: "runbook" });
    assertStringIncludes(message, "FILE: line 1: found");
    assertStringIncludes(message, "expected version=1");
  });
});

Deno.test("readHistory() refuses a file with more lines that are no events than it may skip", async () => {
  const log =
    "INFO  jepsen.util - 0\t:invoke\t:write\t4\nINFO  jepsen.core - other\nINFO  jepsen.util - 0\t:ok\t:write\t4\n";
  await withFile(log, async (path) => {
    assertEquals((await readHistory(path, READ_DEFAULTS)).skippedLines, 1);
    const strict = { ...READ_DEFAULTS, maxSkipped: 0 };
    assertStringIncludes(await refusal(path, strict), "FILE: line 2: found");
  });
});

Deno.test("convert() loses nothing between our formats and tells what the runbook's cannot say", async () => {
  await withFile(written(SAMPLE, "text"), async (path) => {
    const target = `${path}.cbor`;
    const { losses, events, from } = await convert(path, target, "cbor", READ_DEFAULTS);
    assertEquals([from, events, losses.size], ["text", SAMPLE.events.length, 0]);
    assertEquals(await readHistory(target, READ_DEFAULTS), recordingOf(SAMPLE));
    const other = await convert(target, `${path}.txt`, "runbook", READ_DEFAULTS);
    assertEquals(Object.fromEntries(other.losses), {
      "when operations began": 1,
      "what the header says of the run": 1,
      "faults": 2,
      "what replicas said of themselves": 1,
      "create_resource that it has no words for": 1,
      "views of who answered": 3,
    });
  });
});

Deno.test("convert() writes over nothing, and takes back what it could not finish", async () => {
  await withFile(written(SAMPLE, "text").slice(0, -30), async (path) => {
    const target = `${path}.cbor`;
    await assertRejects(() => convert(path, target, "cbor", READ_DEFAULTS), HistoryError, path);
    await assertRejects(() => Deno.stat(target), Deno.errors.NotFound);
    await Deno.writeTextFile(target, "mine");
    await assertRejects(
      () => convert(path, target, "cbor", READ_DEFAULTS),
      Deno.errors.AlreadyExists,
    );
    assertEquals(await Deno.readTextFile(target), "mine");
  });
});

Deno.test("readHistory() tells what the system says of a thing that cannot be read, such as a socket", async () => {
  const directory = await Deno.makeTempDir();
  const path = join(directory, "socket");
  using _listener = Deno.listen({ transport: "unix", path });
  try {
    const said = await refusal(path);
    assertStringIncludes(said, "FILE: found something that cannot be read (");
    assertStringIncludes(said, "expected a history");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("openSource() unpacks a gzip file in small pieces, however much comes out of it", async () => {
  await withFile(await packed(new Uint8Array(32 * 1_048_576).fill(10)), async (path) => {
    let [bytes, longest] = [0, 0];
    for await (const chunk of (await openSource(path, READ_DEFAULTS)).chunks) {
      bytes += chunk.length;
      longest = Math.max(longest, chunk.length);
    }
    assertEquals(bytes, 32 * 1_048_576);
    assertLessOrEqual(longest, 16 * 1_048_576);
  });
});
