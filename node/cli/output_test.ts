// One record, four looks. What a program reads must be parseable whatever the values hold.
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Data, flatten, Id, renderReport, type Style } from "./output.ts";

const STYLE: Style = { format: "kv", quiet: false, ids: "decimal" };
const RECORD: Data = {
  result_code: "ok",
  resource_ids: [new Id(1n), new Id(255n)],
  slot: 2n ** 64n - 1n,
  wal: { bytes: 4_096, age_ms: undefined, sync: { last_ms: 0.4 } },
  halted: false,
};

Deno.test("renderReport() shows a record in every format", async () => {
  assertEquals(
    await renderReport({ data: RECORD }, { ...STYLE, ids: "hex" }),
    "result_code=ok\nresource_ids=0x1,0xff\nslot=18446744073709551615\nwal.bytes=4096\n" +
      "wal.age_ms=none\nwal.sync.last_ms=0.4\nhalted=false\n",
  );
  assertEquals(
    await renderReport({ data: RECORD }, { ...STYLE, format: "ndjson" }),
    '{"result_code":"ok","resource_ids":["1","255"],"slot":"18446744073709551615",' +
      '"wal":{"bytes":4096,"age_ms":null,"sync":{"last_ms":0.4}},"halted":false}\n',
  );
  assertEquals(
    await renderReport({ data: RECORD }, { ...STYLE, format: "table" }),
    "result_code       ok\nresource_ids      1,255\nslot              18446744073709551615\n" +
      "wal.bytes         4096\nwal.age_ms        none\nwal.sync.last_ms  0.4\nhalted            false\n",
  );
});

Deno.test("renderReport() with quiet prints one line or nothing", async () => {
  const quiet = { ...STYLE, quiet: true };
  assertEquals(await renderReport({ data: RECORD, quiet: new Id(12n) }, quiet), "12\n");
  assertEquals(await renderReport({ data: RECORD }, quiet), "");
});

const data = fc.dictionary(
  fc.stringMatching(/^[a-z_]{1,8}$/),
  fc.oneof(fc.string({ unit: "binary" }), fc.bigInt(), fc.boolean(), fc.constant(undefined)),
  { minKeys: 1, maxKeys: 5, noNullPrototype: true },
);

Deno.test("renderReport() keeps to one line per key, whatever the values hold", async () => {
  await fc.assert(
    fc.asyncProperty(data, fc.constantFrom("kv", "table"), async (record, format) => {
      const text = await renderReport({ data: record }, { ...STYLE, format });
      assertEquals(text.split("\n").length - 1, flatten(record).length);
      assertEquals(/[^\P{C}\n]/u.test(text), false);
    }),
    { seed: 26, numRuns: 200 },
  );
});

Deno.test("renderReport() as JSON gives back texts and exact numbers", async () => {
  await fc.assert(
    fc.asyncProperty(data, async (record) => {
      const text = await renderReport({ data: record }, { ...STYLE, format: "json" });
      const expected = Object.entries(record).map(([key, value]) => [
        key,
        typeof value === "bigint" ? String(value) : value ?? null,
      ]);
      assertEquals(JSON.parse(text), Object.fromEntries(expected));
      assertEquals(/[^\P{Cc}\n]|\p{Zl}|\p{Zp}/u.test(text), false);
    }),
    { seed: 27, numRuns: 200 },
  );
});
