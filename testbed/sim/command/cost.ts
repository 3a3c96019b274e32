/** Where the time of a run goes: samples of the running function, as V8's profiler takes them. */
import inspector from "node:inspector";
import type { Data } from "../../../node/cli/output.ts";

/** Between two samples, in microseconds. */
const INTERVAL_US = 250;
/** How often a process that waits for the profiler looks up, in milliseconds. */
const ALIVE_MS = 50;
/** Functions in the table. */
const ROWS = 25;

/** A profile as V8 has it: a `.cpuprofile` when written as JSON. */
type Profile = inspector.Profiler.Profile;

/** Time that one function took itself, without what it called. */
export interface Cost {
  /** Name and place: `step queue.ts:31`. */
  readonly name: string;
  /** Of all samples, 0 to 1. */
  readonly share: number;
}

/** Samples this process until it is told to stop. */
export class CostMeter {
  readonly #session = new inspector.Session();

  /** Begins. */
  async start(): Promise<void> {
    this.#session.connect();
    await answerTo((done) => this.#session.post("Profiler.enable", done));
    const pace = { interval: INTERVAL_US };
    await answerTo((done) => this.#session.post("Profiler.setSamplingInterval", pace, done));
    await answerTo((done) => this.#session.post("Profiler.start", done));
  }

  /** Ends; answers what was seen. */
  async stop(): Promise<Profile> {
    const { profile } = await answerTo<inspector.Profiler.StopReturnType>((done) =>
      this.#session.post("Profiler.stop", done)
    );
    this.#session.disconnect();
    return profile;
  }
}

/** Waits for an answer of the profiler, which by itself keeps no process from ending. */
async function answerTo<T = object | undefined>(
  post: (done: (error: Error | null, answer: T) => void) => void,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setInterval(() => {}, ALIVE_MS);
  try {
    post((error, answer) => error === null ? resolve(answer) : reject(error));
    return await promise;
  } finally {
    clearInterval(timer);
  }
}

/** The dearest functions, and what the engine does besides: `(garbage collector)` and the like. */
export function dearest({ nodes }: Profile, rows = ROWS): Cost[] {
  const hits = new Map<string, number>();
  let all = 0;
  for (const { callFrame, hitCount = 0 } of nodes) {
    const name = nameOf(callFrame);
    if (name === "(idle)" || name === "(root)") continue;
    hits.set(name, (hits.get(name) ?? 0) + hitCount);
    all += hitCount;
  }
  const costs = [...hits].map(([name, count]) => ({ name, share: all === 0 ? 0 : count / all }));
  return costs.filter(({ share }) => share > 0).sort((a, b) => b.share - a.share).slice(0, rows);
}

/** The same as data, with what memory is used. */
export function costData(profile: Profile): Data {
  const rows = dearest(profile).map(({ name, share }) => [name, Math.round(share * 1e4) / 1e4]);
  const { rss, heapUsed } = Deno.memoryUsage();
  return { rss_bytes: rss, heap_used_bytes: heapUsed, self_share: Object.fromEntries(rows) };
}

/** The same for people. */
export function costText(profile: Profile): string {
  const { rss, heapUsed } = Deno.memoryUsage();
  const rows = dearest(profile).map(({ name, share }) =>
    `${(100 * share).toFixed(1).padStart(6)} %  ${name}\n`
  );
  const mebibytes = (bytes: number): string => `${Math.round(bytes / 0x10_0000)} MiB`;
  return `where the time goes, memory ${mebibytes(rss)}, heap ${mebibytes(heapUsed)}:\n${
    rows.join("")
  }`;
}

function nameOf({ functionName, url, lineNumber }: inspector.Runtime.CallFrame): string {
  const file = url.slice(url.lastIndexOf("/") + 1);
  const name = functionName === "" ? "(anonymous)" : functionName;
  return file === "" ? name : `${name} ${file}:${lineNumber + 1}`;
}
