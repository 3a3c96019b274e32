/**
 * The server in front of a node that answers at once and stores nothing: what the wire alone costs.
 * Prints its port and serves until its standard input ends.
 */
import { createOutcome, OutcomeField, ResultCode } from "../core/outcome.ts";
import { CommandTag } from "../core/command.ts";
import { DEFAULT_CORE_CONFIG, DEFAULT_ENGINE_CONFIG } from "../core/config.ts";
import { bumpU64, copyU64 } from "../core/words.ts";
import type { NodeApi } from "../node/api.ts";
import { startServer } from "../node/server/server.ts";

function unsupported(): never {
  throw new Error("The stub only takes commands");
}

/** A node that stores nothing. */
export function stubNode(): NodeApi {
  const outcome = createOutcome();
  outcome.code = ResultCode.ok;
  const { words } = outcome;
  words[OutcomeField.epoch] = 1;
  return {
    identity: {
      clusterId: new Uint8Array(16),
      replicaId: 1n,
      core: DEFAULT_CORE_CONFIG,
      engine: DEFAULT_ENGINE_CONFIG,
    },
    submit(view, at, _end, _slot, sink, token): void {
      bumpU64(words, OutcomeField.appliedLsn, 1);
      outcome.hasReservation = view.getUint8(at + 1) === CommandTag.reserve;
      copyU64(words, OutcomeField.reservationId, words, OutcomeField.appliedLsn);
      sink.committed(token, outcome);
    },
    confirmAuthority: unsupported,
    getResource: unsupported,
    getReservation: unsupported,
    metrics: unsupported,
    tickExpirations: unsupported,
    checkpoint: unsupported,
    currentSlot: () => 0n,
  };
}

if (import.meta.main) {
  const server = startServer(stubNode(), { version: "stub", port: 0 });
  console.log(`${server.addr.hostname}:${server.addr.port}`);
  const buffer = new Uint8Array(1_024);
  while (await Deno.stdin.read(buffer) !== null);
  await server.drain(1_000);
}
