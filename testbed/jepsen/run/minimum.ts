/** What has to have happened in a run so that its verdict says something: figures of coverage, by their names. */
import type { RunChoice } from "./options.ts";
import type { FaultWindow } from "./window.ts";

/** Of every run. */
const ALWAYS: Readonly<Record<string, number>> = {
  ...{ reserve_ok: 20, reserve_refused: 5, reserve_bundle_ok: 5, confirm_ok: 5, release_ok: 5 },
  ...{ get_resource_ok: 20, get_reservation_ok: 5 },
};

/** Of runs that have to leave somebody in doubt. */
const DOUBTFUL: Readonly<Record<string, number>> = { unanswered: 1 };

/** Of runs with faults. */
const FAULTED: Readonly<Record<string, number>> = {
  ...DOUBTFUL,
  ...{ faults: 1, faults_healed: 1, reads_during_faults: 5, writes_during_faults: 5 },
};

/** A view changes about this often, at least: once in so many seconds of faults. */
const VIEW_CHANGE_SECS = 120;

/** The figures of a run. */
export function minimumCoverage(
  { workload, nemesis }: RunChoice,
  { secs }: FaultWindow,
): Readonly<Record<string, number>> {
  if (nemesis === "none" || secs === undefined) {
    return workload === "ambiguous_write_retry" ? { ...ALWAYS, ...DOUBTFUL } : ALWAYS;
  }
  const changes = Math.floor(secs / VIEW_CHANGE_SECS);
  return { ...ALWAYS, ...FAULTED, ...(changes === 0 ? {} : { view_changes: changes }) };
}
