/**
 * The two sectors that a replica keeps beside its metadata: what it offered, and which snapshot it is installing. Both are
 * read at every start and believed only as a whole.
 */
import { crc32c } from "../../../core/crc32c.ts";
import { decodeOffer, encodeOffer } from "../../../node/metadata/offer.ts";
import { decodeNote, encodeNote } from "../../../node/replica/install.ts";
import { join, mutate } from "../mutate.ts";
import type { FuzzRandom } from "../random.ts";
import { expectSameBytes, type Target } from "../target.ts";

/** Reads bytes and writes what it read; `undefined` for what is refused. */
export type Rewrite = (bytes: Uint8Array) => Uint8Array | undefined;

/** An offer, read and written again. */
export function rewriteOffer(bytes: Uint8Array): Uint8Array | undefined {
  const offer = decodeOffer(bytes);
  return offer && encodeOffer(offer);
}

/** A note, read and written again. */
export function rewriteNote(bytes: Uint8Array): Uint8Array | undefined {
  const note = decodeNote(bytes);
  return note && encodeNote(note);
}

/** `replica.metadata.prepare`. */
export function offerTarget(rewrite: Rewrite = rewriteOffer): Target {
  return sectorTarget("offer", rewrite, (random) => {
    const [view, logView, op, hash] = [random.u64(), random.u64(), random.u64(), random.u64()];
    return encodeOffer({ view, logView, op, hash });
  });
}

/** `state.snapshot.install`. */
export function installNoteTarget(rewrite: Rewrite = rewriteNote): Target {
  return sectorTarget(
    "install_note",
    rewrite,
    (random) => encodeNote({ op: random.u64(), hash: random.u64() }),
  );
}

/** The first byte of an input says whether the checksum is put right. */
function sectorTarget(
  name: string,
  rewrite: Rewrite,
  encode: (random: FuzzRandom) => Uint8Array,
): Target {
  return {
    name,
    outcomes: ["ok", "ok sealed", "refused", "refused sealed"],
    draw: (random) => {
      const bytes = encode(random);
      const isDamaged = !random.oneIn(6);
      const isSealed = Uint8Array.of(random.below(2));
      return join(isSealed, isDamaged ? mutate(random, bytes, encode(random)) : bytes);
    },
    judge: (input) => {
      const bytes = input.slice(1);
      const isSealed = input[0] === 1 && bytes.length >= 8;
      if (isSealed) {
        new DataView(bytes.buffer).setUint32(0, crc32c(bytes, 4, bytes.length), true);
      }
      const again = rewrite(bytes);
      if (again !== undefined) expectSameBytes(again, bytes, "written again");
      return `${again === undefined ? "refused" : "ok"}${isSealed ? " sealed" : ""}`;
    },
  };
}
