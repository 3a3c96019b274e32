/** Locks the directory that is its argument, says `held` and waits to be killed, or for its stdin to end. */
import { lockDirectory } from "../../node/io/lock.ts";

const result = await lockDirectory(Deno.args[0]!);
console.log(result.kind);
await Deno.stdin.read(new Uint8Array(1));
