/** From a replica's data directory to a node that takes part, or to why there is none. */
import { TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import { type Disk, DiskFault } from "../disk.ts";
import { loadOffer } from "../metadata/offer.ts";
import type { StoredMetadata } from "../metadata/metadata.ts";
import { Node } from "../node.ts";
import { logSizes, openNode } from "../open_node.ts";
import type { Recovered, RecoveryRefusal } from "../recover.ts";
import type { Offer } from "../vsr/events.ts";
import type { VsrTiming } from "../vsr/timing.ts";
import type { ReplicaOutside } from "./driver.ts";
import { finishInstall } from "./install.ts";
import {
  bootstrapLine,
  type LogFacts,
  notCountingLine,
  preparedFacts,
  transitionLine,
} from "./lines.ts";
import { MetadataMemory } from "./memory.ts";
import type { ReplicaOptions } from "./options.ts";
import { standingOf } from "./standing.ts";

/** What to open. */
export interface InnerParts {
  readonly options: ReplicaOptions;
  readonly stored: StoredMetadata;
  readonly timing: VsrTiming;
  readonly outside: ReplicaOutside;
}

/** A node that takes part once it is told to start, or why there is none. */
export type Inner =
  | {
    readonly kind: "opened";
    readonly node: Node;
    readonly memory: MetadataMemory;
  }
  /** The disk failed; it may be well later. */
  | { readonly kind: "disk_failed"; readonly fault: DiskFault }
  /** The files are not sound. */
  | { readonly kind: "refused"; readonly refusal: RecoveryRefusal };

/**
 * Opens a replica's data directory.
 *
 * @param parts What to open.
 * @returns The node, or why there is none.
 */
export function openInner(parts: InnerParts): Inner {
  const { options, stored } = parts;
  const fault = finishInstall(options.disk, stored.metadata, logSizes(options.segmentBytes));
  if (fault !== undefined) return { kind: "disk_failed", fault };
  const offer = readOffer(options.disk);
  if (offer instanceof DiskFault) return { kind: "disk_failed", fault: offer };
  const opened: { node: Node | undefined } = { node: undefined };
  const memory = new MetadataMemory(options.disk, stored, (before, now) => {
    options.log.info(transitionLine(before, now, logFacts(opened.node)));
  });
  const node = openNode({
    ...options,
    clusterId: stored.metadata.clusterId,
    replicaId: stored.metadata.replicaId,
    expectFresh: false,
    replication: {
      memory,
      outside: parts.outside,
      commitOpHint: stored.metadata.commitOpHint,
      protocol: (recovered) => protocolOf(parts, offer, recovered),
    },
  });
  if (!(node instanceof Node)) {
    if (node.fault !== undefined) return { kind: "disk_failed", fault: node.fault };
    return { kind: "refused", refusal: node };
  }
  opened.node = node;
  options.log.info(bootstrapLine(stored.metadata, node.driver.tipOp));
  return { kind: "opened", node, memory };
}

function protocolOf(
  { options, stored, timing }: InnerParts,
  offer: Offer | undefined,
  recovered: Recovered,
): ReturnType<NonNullable<Parameters<typeof openNode>[0]["replication"]>["protocol"]> {
  const { metadata } = stored;
  const { standing, reason } = standingOf(metadata, offer, recovered);
  if (reason !== undefined) options.log.warn(notCountingLine(reason));
  return {
    replicaId: metadata.replicaId,
    members: options.members,
    timing,
    random: options.random,
    view: metadata.view,
    logView: metadata.logView,
    offer,
    commitOp: readU64(recovered.tip, TipWord.op),
    standing,
    isManual: options.manualFailover ?? false,
  };
}

function readOffer(disk: Disk): Offer | undefined | DiskFault {
  try {
    return loadOffer(disk);
  } catch (error) {
    if (error instanceof DiskFault) return error;
    throw error;
  }
}

function logFacts(node: Node | undefined): LogFacts {
  if (node === undefined) return { preparedCount: 0n, highestPreparedLsn: undefined };
  return preparedFacts(node.driver.tipOp, node.executor.appliedOp);
}
