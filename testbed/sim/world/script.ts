/** Scenarios in a quiet world: no client but those that the scenario has, no fault but its own. */
import type { ReservationRead, ResourceRead } from "../../../node/api.ts";
import type { Operation } from "../workload/client.ts";
import type { ClusterMachine } from "./machine.ts";
import type { WorldOptions } from "./options.ts";
import { ClusterWorld, ELECTION_MS } from "./world.ts";
import type { Request } from "../workload/plain.ts";
import type { ClientCommand, ModelOutcome } from "../../model/words.ts";

/** Apart from that of clients that live by themselves. */
const CLIENT_ID = 9n;
const PATIENCE_MS = 20 * ELECTION_MS;

let operationId = 0n;

/** A world without clients that has a primary. */
export function quietWorld(options: Partial<WorldOptions> = {}): ClusterWorld {
  operationId = 0n;
  const world = new ClusterWorld({ seed: 1, clients: 0, ...options });
  world.runToPrimary();
  world.run(200);
  return world;
}

/** A command under a fresh operation id. */
export function fresh(request: Request): ClientCommand {
  return { ...request, operationId: ++operationId, clientId: CLIENT_ID } as ClientCommand;
}

/** Submits a command and lets time pass until it is answered, whoever answers it. */
export function ask(world: ClusterWorld, request: Request): ModelOutcome {
  const operation = submit(world, request);
  if (!world.runUntil(() => operation.answeredMs !== undefined, PATIENCE_MS)) {
    world.violated(`R18 a majority answers: ${operation.command.kind}`);
  }
  return operation.outcome!;
}

/** Submits a command to a replica first, or to whoever is primary, and does not wait. */
export function submit(world: ClusterWorld, request: Request, machine?: ClusterMachine): Operation {
  return submitCommand(world, fresh(request), machine);
}

/** The same with a command that may have been submitted before. */
export function submitCommand(
  world: ClusterWorld,
  command: ClientCommand,
  machine = world.primary,
): Operation {
  const client = world.newClient();
  if (machine !== undefined) client.aim(machine);
  return client.submit(command);
}

/** Reads a resource strictly at one replica; undefined when it does not answer within `ms`. */
export function readAt(
  world: ClusterWorld,
  machine: ClusterMachine,
  resourceId: bigint,
  ms = 2_000,
): ResourceRead | ReservationRead | undefined {
  const client = world.newClient();
  client.aim(machine);
  const told: { result?: ResourceRead | ReservationRead | undefined; isOver: boolean } = {
    isOver: false,
  };
  client.readOnce(true, resourceId, false, (answer) => {
    told.isOver = true;
    told.result = answer?.result;
  });
  world.runUntil(() => told.isOver, ms);
  return told.result;
}

/** The replicas that are not primary. */
export function backupsOf(world: ClusterWorld): ClusterMachine[] {
  const primary = world.runToPrimary();
  return world.machines.filter((machine) => machine !== primary);
}

/** Lets time pass until another replica than `machine` accepts writes, which it must in time. */
export function runToSuccessor(world: ClusterWorld, machine: ClusterMachine): ClusterMachine {
  const isThere = (): boolean => world.primary !== undefined && world.primary !== machine;
  if (!world.runUntil(isThere, PATIENCE_MS)) {
    world.violated(`R18 a majority elects another primary than ${machine.id}`);
  }
  return world.primary!;
}

/** Lets time pass until a replica has applied everything that is decided, which it must in time. */
export function runToCaughtUp(world: ClusterWorld, machine: ClusterMachine): void {
  const isThere = (): boolean =>
    machine.subject?.status().appliedOp === BigInt(world.judges.truth.op);
  if (!world.runUntil(isThere, PATIENCE_MS)) {
    world.violated(`R18 a replica catches up: ${world.describe(machine)}`);
  }
}
