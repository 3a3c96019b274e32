/** The thread that runs the targets; started by thread.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { runTarget } from "./run.ts";
import { allTargets } from "./targets/all.ts";
import { beatOf, type ThreadData } from "./thread.ts";

const { names, seed, msMax, casesMax, beat } = workerData as ThreadData;
const place = beatOf(beat);
for (const [i, name] of names.entries()) {
  const target = allTargets().find((target) => target.name === name)!;
  place[0] = i;
  const onCase = (caseNumber: number): void => void (place[1] = caseNumber);
  const tally = await runTarget(target, { seed, msMax, casesMax, onCase });
  await target.close?.();
  parentPort!.postMessage(tally);
}
