/** What operators and timers do at the worst of times. */
import type { FaultAct } from "./scene.ts";

/** What each of these faults does. */
export const OPERATOR_FAULTS = {
  view_change: (scene) => scene.any().reachSubject((subject) => subject.startViewChange()),
  checkpoint: (scene) => scene.any().reachSubject((subject) => subject.checkpoint(() => {})),
} as const satisfies Record<string, FaultAct>;
