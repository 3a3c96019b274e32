/** Who answered writes: nearly always the same as last time, and kept once. */
import type { ServedBy } from "../../history/operation.ts";

const PLACES = 64;

/** See the top of this file. */
export class ServerPool {
  readonly #servers: (ServedBy | undefined)[] = new Array<undefined>(PLACES).fill(undefined);

  /** That server, in that role and view. */
  of(replicaId: number, role: string, view: bigint): ServedBy {
    const place = Math.abs(replicaId) % PLACES;
    const known = this.#servers[place];
    const isSame = known?.replicaId === replicaId && known.role === role && known.view === view;
    if (isSame) return known;
    return this.#servers[place] = { replicaId, role, view };
  }
}
