// A bundle is evidence only as long as nobody can change it unseen, and a run is passed over only for a bundle that is whole.
import { assertEquals, assertNotEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import fc from "fast-check";
import { TextProblem } from "../../../cluster/workspace/text.ts";
import { Recorder } from "../recorder/recorder.ts";
import { analyzeRun } from "./analyze_run.ts";
import { archiveRun } from "./archive.ts";
import { ANALYSIS_FILE, HISTORY_FILE, RECORDING_FILE, writeBundle } from "./bundle.ts";
import { checkBundle, checkFiles } from "./check_bundle.ts";
import {
  type Manifest,
  MANIFEST_FILE,
  manifestText,
  parseManifest,
  type RunSettings,
} from "./manifest.ts";
import { differenceOf, findDone } from "./resume.ts";

const SETTINGS: RunSettings = {
  ...{ backend: "local", seed: 7, clients: 16, ratePerSecond: 200, resources: 256 },
  ...{ controlSecs: 60, windowSecs: 30, programSha256: "ab".repeat(32) },
};
const RUN_ID = "lease_safety-crash-restart";
const MANIFEST: Omit<Manifest, "files"> = {
  ...{ runId: RUN_ID, workload: "lease_safety", nemesis: "crash_restart", createdAtMillis: 5 },
  ...{ historyFile: HISTORY_FILE, analysisFile: ANALYSIS_FILE, logsArchive: undefined },
  ...{ blockerCount: 0, verdict: "valid", isGateEvidence: false, gateEvidenceReason: "a\nb" },
  ...{ minimumFaultWindowSecs: 1800, faultWindowOverrideSecs: 30, settings: SETTINGS },
  facts: { release_gate: "passed", faults: "kill:2 pause:1", attempts: "2", elapsed_secs: "31" },
};

async function record(path: string, isWrong = false): Promise<void> {
  await using recorder = await Recorder.create(path, {
    ...{ model: "reservation", runId: RUN_ID, workload: "lease_safety", nemesis: "crash_restart" },
    ...{ backend: "local", seed: 7, startedAtMillis: 1_000, initialResourceIds: [1n] },
    ...{ minimumFaultWindowSecs: 30, isWindowOverridden: true },
  });
  for (const operationId of [1n, 2n]) {
    const process = recorder.nextProcess("client 1");
    const timeNs = recorder.nowNs();
    recorder.invoke({
      ...{ type: "invoke", process, timeNs, attempt: 1, key: { clientId: 1n, operationId } },
      request: { kind: "reserve", resourceId: 1n, holderId: 1n, ttlSlots: 5n },
    });
    const isGranted = operationId === 1n || isWrong;
    const reserved = { reservationId: operationId, epoch: 1n, deadlineSlot: 50n };
    recorder.complete({
      ...{ type: "ok", process, timeNs: recorder.nowNs() },
      answer: isGranted
        ? { kind: "applied", code: "ok", lsn: operationId, reserved }
        : { kind: "applied", code: "resource_busy", lsn: operationId },
    });
  }
}

/** A bundle as a run leaves it, in a directory that goes away. */
async function withBundle(
  act: (directory: string, root: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    const [recording, directory] = [join(root, "x.cbor"), join(root, `${RUN_ID}-5`)];
    await record(recording);
    const analyzed = await analyzeRun(recording, undefined, {});
    await writeBundle({
      ...{ directory, analyzed, files: { [RECORDING_FILE]: recording }, manifest: MANIFEST },
      ...{ texts: { "events.log": "time_millis=1 detail=x\n" }, logs: [], reproduce: "again" },
    });
    await act(directory, root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("parseManifest() reads what manifestText() wrote, whatever the facts are", () => {
  const text = fc.string({ unit: "grapheme" }).map((said) => said.replaceAll("\r", ""));
  fc.assert(
    fc.property(text, fc.nat(), fc.boolean(), (said, count, isEvidence) => {
      const files = [{
        path: "a=b/c d.txt".replace("=", "-"),
        bytes: count,
        sha256: "0a".repeat(32),
      }];
      const reason = said === "none" ? "" : said;
      const manifest: Manifest = {
        ...{ ...MANIFEST, blockerCount: count, isGateEvidence: isEvidence, files },
        ...{ gateEvidenceReason: reason, facts: { note: said } },
      };
      assertEquals(parseManifest(manifestText(manifest)), manifest);
    }),
    { seed: 5, numRuns: 300 },
  );
});

Deno.test("parseManifest() refuses checksums that are none and files outside of the bundle", () => {
  const text = manifestText({ ...MANIFEST, files: [] });
  const wrong = [
    `${text}file.x=123 4\n`,
    `${text}file.../x=${"0a".repeat(32)} 4\n`,
    `${text}file./etc/x=${"0a".repeat(32)} 4\n`,
    text.replace("version=1", "version=2"),
    text.replace("seed=7", "seed=seven"),
    text.replace("verdict=valid\n", ""),
    `${text}seed=8\n`,
  ];
  for (const each of wrong) assertThrows(() => parseManifest(each), TextProblem);
});

Deno.test("writeBundle() leaves reports, and a manifest with every file but itself", async () => {
  await withBundle(async (directory) => {
    const { manifest, problems, files } = await checkBundle(directory);
    assertEquals(problems, []);
    assertEquals(manifest?.files.length, files);
    const names = manifest!.files.map(({ path }) => path);
    for (
      const name of [
        ...[ANALYSIS_FILE, RECORDING_FILE, "events.log", "report.html", "report.json"],
        ...["summary.txt", "junit.xml"],
      ]
    ) assertEquals(names.includes(name), true, `${name} is missing`);
    assertEquals(names.includes(MANIFEST_FILE), false);
    assertEquals({ ...manifest!, files: [] }, { ...MANIFEST, files: [] });
  });
});

Deno.test("checkFiles() sees every change of a bundle", async () => {
  await withBundle(async (directory) => {
    const path = join(directory, "events.log");
    const text = await Deno.readTextFile(path);
    const problemsNow = async (): Promise<readonly string[]> =>
      (await checkFiles(directory)).problems;
    await Deno.writeTextFile(path, text.replace("x", "y"));
    assertEquals(await problemsNow(), ["events.log is not what it was"]);
    await Deno.writeTextFile(path, `${text}more`);
    assertEquals(await problemsNow(), ["events.log has 27 bytes instead of 23"]);
    await Deno.remove(path);
    assertEquals(await problemsNow(), ["events.log is missing"]);
    await Deno.writeTextFile(path, text);
    await Deno.writeTextFile(join(directory, "extra"), "");
    assertEquals(await problemsNow(), ["extra is not in the manifest"]);
    await Deno.remove(join(directory, MANIFEST_FILE));
    assertEquals(await problemsNow(), [`there is no ${MANIFEST_FILE}`]);
  });
});

Deno.test("checkBundle() sees a manifest that says another verdict, or another run, than the history", async () => {
  await withBundle(async (directory) => {
    const path = join(directory, MANIFEST_FILE);
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace("verdict=valid", "verdict=unknown"));
    assertEquals((await checkBundle(directory)).problems, [
      "verdict is unknown in the manifest, and the report says valid",
      "the verdict was unknown, and is valid",
    ]);
    await Deno.writeTextFile(path, text.replace("seed=7", "seed=8"));
    assertEquals((await checkBundle(directory)).problems, [
      "seed is 8 in the manifest and 7 in the history",
    ]);
  });
});

Deno.test("checkBundle() sees a manifest that says more of its run than the files beside it", async () => {
  await withBundle(async (directory) => {
    const path = join(directory, MANIFEST_FILE);
    const text = await Deno.readTextFile(path);
    assertEquals((await checkBundle(directory)).problems, []);
    const edits: readonly (readonly [string | RegExp, string, string])[] = [
      ["verdict=valid", "verdict=invalid", "verdict is invalid in the manifest"],
      ["gate_evidence=false", "gate_evidence=true", "gate_evidence is true in the manifest"],
      ["blocker_count=0", "blocker_count=5", "blocker_count is 5 in the manifest"],
      ["release_gate=passed", "release_gate=blocked", "fact.release_gate is blocked"],
      ["\nfault_window_secs=30", "\nfault_window_secs=1800", "fault_window_secs is 1800"],
      ["override=30", "override=none", "whether the window was set by hand"],
    ];
    for (const [from, to, problem] of edits) {
      const edited = text.replace(from, to);
      assertNotEquals(edited, text);
      await Deno.writeTextFile(path, edited);
      assertStringIncludes((await checkBundle(directory)).problems.join("\n"), problem);
    }
  });
});

Deno.test("checkFiles() waits for no pipe in the place of a file, and takes a directory for no manifest", async () => {
  await withBundle(async (directory) => {
    const path = join(directory, "summary.txt");
    await Deno.remove(path);
    await Deno.symlink("/dev/zero", path);
    assertEquals((await checkFiles(directory)).problems, ["summary.txt is no file"]);
    await Deno.remove(join(directory, MANIFEST_FILE));
    await Deno.mkdir(join(directory, MANIFEST_FILE));
    assertEquals((await checkFiles(directory)).problems, [`there is no ${MANIFEST_FILE}`]);
  });
});

Deno.test("findDone() takes a whole bundle with the same settings, and says why it takes no other", async () => {
  await withBundle(async (directory, root) => {
    const said: string[] = [];
    const find = (settings: RunSettings, isAnySeedFine = false) =>
      findDone(root, RUN_ID, settings, (text) => said.push(text), isAnySeedFine);
    assertEquals((await find(SETTINGS))?.bundle, directory);
    assertEquals(await find({ ...SETTINGS, seed: 8 }), undefined);
    assertEquals((await find({ ...SETTINGS, seed: 8 }, true))?.bundle, directory);
    assertEquals((await find({ ...SETTINGS, controlSecs: 5 }))?.bundle, directory);
    await Deno.writeTextFile(join(directory, "events.log"), "changed");
    assertEquals(await find(SETTINGS), undefined);
    assertEquals(await findDone(join(root, "nowhere"), RUN_ID, SETTINGS, () => {}), undefined);
    assertEquals(said.length, 2);
    assertStringIncludes(said[0]!, "seed was 7 and is 8");
    assertStringIncludes(said[1]!, "events.log has");
  });
});

Deno.test("differenceOf() finds every setting that another run has", () => {
  const manifest: Manifest = { ...MANIFEST, files: [] };
  const others: Partial<RunSettings>[] = [
    ...[{ backend: "qemu" }, { seed: 1 }, { clients: 1 }, { ratePerSecond: 1 }, { resources: 4 }],
    ...[{ windowSecs: 1800 }, { programSha256: undefined }],
  ] as Partial<RunSettings>[];
  for (const other of others) {
    const difference = differenceOf(manifest, RUN_ID, { ...SETTINGS, ...other });
    assertStringIncludes(difference ?? "", Object.keys(other)[0]!);
  }
  assertEquals(differenceOf(manifest, RUN_ID, SETTINGS), undefined);
  const broken = { ...manifest, facts: { ...manifest.facts, problem: "x" } };
  assertEquals(differenceOf(broken, RUN_ID, SETTINGS), "the run broke off");
});

Deno.test("archiveRun() makes a bundle of a history that can be checked, and that is no evidence", async () => {
  const root = await Deno.makeTempDir();
  try {
    const historyFile = join(root, "given.cbor");
    await record(historyFile, true);
    const backend = {
      name: "local",
      collectLogs: async (directory: string) => {
        await Deno.writeTextFile(join(directory, "a.log"), "said");
        return ["a.log"];
      },
    };
    const outputRoot = join(root, "out");
    const { bundle, analyzed } = await archiveRun({
      runId: RUN_ID,
      historyFile,
      outputRoot,
      backend,
    });
    assertEquals(analyzed.judgement.verdict, "invalid");
    const { manifest, problems } = await checkBundle(bundle);
    assertEquals(problems, []);
    assertEquals([manifest!.verdict, manifest!.isGateEvidence], ["invalid", false]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
