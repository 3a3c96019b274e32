/**
 * Lives clusters by the number: `deno task swarm -- --seeds 1000 --from 1`. Prints the seeds that fail, and of
 * the first the end of its transcript; ends with 1 when there is one.
 */
import { drawPlan } from "../../testbed/sim/life/draw.ts";
import { explain, live } from "../../testbed/sim/life/life.ts";

if (import.meta.main) {
  const seeds = numberAfter("--seeds") ?? 1_000;
  const from = numberAfter("--from") ?? 1;
  const isVerbose = Deno.args.includes("--explain");
  const failing = swarm(from, seeds, isVerbose);
  if (failing.length > 0) {
    console.log(explain(drawPlan(failing[0]!, "swarm")));
    console.log(`failing seeds: ${failing.join(" ")}`);
  }
  Deno.exitCode = failing.length > 0 ? 1 : 0;
}

/** Runs the seeds and says how it went; answers those that fail. */
function swarm(from: number, count: number, isVerbose: boolean): number[] {
  const started = performance.now();
  const failing: number[] = [];
  const total = { events: 0, decided: 0, reads: 0, expirations: 0 };
  for (let seed = from; seed < from + count; seed++) {
    const { violation, plan, events, world } = live(drawPlan(seed, "swarm"));
    total.events += events;
    total.decided += world.judges.judged.decided;
    total.reads += world.judges.judged.reads;
    total.expirations += world.judges.judged.expirations;
    if (violation !== undefined) {
      failing.push(seed);
      console.log(`seed ${seed}: ${violation.message.split("\n")[0]}`);
    } else if (isVerbose) {
      console.log(`seed ${seed}: ${plan.strikes.map(({ fault }) => fault).join(" ")}`);
    }
  }
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(
    `${count} seeds from ${from} in ${seconds} s: ${failing.length} failed, ${total.events} events, ` +
      `${total.decided} entries, ${total.reads} reads, ${total.expirations} expirations`,
  );
  return failing;
}

function numberAfter(flag: string): number | undefined {
  const at = Deno.args.indexOf(flag);
  return at < 0 ? undefined : Number(Deno.args[at + 1]);
}
