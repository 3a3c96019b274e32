// What stands between a replica and its clients must change nothing in fair weather, and in bad weather only what
// its faults say: answers once, never a read that was confirmed too early, and never the client's bytes.
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { createOutcome, type Outcome } from "../../core/outcome.ts";
import type { NodeApi, ReadRefusal, Rejection, ResultSink } from "../../node/api.ts";
import type { LinkFault, LinkPorts } from "../../node/peer/line.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { ClientFace } from "./client_face.ts";
import { Lane } from "./lane.ts";
import { LeveledLog } from "./leveled_log.ts";

/** Time that moves when it is told to. */
class Time implements LinkPorts {
  #nowMs = 0;
  #due: { atMs: number; task: () => void }[] = [];
  readonly #random: SeededRandom;

  constructor(seed = 1) {
    this.#random = new SeededRandom(seed);
  }

  nowMs(): number {
    return this.#nowMs;
  }

  random(): number {
    return this.#random.below(1_000_000) / 1_000_000;
  }

  after(ms: number, task: () => void): () => void {
    const entry = { atMs: this.#nowMs + ms, task };
    this.#due.push(entry);
    return () => void (this.#due = this.#due.filter((other) => other !== entry));
  }

  /** Lets `ms` milliseconds pass, in order of what is due. */
  pass(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#due.filter(({ atMs }) => atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter((entry) => entry !== next);
      this.#nowMs = next.atMs;
      next.task();
    }
    this.#nowMs = endMs;
  }
}

/** A node that commits each command with the byte that it is, and counts. */
class Echo {
  readonly taken: number[] = [];
  authority = 0;
  readonly #outcome = createOutcome();

  submit(
    view: DataView,
    at: number,
    _end: number,
    _slot: bigint | undefined,
    sink: ResultSink,
    token: number,
  ): void {
    this.taken.push(view.getUint8(at));
    this.#outcome.words[0] = view.getUint8(at);
    sink.committed(token, this.#outcome);
  }

  confirmAuthority(done: (refusal: ReadRefusal | undefined) => void): void {
    this.authority++;
    done(undefined);
  }
}

class Answers implements ResultSink {
  readonly got: [token: number, value: number][] = [];

  committed(token: number, outcome: Outcome): void {
    this.got.push([token, outcome.words[0]!]);
  }

  rejected(token: number, _rejection: Rejection): void {
    this.got.push([token, -1]);
  }
}

function setUp(): { face: ClientFace; echo: Echo; answers: Answers; time: Time; lines: string[] } {
  const [echo, answers, time, lines] = [new Echo(), new Answers(), new Time(), [] as string[]];
  const tell = (line: string): void => void lines.push(line);
  const log = new LeveledLog({ debug: tell, info: tell, warn: tell, error: tell }, 1n);
  return {
    face: new ClientFace(echo as unknown as NodeApi, log, time),
    echo,
    answers,
    time,
    lines,
  };
}

/** One command per byte, from a buffer that is used again at once, as connections do. */
function submitAll(face: ClientFace, answers: Answers, count: number): void {
  const buffer = new DataView(new ArrayBuffer(4));
  for (let token = 0; token < count; token++) {
    buffer.setUint8(1, token);
    face.submit(buffer, 1, 2, undefined, answers, token);
  }
  buffer.setUint8(1, 255);
}

Deno.test("ClientFace hands everything on at once in fair weather", () => {
  const { face, echo, answers } = setUp();
  submitAll(face, answers, 5);
  assertEquals(answers.got, [[0, 0], [1, 1], [2, 2], [3, 3], [4, 4]]);
  assertEquals([echo.taken, face.submits], [[0, 1, 2, 3, 4], 5]);
});

Deno.test("ClientFace answers nothing through a cut, in whichever direction it is", () => {
  for (const [requests, taken] of [[{ cut: true }, 0], [undefined, 5]] as const) {
    const { face, echo, answers, time } = setUp();
    face.setFaults(requests, requests === undefined ? { cut: true } : undefined);
    submitAll(face, answers, 5);
    time.pass(10_000);
    assertEquals([answers.got, echo.taken.length], [[], taken]);
  }
});

Deno.test("ClientFace keeps bytes and outcomes of what is late as they were", () => {
  const { face, echo, answers, time } = setUp();
  face.setFaults({ delayMs: 30 }, { delayMs: 20 });
  submitAll(face, answers, 5);
  time.pass(29);
  assertEquals(echo.taken, []);
  time.pass(20);
  assertEquals([echo.taken, answers.got], [[0, 1, 2, 3, 4], []]);
  time.pass(1);
  assertEquals(answers.got, [[0, 0], [1, 1], [2, 2], [3, 3], [4, 4]]);
});

Deno.test("ClientFace answers each command at most once and with its own outcome, in any weather", () => {
  const share = fc.constantFrom(0, 0.3, 1);
  const fault: fc.Arbitrary<LinkFault | undefined> = fc.option(
    fc.record({
      drop: share,
      duplicate: share,
      reorder: share,
      delayMs: fc.nat(50),
      jitterMs: fc.nat(80),
      bytesPerSecond: fc.constantFrom(0, 1_000),
    }),
    { nil: undefined },
  );
  fc.assert(
    fc.property(fault, fault, (requests, replies) => {
      const { face, answers, time } = setUp();
      face.setFaults(requests, replies);
      submitAll(face, answers, 20);
      time.pass(60_000);
      const tokens = answers.got.map(([token]) => token);
      assertEquals(new Set(tokens).size, tokens.length);
      for (const [token, value] of answers.got) assertEquals(value, token);
      const losesNothing = requests?.drop !== 0.3 && requests?.drop !== 1 &&
        replies?.drop !== 0.3 && replies?.drop !== 1;
      if (losesNothing) assertEquals(tokens.length, 20);
    }),
    { seed: 4, numRuns: 200 },
  );
});

Deno.test("ClientFace asks for authority late rather than answering late: nothing is read before it is so", () => {
  const { face, echo, time } = setUp();
  face.setFaults({ delayMs: 30, duplicate: 1 }, { delayMs: 20 });
  let isRead = false;
  face.confirmAuthority(() => {
    assertEquals([echo.authority, isRead], [1, false]);
    isRead = true;
  });
  time.pass(49);
  assertEquals([echo.authority, isRead], [0, false]);
  time.pass(100);
  assertEquals(isRead, true);
});

Deno.test("Lane keeps the order of what is late unless it is told to reorder", () => {
  const time = new Time(9);
  const lane = new Lane(time);
  lane.set({ delayMs: 20, jitterMs: 20 });
  const got: number[] = [];
  for (let i = 0; i < 50; i++) lane.pass(1, () => got.push(i));
  time.pass(1_000);
  assertEquals(got, [...got].sort((a, b) => a - b));
  lane.set({ delayMs: 20, reorder: 0.5 });
  const mixed: number[] = [];
  for (let i = 0; i < 50; i++) lane.pass(1, () => mixed.push(i));
  time.pass(1_000);
  assertEquals([mixed.length, mixed.some((value, i) => value < (mixed[i - 1] ?? 0))], [50, true]);
});
