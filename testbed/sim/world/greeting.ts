/** Whether one replica lets another one in, as far as their versions go: the hello that ships, through its bytes. */
import type { CoreConfig } from "../../../core/config.ts";
import { configFingerprint } from "../../../node/config/text.ts";
import { membersDigest, readPeerHello, writePeerHello } from "../../../node/peer/hello.ts";
import { PEER_PROTOCOL_VERSION } from "../../../node/peer/message_types.ts";
import { FRAME_HEADER_BYTES } from "../../../node/wire/framing.ts";
import { WireReader } from "../../../node/wire/reader.ts";
import { WireWriter } from "../../../node/wire/writer.ts";
import { CLUSTER_ID } from "../disk/data_directory.ts";
import type { ClusterMachine } from "./machine.ts";

/** What all replicas of a cluster agree on. */
export interface Membership {
  readonly core: CoreConfig;
  readonly members: readonly bigint[];
}

/** Where a hello says its version: behind the array's head and the type, which takes two bytes. */
const VERSION_AT = FRAME_HEADER_BYTES + 3;

const writer = new WireWriter();
const reader = new WireReader();

/**
 * Whether `dialled` accepts a connection of `dialling`. A program of another version is not at hand: it is taken to
 * refuse everybody but its like, as the one that ships does.
 */
export function isLetIn(
  membership: Membership,
  dialled: ClusterMachine,
  dialling: ClusterMachine,
): boolean {
  const { protocolVersion } = dialling;
  if (dialled.protocolVersion === protocolVersion) return true;
  if (dialled.protocolVersion !== PEER_PROTOCOL_VERSION) return false;
  const bytes = helloBytes(membership, dialled, dialling);
  if (bytes[VERSION_AT] !== PEER_PROTOCOL_VERSION) throw new Error("A hello has another shape");
  bytes[VERSION_AT] = protocolVersion;
  reader.open(new DataView(bytes.buffer), FRAME_HEADER_BYTES, bytes.length);
  const hello = readPeerHello(reader);
  if (hello === undefined) throw new Error("A hello does not survive its encoding");
  return hello !== "unsupported_version";
}

function helloBytes(
  { core, members }: Membership,
  dialled: ClusterMachine,
  dialling: ClusterMachine,
): Uint8Array {
  writer.clear(FRAME_HEADER_BYTES);
  writePeerHello(writer, {
    clusterId: CLUSTER_ID,
    from: dialling.id,
    to: dialled.id,
    membersDigest: membersDigest(members),
    fingerprint: configFingerprint(core),
    shardId: core.shardId,
    version: `0.1.${dialling.protocolVersion}`,
    auth: undefined,
  });
  return writer.bytes.slice(0, writer.end);
}
