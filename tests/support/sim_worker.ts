// A process that is told seeds as a worker of the simulator is, and does with each what its last digit says: lives it,
// dies, says something else, says it of another seed, or never ends. Everything else it lives.
const outcome = (seed: number): string =>
  `${
    JSON.stringify({
      ...{
        seed,
        violation: seed % 10 === 7 ? "R1 something: replica 2" : null,
        hash: "0".repeat(16),
      },
      ...{ isCutShort: false, events: 10, simulatedMs: 1_000, realMs: 1, counts: { decided: 1 } },
    })
  }\n`;

let text = "";
for await (const more of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  text += more;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
    act(Number(text.slice(0, end)));
    text = text.slice(end + 1);
  }
}

function act(seed: number): void {
  switch (seed % 10) {
    case 1:
      console.error("a last word");
      return Deno.exit(9);
    case 2:
      return Deno.kill(Deno.pid, "SIGKILL");
    case 3:
      return say("not a line of an outcome\n");
    case 4:
      return say(outcome(seed + 1));
    case 5:
      return;
    default:
      return say(outcome(seed));
  }
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}
