/** Every planted bug. */
import { ELECTIONS } from "./catalogue/elections.ts";
import { ENGINE } from "./catalogue/engine.ts";
import { READS } from "./catalogue/reads.ts";
import { REPLICATION } from "./catalogue/replication.ts";
import { STORAGE } from "./catalogue/storage.ts";
import type { Mutant } from "./mutant.ts";

/** See the top of this file. */
export const MUTANTS: readonly Mutant[] = [
  ...ELECTIONS,
  ...REPLICATION,
  ...READS,
  ...STORAGE,
  ...ENGINE,
];
