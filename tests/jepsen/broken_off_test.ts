// A run that was interrupted has asked nobody about what was in doubt: that is no promise that the cluster broke, whatever
// form the recording has been brought into since.
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { judge } from "../../testbed/jepsen/analysis/judge.ts";
import { convert } from "../../testbed/jepsen/codec/convert.ts";
import { READ_DEFAULTS } from "../../testbed/jepsen/codec/format.ts";
import { readHistory } from "../../testbed/jepsen/codec/read.ts";
import { Recorder } from "../../testbed/jepsen/recorder/recorder.ts";

/** One reserve that came through and one in doubt. */
async function record(path: string, isBrokenOff: boolean): Promise<void> {
  await using recorder = await Recorder.create(path, {
    ...{ model: "reservation", runId: "lease_safety-control", initialResourceIds: [1n, 2n] },
  });
  for (const id of [1n, 2n]) {
    const process = recorder.nextProcess();
    recorder.invoke({
      ...{ type: "invoke", process, timeNs: recorder.nowNs() },
      key: { clientId: 1n, operationId: id },
      request: { kind: "reserve", resourceId: id, holderId: 1n, ttlSlots: 5n },
    });
    const reserved = { reservationId: 1n, epoch: 1n, deadlineSlot: 50n };
    const timeNs = recorder.nowNs();
    if (id === 2n) recorder.complete({ type: "info", process, timeNs, reason: "timeout" });
    else {
      const answer = { kind: "applied", code: "ok", lsn: 1n, reserved } as const;
      recorder.complete({ type: "ok", process, timeNs, answer });
    }
  }
  if (isBrokenOff) recorder.breakOff();
}

Deno.test("what stays in doubt is a violation of a run that ended, and none of one that was broken off", async () => {
  const directory = await Deno.makeTempDir();
  try {
    for (const [isBrokenOff, verdict] of [[false, "invalid"], [true, "valid"]] as const) {
      const path = join(directory, `${isBrokenOff}`);
      await record(path, isBrokenOff);
      await convert(path, `${path}.jsonl`, "jsonl", READ_DEFAULTS);
      await convert(`${path}.jsonl`, `${path}.again`, "cbor", READ_DEFAULTS);
      for (const file of [path, `${path}.jsonl`, `${path}.again`]) {
        assertEquals(judge(await readHistory(file, READ_DEFAULTS)).verdict, verdict, file);
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
