// AllocDB beside its peers: same machine, same disk, same minutes. See bench/README.md.
import { fromFileUrl, resolve } from "@std/path";
import { allocdb } from "./allocdb.ts";
import { installPackages } from "./install.ts";
import { describeMachine } from "./machine.ts";
import { openCandidate, runCommand, say, sayResult } from "./command.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { POSTGRESQL } from "./postgresql.ts";
import { DISK_APPEND, DISK_OVERWRITE } from "./raw_disk.ts";
import { REDIS } from "./redis.ts";
import { renderReport } from "./report.ts";
import { type Candidate, runRounds } from "./rounds.ts";
import { isGap, type Report, summarize } from "./summary.ts";

/** Debian packages; each starts a service of its own name. */
const PACKAGES = ["redis-server", "postgresql"];
const DEFAULT_DATA = fromFileUrl(new URL("../../dist/bench", import.meta.url));

async function measureAll(options: Options, work: string, signal: AbortSignal): Promise<Report> {
  const startedAt = new Date().toISOString();
  const machine = await describeMachine(work);
  if (machine.fileSystem === "tmpfs") {
    say("warning: tmpfs has no disk to sync; choose another --data");
  }
  const all = [DISK_APPEND, DISK_OVERWRITE, REDIS, POSTGRESQL, allocdb(options.allocdb)];
  const candidates: Candidate[] = [];
  for (const system of all.filter(({ name }) => options.systems.includes(name))) {
    candidates.push(await openCandidate(system, work, "bench:peers", signal));
  }
  const rows = await runRounds(candidates, { ...options, signal, onResult: sayResult });
  const systems = candidates.flatMap(({ name, peer }) =>
    "missing" in peer ? [] : [{ name, version: peer.version, settings: peer.settings }]
  );
  return { startedAt, seconds: options.seconds, machine, systems, ...summarize(rows) };
}

/** Everything between the command line and the exit code; leaves nothing on the disk. */
async function run(options: Options, signal: AbortSignal): Promise<number> {
  if (options.install) await installPackages(PACKAGES, signal, say);
  const data = resolve(options.data ?? DEFAULT_DATA);
  await Deno.mkdir(data, { recursive: true });
  const work = await Deno.makeTempDir({ dir: data, prefix: "peers." });
  await Deno.chmod(work, 0o711); // PostgreSQL's user has to pass through.
  try {
    const report = await measureAll(options, work, signal);
    console.log(options.json ? JSON.stringify(report, null, 2) : renderReport(report));
    return report.rows.some(isGap) ? 1 : 0;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

if (import.meta.main) {
  await runCommand("bench:peers", async (signal) => {
    const options = parseOptions(Deno.args);
    if (!options.help) return await run(options, signal);
    console.log(USAGE);
    return 0;
  });
}
