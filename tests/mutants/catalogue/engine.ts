/** Bugs in what commands do. Every replica has them alike: only a second statement of the semantics can tell. */
import type { Mutant } from "../mutant.ts";

/** See the top of this file. */
export const ENGINE: readonly Mutant[] = [
  {
    name: "bundle-takes-one",
    what: "a bundle takes its first member only",
    edits: [{
      file: "core/transition/reserve.ts",
      find: "words[record + Reservation.memberCount] = command.memberCount;",
      replace: "words[record + Reservation.memberCount] = 1;",
    }],
    seedsMax: 10,
  },
  {
    name: "double-allocation",
    what: "a confirmed resource can be reserved again",
    edits: [{
      file: "core/transition/reserve.ts",
      find: "if (words[row * stride + Resource.state] !== ResourceState.available) {",
      replace:
        "const held = words[row * stride + Resource.state];\n    if (held !== ResourceState.available && held !== ResourceState.confirmed) {",
    }],
    seedsMax: 10,
  },
  {
    name: "holder-not-checked",
    what: "anybody may confirm or release",
    edits: [{
      file: "core/transition/holder.ts",
      find: "return ResultCode.holder_mismatch;",
      replace: "return ResultCode.ok;",
    }],
    seedsMax: 10,
  },
  {
    name: "fencing-token-stays",
    what: "a revoke leaves the fencing token as it was",
    edits: [{
      file: "core/transition/revoke.ts",
      find: "  bumpEpoch(engine, row);\n",
      replace: "",
    }],
    seedsMax: 10,
  },
  {
    name: "expires-what-is-confirmed",
    what: "a hold that was confirmed in time still runs out",
    edits: [{
      file: "core/transition/confirm.ts",
      find: "  unschedule(engine.wheel, row);\n",
      replace: "",
    }, {
      file: "core/transition/expire.ts",
      find:
        "if (reservationState(engine, row) !== ReservationState.reserved) return ResultCode.noop;",
      replace:
        "const state = reservationState(engine, row);\n  if (state !== ReservationState.reserved && state !== ReservationState.confirmed) return ResultCode.noop;",
    }],
    seedsMax: 10,
  },
  {
    name: "forgotten-early",
    what: "what has ended is forgotten one slot early",
    edits: [{
      file: "core/retire.ts",
      find: "return compareU64(words, retireAfter, engine.progress, Progress.lastSlot) < 0;",
      replace: "return compareU64(words, retireAfter, engine.progress, Progress.lastSlot) <= 0;",
    }],
    seedsMax: 10,
  },
];
