// What the runner is handed must be what was typed, with nothing left to check: a fault that is a little other
// than what was asked for makes a test prove nothing.
import { assertEquals, assertThrows } from "@std/assert";
import { CliError } from "../errors.ts";
import type { ClusterRequest } from "./cluster_options.ts";
import { type ClusterFlags, clusterRequest } from "./read_cluster_options.ts";

const WS = { workspace: "ws" };

function request(verb: ClusterRequest["verb"], flags: Omit<ClusterFlags, "workspace">): unknown {
  const { workspace: _, json: __, verb: ___, ...rest } = clusterRequest(verb, { ...WS, ...flags });
  return rest;
}

Deno.test("clusterRequest() hands over start's defaults, and all that can be typed", () => {
  assertEquals(clusterRequest("start", WS), {
    verb: "start",
    workspace: "ws",
    json: false,
    timeoutMs: 10_000,
    bounds: [],
    manual: [],
    waitForPrimary: true,
  });
  assertEquals(
    request("start", {
      replicas: "5",
      profile: "small",
      bound: ["core.max_resources=9"],
      secretFile: "s",
      manualFailover: true,
      manualCheckpoint: true,
      wait: false,
      timeout: "1m",
    }),
    {
      replicas: 5,
      profile: "small",
      bounds: ["core.max_resources=9"],
      secretFile: "s",
      manual: ["failover", "checkpoint"],
      waitForPrimary: false,
      timeoutMs: 60_000,
    },
  );
});

Deno.test("clusterRequest() reads delays, shares, rates and skews exactly", () => {
  const ends = { from: 1n, to: 2n };
  const delays = {
    "50": [50],
    "50ms": [50],
    "50±20": [50, 20],
    "7ms+-3ms": [7, 3],
    "0+/-5": [0, 5],
  };
  for (const [text, [delayMs, jitterMs]] of Object.entries(delays)) {
    const fault = jitterMs === undefined ? { delayMs } : { delayMs, jitterMs };
    assertEquals(request("link", { from: "1", to: "2", delay: text }), { ends, fault }, text);
  }
  const shares = { "0": 0, "1": 1, "1.0": 1, ".5": 0.5, "0.000000001": 1e-9 };
  for (const [text, drop] of Object.entries(shares)) {
    assertEquals(request("link", { from: "1", to: "2", drop: text }), { ends, fault: { drop } });
  }
  const skews = { "-250": -250, "+250": 250, "250": 250, "-0": 0 };
  for (const [skewMs, expected] of Object.entries(skews)) {
    assertEquals(
      request("clock", { replicaId: "1", skewMs }),
      { replicaId: 1n, skewMs: expected, rate: 1 },
    );
  }
  assertEquals(
    request("clock", { replicaId: "1", clear: true }),
    { replicaId: 1n, skewMs: 0, rate: 1 },
  );
  assertEquals(request("partition", { groups: "1,2/3" }), { groups: [[1n, 2n], [3n]] });
  assertEquals(
    request("disk-fault", { replicaId: "3", kind: "slow", delayMs: "9", for: "60", after: "2" }),
    { replicaId: 3n, fault: { kind: "slow", after: 2, forSeconds: 60, delayMs: 9 } },
  );
  assertEquals(
    request("link", { from: "all", to: "client", cut: true, throttle: "1024" }),
    { ends: { from: "all", to: "client" }, fault: { cut: true, bytesPerSecond: 1_024 } },
  );
  assertEquals(request("link", { clear: true }), { ends: undefined, fault: {} });
  assertEquals(
    request("link", { from: "1", to: "2", clear: true }),
    { ends: { from: 1n, to: 2n }, fault: {} },
  );
});

Deno.test("clusterRequest() refuses what could mean two things, or nothing", () => {
  const cases: readonly (readonly [ClusterRequest["verb"], Omit<ClusterFlags, "workspace">])[] = [
    ["start", { replicas: "2" }],
    ["start", { replicas: "03" }],
    ["start", { secretFile: "" }],
    ["start", { bound: ["core.max_resuorces=5"] }],
    ["start", { timeout: "5" }],
    ["crash", {}],
    ["crash", { replicaId: "0" }],
    ["crash", { replicaId: "1.5" }],
    ["heal", {}],
    ["heal", { replicaId: "1", all: true }],
    ["link", {}],
    ["link", { from: "1", to: "2" }],
    ["link", { from: "1", cut: true }],
    ["link", { from: "1", to: "2", cut: true, clear: true }],
    ["link", { from: "1", to: "1", cut: true }],
    ["link", { from: "client", to: "client", cut: true }],
    ["link", { from: "x", to: "1", cut: true }],
    ["link", { from: "1", to: "2", drop: "" }],
    ["link", { from: "1", to: "2", drop: "1.1" }],
    ["link", { from: "1", to: "2", drop: "1e-3" }],
    ["link", { from: "1", to: "2", drop: "50%" }],
    ["link", { from: "1", to: "2", delay: "5s" }],
    ["link", { from: "1", to: "2", delay: "-5" }],
    ["link", { from: "1", to: "2", delay: "999999999" }],
    ["link", { from: "1", to: "2", throttle: "0" }],
    ["partition", {}],
    ["partition", { groups: "1,2,3" }],
    ["partition", { groups: "1,2/" }],
    ["partition", { groups: "1/2", clear: true }],
    ["disk-fault", { replicaId: "1" }],
    ["disk-fault", { replicaId: "1", kind: "eio", clear: true }],
    ["disk-fault", { replicaId: "1", clear: true, after: "3" }],
    ["disk-fault", { replicaId: "1", kind: "eio", delayMs: "3" }],
    ["disk-fault", { replicaId: "1", kind: "eio", for: "0" }],
    ["clock", { replicaId: "1" }],
    ["clock", { replicaId: "1", skewMs: "5", clear: true }],
    ["clock", { replicaId: "1", skewMs: "--5" }],
    ["clock", { replicaId: "1", skewMs: "86400001" }],
    ["clock", { replicaId: "1", rate: "0" }],
    ["clock", { replicaId: "1", rate: "101" }],
    ["logs", { lines: "-1" }],
  ];
  for (const [verb, flags] of cases) {
    const error = assertThrows(() => clusterRequest(verb, { ...WS, ...flags }), CliError);
    assertEquals(error.exitCode, 2, `${verb} ${JSON.stringify(flags)}`);
  }
  assertThrows(() => clusterRequest("status", { workspace: "" }), CliError, "--workspace is empty");
});
