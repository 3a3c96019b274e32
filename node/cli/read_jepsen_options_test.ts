import { assert, assertEquals, assertThrows } from "@std/assert";
import { CliError } from "../errors.ts";
import type { JepsenRequest } from "./jepsen_options.ts";
import { type JepsenFlags, jepsenRequest } from "./read_jepsen_options.ts";

function refused(
  verb: JepsenRequest["verb"],
  args: readonly string[],
  flags: JepsenFlags,
): string {
  const error = assertThrows(() => jepsenRequest(verb, args, flags), CliError);
  assertEquals(error.exitCode, 2);
  return error.message;
}

Deno.test("jepsenRequest() of a run needs exactly one way to say which", () => {
  const which = "say which run: --run-id, --all, or --workload with --nemesis";
  assertEquals(refused("run", [], {}), which);
  assertEquals(refused("run", [], { runId: "x", all: true }), which);
  assertEquals(refused("run", [], { all: true, nemesis: "disk" }), which);
  assertEquals(refused("run", [], { nemesis: "disk" }), "--nemesis needs a --workload");
  const workload = "lease_safety" as const;
  const own = jepsenRequest("run", [], { workload, nemesis: "disk", window: "90s" });
  assert(own.verb === "run");
  assertEquals(own.choice, { kind: "own", workload, nemesis: "disk", windowSecs: 90 });
  const calm = jepsenRequest("run", [], { workload });
  assert(calm.verb === "run");
  assertEquals(calm.choice, { kind: "own", workload, nemesis: "none", windowSecs: 60 });
});

Deno.test("jepsenRequest() refuses flags of a run that would do nothing", () => {
  const lanes = "--lanes and --supplementary go with --all";
  assertEquals(refused("run", [], { runId: "x", lanes: "2" }), lanes);
  assertEquals(refused("run", [], { runId: "x", supplementary: true }), lanes);
  assertEquals(
    refused("run", [], { all: true, window: "5s" }),
    "--window is about a run of your own",
  );
  assertEquals(
    refused("run", [], { workload: "lease_safety", window: "1500ms" }),
    "--window '1500ms' is not a whole number of seconds",
  );
  assertEquals(refused("run", [], { all: true, lanes: "0" }), "--lanes '0' is out of range");
});

Deno.test("jepsenRequest() of a run keeps the clusters below the output root unless told", () => {
  const flags = { runId: "r", outputRoot: "out", seed: "7", clients: "3", rate: "50" };
  assertEquals(jepsenRequest("run", [], flags), {
    ...{ verb: "run", backend: "local", choice: { kind: "one", runId: "r" }, outputRoot: "out" },
    ...{ workspace: "out/clusters", seed: 7, clients: 3, ratePerSecond: 50, json: false },
  });
});

Deno.test("jepsenRequest() of an analysis reads --history-file as one more file with the gate's report", () => {
  const request = jepsenRequest("analyze", ["a"], { historyFile: "b", memoryLimit: "2" });
  assert(request.verb === "analyze");
  assertEquals(request.files, ["a", "b"]);
  assertEquals([request.gate, request.memoryLimitBytes, request.timeLimitMs], [
    true,
    2 * 1_048_576,
    60_000,
  ]);
  assertEquals(refused("analyze", [], {}), "no history to analyze");
  assertEquals(refused("analyze", ["-", "-"], {}), "standard input can be read once");
  assertEquals(
    refused("analyze", ["a", "b"], { certificate: "c" }),
    "--certificate is about one history",
  );
  assertEquals(refused("analyze", ["a", "b"], { report: "d" }), "--report is about one history");
  assertEquals(refused("analyze", [""], {}), "analyze: '' is no path");
});

Deno.test("jepsenRequest() of a conversion takes the format from the name of the file, if it has one", () => {
  const to = (path: string, flags: JepsenFlags = {}): string | undefined => {
    const request = jepsenRequest("convert", ["in", path], flags);
    assert(request.verb === "convert");
    return request.toFormat;
  };
  assertEquals(
    [to("out.jsonl"), to("out.edn.gz"), to("out.txt"), to("out.txt", { to: "runbook" })],
    [
      "jsonl",
      "edn",
      undefined,
      "runbook",
    ],
  );
});

Deno.test("jepsenRequest() of a verification needs one thing to verify", () => {
  const what = "say what to verify: a bundle, --workspace, or --certificate";
  assertEquals(refused("verify", [], {}), what);
  assertEquals(refused("verify", ["b"], { workspace: "ws" }), what);
  assertEquals(
    refused("verify", [], { certificate: "c" }),
    "--certificate and --history-file go together",
  );
  const request = jepsenRequest("verify", [], { workspace: "ws" });
  assert(request.verb === "verify");
  assertEquals(request.what, { kind: "surface", backend: "local", workspace: "ws" });
});

Deno.test("jepsenRequest() of a watch splits lanes at the first two commas", () => {
  const request = jepsenRequest("watch", [], { lane: ["a, ws/a ,out,1"], refreshMillis: "10" });
  assert(request.verb === "watch");
  assertEquals(request.lanes, [{ name: "a", workspace: "ws/a", outputRoot: "out,1" }]);
  assertEquals(request.refreshMs, 250);
  for (const lane of ["a", "a,b", "a,,c", ",b,c", "a,b, "]) {
    assertEquals(
      refused("watch", [], { lane: [lane] }),
      `--lane '${lane}' is not name,workspace,output-root`,
    );
  }
  assertEquals(
    refused("watch", [], { lane: ["a,b,c"], runId: "r" }),
    "--lane names workspace and output root itself",
  );
});
