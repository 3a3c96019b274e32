// Records without end into the file that its argument names, and says how far it has flushed: for whoever kills it.
import { Recorder } from "../../testbed/jepsen/recorder/recorder.ts";

const recorder = await Recorder.create(Deno.args[0]!, { model: "reservation" });
const client = recorder.nextProcess();
const DEADLINE_MS = 60_000;
for (let i = 0n; performance.now() < DEADLINE_MS; i++) {
  const request = { kind: "create_resource", resourceId: i } as const;
  const key = { clientId: 1n, operationId: i };
  recorder.invoke({ type: "invoke", process: client, timeNs: recorder.nowNs(), key, request });
  const answer = { kind: "applied", code: "ok", lsn: i + 1n } as const;
  recorder.complete({ type: "ok", process: client, timeNs: recorder.nowNs(), answer });
  if (i % 1_000n === 0n) await new Promise((done) => setTimeout(done, 0));
  if (i % 10_000n !== 0n) continue;
  await recorder.flush();
  console.log(`${i}`);
}
