/** A planted bug that real processes under real faults show: how they are tortured, and what the judge has to say. */
import type { JepsenNemesis, JepsenWorkload } from "../../../node/cli/jepsen_options.ts";
import type { Edit } from "../mutant.ts";

/** One planted bug. */
export interface RealMutant {
  /** Unique; what `--only` takes. */
  readonly name: string;
  /** What the replicas do wrong, in one line. */
  readonly what: string;
  readonly edits: readonly Edit[];
  readonly workload: JepsenWorkload;
  readonly nemesis: JepsenNemesis;
  /** How long things go wrong, in seconds; how long the run takes when nothing does. */
  readonly windowSecs: number;
  /** Names of checks. The judge has to fail one of these: another one may fail too, but it would be luck. */
  readonly checks: readonly string[];
}
