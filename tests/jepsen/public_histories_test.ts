// Histories that others recorded and judged, read from their files and judged by us: the verdicts have to be theirs.
import { assertEquals } from "@std/assert";
import { checkModel } from "../../testbed/jepsen/analysis/models/check.ts";
import type { ModelOptions } from "../../testbed/jepsen/analysis/models/verdict.ts";
import { convert } from "../../testbed/jepsen/codec/convert.ts";
import type { FormatName, ReadOptions } from "../../testbed/jepsen/codec/format.ts";
import { readHistory } from "../../testbed/jepsen/codec/read.ts";
import type { ModelName } from "../../testbed/jepsen/history/model.ts";

type Known = readonly [
  file: string,
  format: FormatName,
  operations: number,
  verdict: "valid" | "invalid",
  how: Pick<ModelOptions, "model" | "init" | "nilRead">,
];

const ETCD = { model: "cas-register", nilRead: "value" } as const;
const KNOSSOS = { model: "cas-register", init: 0n, nilRead: "unknown" } as const;

/** Verdicts and their sources: histories/README.md. */
const KNOWN: readonly Known[] = [
  ["etcd_000.log", "log", 85, "invalid", ETCD],
  ["etcd_001.log", "log", 86, "invalid", ETCD],
  ["etcd_002.log", "log", 77, "valid", ETCD],
  ["etcd_007.log", "log", 81, "valid", ETCD],
  ["etcd_010.log", "log", 84, "invalid", ETCD],
  ["etcd_020.log", "log", 84, "invalid", ETCD],
  ["etcd_075.log", "log", 84, "valid", ETCD],
  ["c01-ok.txt", "kv", 58, "valid", { model: "kv" }],
  ["c01-bad.txt", "kv", 38, "invalid", { model: "kv" }],
  ["cas-failure.edn", "edn", 291, "invalid", KNOSSOS],
  ["rethink-fail-minimal.edn", "edn", 4, "invalid", KNOSSOS],
  ["cas-register-bug.edn", "edn", 6, "valid", KNOSSOS],
  ["memstress3-20.edn", "edn", 100, "valid", KNOSSOS],
  ["mutex-etcd.edn", "edn", 563, "invalid", { model: "mutex" }],
];

const path = (file: string): string => new URL(`./histories/${file}`, import.meta.url).pathname;
const reading = (model: ModelName): ReadOptions => ({ model, failedOps: "drop", nilRead: "value" });

Deno.test("public histories are read from their content alone and judged as their authors did", async () => {
  for (const [file, , operations, verdict, how] of KNOWN) {
    const recording = await readHistory(path(file), { failedOps: "drop", nilRead: "value" });
    assertEquals(recording.modelOperations.length, operations, file);
    assertEquals(recording.skippedLines, 0, file);
    for (const failedOps of ["drop", "check"] as const) {
      const judged = checkModel(recording.modelOperations, {
        ...how,
        failedOps,
        stepsMax: 50_000_000,
      });
      assertEquals(judged.kind, verdict, `${file}, failed operations: ${failedOps}`);
    }
  }
});

Deno.test("public histories say the same after having been written in every other format", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const [file, from, , , { model }] of KNOWN) {
      const { modelOperations } = await readHistory(path(file), reading(model));
      const targets = (["cbor", "text", "jsonl", "edn", "json"] as const).filter((it) =>
        it !== from
      );
      for (const to of [...targets, ...(model === "kv" ? ["kv" as const] : [])]) {
        const there = `${folder}/${file}.${to}`;
        await convert(path(file), there, to, reading(model));
        const again = await readHistory(there, reading(model));
        assertEquals(again.modelOperations, modelOperations, `${file} as ${to}`);
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
