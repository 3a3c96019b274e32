/** The models by their names. */
import type { ModelName } from "../../history/model.ts";
import { makeKv } from "./kv.ts";
import { makeLock } from "./lock.ts";
import type { MachineMaker } from "./machine.ts";
import { makeMultiRegister } from "./multi_register.ts";
import { makeMutex } from "./mutex.ts";
import { makeCasRegister, makeRegister } from "./register.ts";
import { makeSet } from "./set.ts";

/** See the top of this file. */
export const MACHINES: Readonly<Record<ModelName, MachineMaker>> = {
  "register": makeRegister,
  "cas-register": makeCasRegister,
  "multi-register": makeMultiRegister,
  "mutex": makeMutex,
  "lock": makeLock,
  "kv": makeKv,
  "set": makeSet,
};

/** What a read of nil means where nobody says: transactions read nil before they are told, as Knossos has it. */
export const NIL_READS: Readonly<Record<ModelName, "value" | "unknown">> = {
  "register": "value",
  "cas-register": "value",
  "multi-register": "unknown",
  "mutex": "value",
  "lock": "value",
  "kv": "value",
  "set": "value",
};
