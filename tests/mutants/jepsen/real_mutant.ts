/** A planted bug that real processes under real faults show: how they are tortured, and what the judge has to say. */
import type { JepsenNemesis, JepsenWorkload } from "../../../node/cli/jepsen_options.ts";
import type { Edit } from "../mutant.ts";

/** How a cluster is treated. */
export interface Torture {
  readonly workload: JepsenWorkload;
  readonly nemesis: JepsenNemesis;
  /** How long things go wrong, in seconds; how long there is load when nothing does. */
  readonly windowSecs: number;
}

/** One planted bug. */
export interface RealMutant extends Torture {
  /** Unique; what `--only` takes. */
  readonly name: string;
  /** What the replicas do wrong, in one line. */
  readonly what: string;
  readonly edits: readonly Edit[];
  /** Names of checks. The judge has to fail each of them: further ones may fail too, but nothing is made of that. */
  readonly checks: readonly string[];
}
