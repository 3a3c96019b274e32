// Ending the demo's replicas must work on whatever is there: nothing, replicas that stop, and some that do not.
import { assertEquals } from "@std/assert";
import { clusterTest } from "../../tests/support/cluster_commands.ts";
import { controlPorts } from "../runner/control.ts";
import { endReplicas } from "./replicas.ts";

clusterTest(
  "endReplicas() is content with a directory that never became a workspace",
  async (c) => {
    await endReplicas(c.directory);
    await endReplicas(c.workspace);
    assertEquals([...Deno.readDirSync(c.directory)], []);
  },
);

clusterTest(
  "endReplicas() stops replicas politely, and kills those that do not stop",
  async (c) => {
    await c.ok("start");
    c.setMood(2n, "stubborn");
    await c.ok("crash --replica-id 2");
    await c.ok("crash --replica-id 3");
    await c.ok("restart --replica-id 2");
    await c.ok("pause --replica-id 1");
    assertEquals([...c.pids().keys()], [1n, 2n]);
    await endReplicas(c.workspace, controlPorts(), 500);
    assertEquals([...c.pids().keys()], []);
    await endReplicas(c.workspace);
  },
);
