/** A thread of the fuzzer that says where it is, target 1 at case 7, and then never says anything again. */
import { workerData } from "node:worker_threads";
import { beatOf, type ThreadData } from "../../tools/fuzz/thread.ts";

beatOf((workerData as ThreadData).beat).set([1, 7]);
for (;;);
