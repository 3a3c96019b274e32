/** What happens to the replicas while the buyers buy, act by act. */
import type { Crowd } from "../../node/demo/crowd.ts";
import type { Outage, Story } from "../../node/demo/story.ts";
import { sleep, unlessAborted } from "../../node/demo/waiting.ts";
import { CliError } from "../../node/errors.ts";
import type { Gap, OutageMeter } from "./outage.ts";
import { type DemoReplicas, PATIENCE_MS } from "./replicas.ts";
import type { Tempo } from "./tempo.ts";

/** What the acts act on. */
export interface Setting {
  readonly replicas: DemoReplicas;
  readonly story: Story;
  readonly crowd: Crowd;
  readonly meter: OutageMeter;
  readonly tempo: Tempo;
  readonly hasLeft: AbortSignal;
}

/** How long a crash waits for a command to be under way, in milliseconds: it hurts most then. */
const BUSY_MS_MAX = 500;

/** All acts, from the opened doors until nothing is left to be sold or time is up. */
export async function playOut(setting: Setting): Promise<void> {
  const { crowd, tempo } = setting;
  await crowd.untilSold(tempo.killAtShare, tempo.killWithinMs);
  const killed = await killPrimary(setting);
  await look(setting);
  await bringBack(setting, killed);
  await look(setting);
  await crowd.untilSold(tempo.partitionAtShare, tempo.partitionWithinMs);
  const alone = await cutPrimaryOff(setting);
  await look(setting);
  await heal(setting, alone);
  await crowd.untilSold(1, tempo.closesWithinMs);
}

async function killPrimary(setting: Setting): Promise<bigint> {
  const { replicas, story, crowd } = setting;
  const { replica_id: id } = await replicas.primary();
  await crowd.untilBusy(BUSY_MS_MAX);
  const waiting = awaitSuccessor(setting, id);
  const pid = await replicas.kill(id);
  const soldBefore = story.hall.count("sold");
  story.tell(`kill -9 replica ${id}, the primary (pid ${pid}): ${soldBefore} seats sold`, "bad");
  await tookOver(setting, { cause: "kill", replicaId: id, pid, soldBefore }, waiting);
  return id;
}

async function bringBack({ replicas, story }: Setting, id: bigint): Promise<void> {
  const startedAtMs = story.elapsedMs;
  story.replicas.set(id, "catching up");
  await replicas.restart(id);
  const { process_id: pid, applied_op: op = 0n } = await replicas.caughtUp(id);
  const caughtUpMs = story.elapsedMs - startedAtMs;
  story.comeback = { replicaId: id, pid, op, caughtUpMs };
  const seconds = (caughtUpMs / 1_000).toFixed(2);
  story.tell(`replica ${id} is back (pid ${pid}): caught up ${seconds} s after its start`, "good");
}

async function cutPrimaryOff(setting: Setting): Promise<bigint> {
  const { replicas, story } = setting;
  const { replica_id: id, process_id: pid } = await replicas.primary();
  const waiting = awaitSuccessor(setting, id);
  await replicas.partitionOff(id);
  story.replicas.set(id, "cut off");
  const others = replicas.members.filter((other) => other !== id).join(" and ");
  const soldBefore = story.hall.count("sold");
  story.tell(`network split: replica ${id}, the primary, alone; ${others} together`, "bad");
  await tookOver(setting, { cause: "partition", replicaId: id, pid, soldBefore }, waiting);
  return id;
}

async function heal({ replicas, story }: Setting, id: bigint): Promise<void> {
  await replicas.heal();
  story.replicas.set(id, "catching up");
  await replicas.caughtUp(id);
  const { replica_id: primary } = await replicas.primary();
  const role = primary === id ? "leads again" : `follows replica ${primary}`;
  story.tell(`network whole: replica ${id} ${role} and has caught up`, "good");
}

/** The first write of another replica. To be asked for before this one is hit. */
function awaitSuccessor({ replicas, meter }: Setting, id: bigint): Promise<Gap> {
  return meter.successorOf(replicas.addressOf(id));
}

type Hit = Pick<Outage, "cause" | "replicaId" | "pid" | "soldBefore">;

async function tookOver(setting: Setting, hit: Hit, successor: Promise<Gap>): Promise<void> {
  const { story, replicas, hasLeft } = setting;
  const waited = successor.then((gap) => ({ gap, waiting: story.ledger.inFlight }));
  const limit = AbortSignal.any([hasLeft, AbortSignal.timeout(PATIENCE_MS)]);
  const { gap, waiting } = await unlessAborted(waited, limit).catch((error) => {
    throw hasLeft.aborted || !limit.aborted ? error : nobodyTookOver(hit.replicaId);
  });
  const successorId = replicas.idAt(gap.successor);
  story.outages.push({ ...hit, successorId, waiting, outageMs: gap.ms });
  const seconds = (gap.ms / 1_000).toFixed(2);
  story.tell(
    `replica ${successorId} took over: ${seconds} s from the last write to the next`,
    "good",
  );
  await replicas.primary();
}

function nobodyTookOver(id: bigint): CliError {
  const message = `no replica took over from replica ${id} within ${PATIENCE_MS} ms`;
  return new CliError("E_WAIT_TIMEOUT", message);
}

/** A moment for the eye. */
async function look({ tempo, hasLeft }: Setting): Promise<void> {
  await sleep(tempo.lookMs, hasLeft);
  hasLeft.throwIfAborted();
}
