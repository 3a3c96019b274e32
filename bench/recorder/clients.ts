/** Clients that reserve and release, each its own resource, and may be recorded while they do. */
import { AllocDbClient } from "../../node/client/client.ts";
import type { SubmitResult } from "../../node/client/types.ts";
import type { WriteRequest } from "../../testbed/jepsen/history/operation.ts";
import type { Recorder } from "../../testbed/jepsen/recorder/recorder.ts";

const TTL_SLOTS = 100n;

/** One of them. */
export interface LoadClient {
  readonly client: AllocDbClient;
  readonly number: number;
  readonly resourceId: bigint;
  nextOperationId: bigint;
}

/** Connects them and makes their resources. */
export async function loadClients(address: string, count: number): Promise<readonly LoadClient[]> {
  return await Promise.all(Array.from({ length: count }, async (_, number) => {
    const client = await AllocDbClient.connect({ address });
    const resourceId = 2n ** 80n + BigInt(number);
    await client.createResource({ resourceId });
    return { client, number, resourceId, nextOperationId: 1n };
  }));
}

/** Runs all of them for so long; answers how many operations were done. */
export async function runClients(
  clients: readonly LoadClient[],
  recorder: Recorder | undefined,
  durationMs: number,
): Promise<number> {
  const endMs = performance.now() + durationMs;
  const done = await Promise.all(clients.map((client) => runClient(client, recorder, endMs)));
  return done.reduce((sum, count) => sum + count, 0);
}

async function runClient(
  load: LoadClient,
  recorder: Recorder | undefined,
  endMs: number,
): Promise<number> {
  const { resourceId } = load;
  const holderId = BigInt(load.number + 1);
  let count = 0;
  while (performance.now() < endMs) {
    const reserved = await perform(load, recorder, {
      kind: "reserve",
      resourceId,
      holderId,
      ttlSlots: TTL_SLOTS,
    });
    const { reservationId, epoch } = reserved;
    await perform(load, recorder, {
      kind: "release",
      reservationId: reservationId!,
      holderId,
      epoch: epoch!,
    });
    count += 2;
  }
  return count;
}

type LoadRequest = Extract<WriteRequest, { readonly kind: "reserve" | "confirm" | "release" }>;
type Done = Extract<SubmitResult, { readonly kind: "committed" }>;

async function perform(
  load: LoadClient,
  recorder: Recorder | undefined,
  request: LoadRequest,
): Promise<Done> {
  const { client, number } = load;
  const operationId = load.nextOperationId++;
  if (recorder !== undefined) {
    const key = { clientId: client.clientId, operationId };
    recorder.invoke({ type: "invoke", process: number, timeNs: recorder.nowNs(), key, request });
  }
  const result = request.kind === "reserve"
    ? await client.reserve({ ...request, operationId })
    : await client.release({ ...request, operationId });
  if (result.kind !== "committed" || !result.ok) {
    throw new Error(`A ${request.kind} of the load failed: ${ending(result)}`);
  }
  if (recorder !== undefined) recordAnswer(recorder, number, result);
  return result;
}

function recordAnswer(
  recorder: Recorder,
  number: number,
  { code, appliedLsn: lsn, reservationId, epoch, deadlineSlot }: Done,
): void {
  const reserved = reservationId === undefined || epoch === undefined || deadlineSlot === undefined
    ? {}
    : { reserved: { reservationId, epoch, deadlineSlot } };
  const answer = { kind: "applied" as const, code, lsn, ...reserved };
  recorder.complete({ type: "ok", process: number, timeNs: recorder.nowNs(), answer });
}

function ending(result: SubmitResult): string {
  return result.kind === "committed" ? result.code : result.kind;
}
