// Threads must load one server together and report together: two of them against a server that answers at once.
import { assertEquals, assertRejects } from "@std/assert";
import { startServer } from "../node/server/server.ts";
import { splitLoad } from "./load_share.ts";
import { runShares } from "./load_threads.ts";
import { stubNode } from "./stub_server.ts";

const LOAD = {
  ...{ connections: 4, inFlight: 2, batch: 3, ttlSlots: 100n, firstId: 1n << 64n },
  ...{ warmupSeconds: 0, seconds: 0.05 },
};

Deno.test("runShares() runs every share to its end, in threads or alone, and says once that it measures", async () => {
  await using server = startServer(stubNode(), { version: "stub", port: 0 });
  const load = { ...LOAD, address: `127.0.0.1:${server.addr.port}` };
  for (const threads of [1, 2]) {
    let measuring = 0;
    const results = await runShares(splitLoad(load, threads), () => measuring++);
    assertEquals([results.length, measuring], [threads, 1]);
    for (const { timesMs, commands, codes } of results) {
      assertEquals(commands > 0 && commands === timesMs.length * LOAD.batch, true);
      assertEquals(codes[1], commands);
    }
  }
});

Deno.test("runShares() rejects with the reason when a thread cannot connect", async () => {
  const shares = splitLoad({ ...LOAD, address: "127.0.0.1:1" }, 2);
  await assertRejects(() => runShares(shares, () => {}), Error, "refused");
});
