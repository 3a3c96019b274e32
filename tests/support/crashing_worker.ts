/** A thread of the fuzzer that dies at case 3 of its first target of an error that nobody catches. */
import { workerData } from "node:worker_threads";
import { beatOf, type ThreadData } from "../../tools/fuzz/thread.ts";

beatOf((workerData as ThreadData).beat).set([0, 3]);
throw new RangeError("planted");
