// What `allocdb jepsen analyze` takes as a whole, from the start of the process to its exit code. See bench/README.md.
import { parseArgs } from "@std/cli/parse-args";
import { renderTable } from "../../node/cli/table.ts";
import { buildPeer, runPeer } from "../analysis/porcupine.ts";
import { type Case, CASES } from "./cases.ts";
import { peerData } from "./foreign_files.ts";
import { measure, type Measured } from "./measure.ts";

const USAGE =
  "bench/jepsen [--binary dist/allocdb] [--case wide,hot-1000] [--rounds 3] [--go go] [--files DIRECTORY]";
const SOURCES = new URL("../../cli.ts", import.meta.url).pathname;

interface Program {
  readonly path: string;
  readonly args: readonly string[];
}

interface Row {
  readonly name: string;
  readonly about: string;
  readonly runs: readonly Measured[];
  readonly remark: string;
  readonly targetSeconds: number;
  readonly targetMegabytes: number | undefined;
}

if (import.meta.main) await main();

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, {
    string: ["binary", "case", "rounds", "go", "files"],
    default: { rounds: "3", go: "go" },
  });
  const names = flags.case?.split(",");
  const cases = CASES.filter(({ name }) => names === undefined || names.includes(name));
  const rounds = Number(flags.rounds);
  if (cases.length === 0 || !(rounds >= 1)) throw new Error(USAGE);
  const program = flags.binary === undefined
    ? { path: Deno.execPath(), args: ["run", "--allow-all", SOURCES] }
    : { path: await Deno.realPath(flags.binary), args: [] };
  const work = flags.files ?? await Deno.makeTempDir();
  try {
    const rows: Row[] = [];
    for (const each of cases) {
      rows.push(await runCase(each, program, rounds, work, flags.go ?? "go"));
    }
    console.log(tableOf(rows));
  } finally {
    if (flags.files === undefined) await Deno.remove(work, { recursive: true });
  }
}

/** Its files are there only meanwhile. */
async function runCase(
  each: Case,
  program: Program,
  rounds: number,
  work: string,
  go: string,
): Promise<Row> {
  const directory = `${work}/${each.name}`;
  await Deno.mkdir(directory);
  const files = await each.make({ directory, peerData: await peerData(go) });
  const report = `${directory}/report`;
  const flags = [
    ...each.flags ?? [],
    ...each.pageBytesMax === undefined ? [] : ["--report", report],
  ];
  const args = [...program.args, "jepsen", "analyze", "--stats", ...flags, ...files];
  const runs: Measured[] = [];
  for (let round = 0; round < rounds; round++) {
    runs.push(await measure(program.path, args));
    console.error(`${each.name}: ${runs.at(-1)!.cpuSeconds.toFixed(2)} s of processor time`);
  }
  const remarks = [
    ...runs.some(({ code }) => code !== each.code) ? [`NOT exit code ${each.code}`] : [],
    ...each.pageBytesMax === undefined ? [] : [pageRemark(report, each.pageBytesMax)],
    ...each.isForeign === true ? [await peerRemark(go, directory, files, runs[0]!)] : [],
  ];
  const { name, about, targetSeconds, targetMegabytes } = each;
  return { name, about, runs, remark: remarks.join("; "), targetSeconds, targetMegabytes };
}

function pageRemark(report: string, bytesMax: number): string {
  const { size } = Deno.statSync(`${report}/report.html`);
  return `page of ${(size / 1e6).toFixed(1)} MB of ${bytesMax / 1e6}`;
}

/** The peer's time is that of checking alone. */
async function peerRemark(
  go: string,
  directory: string,
  files: readonly string[],
  ours: Measured,
): Promise<string> {
  const peer = await buildPeer(go, directory);
  if (peer === undefined) return "no peer";
  const theirs = await runPeer(peer, files, 1, []);
  const cpuSeconds = theirs.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1_000;
  const verdicts = linesOf(ours).map(([, verdict]) => verdict);
  const same = theirs.filter(({ verdict }, i) => verdict === verdicts[i]).length;
  return `${same} of ${files.length} as Porcupine, whose checks take ${cpuSeconds.toFixed(2)} s`;
}

/** The lines of files, as words. */
function linesOf({ stdout }: Measured): string[][] {
  return stdout.split("\n").filter((line) => line !== "" && !line.startsWith(" ")).map((line) =>
    line.split("\t")
  );
}

/** Seconds from opening files to their verdicts, by the program's own clock. */
function checkSeconds(measured: Measured): number {
  return linesOf(measured).reduce((sum, words) => sum + Number(words[6] ?? 0), 0);
}

function tableOf(rows: readonly Row[]): string {
  const head = ["CASE", "", "PROCESSOR", "TARGET", "RATIO", "MAIN", "WALL", "CHECKS", "PEAK", ""];
  return renderTable([head, ...rows.map(cellsOf)]);
}

function cellsOf({ name, about, runs, remark, targetSeconds, targetMegabytes }: Row): string[] {
  const cpu = medianOf(runs, ({ cpuSeconds }) => cpuSeconds);
  const peak = medianOf(runs, ({ peakMegabytes }) => peakMegabytes);
  const most = targetMegabytes === undefined ? "" : ` of ${targetMegabytes}`;
  return [
    ...[name, about, seconds(cpu), seconds(targetSeconds), (cpu / targetSeconds).toFixed(2)],
    seconds(medianOf(runs, ({ mainSeconds }) => mainSeconds)),
    ...[seconds(medianOf(runs, (it) => it.wallSeconds)), seconds(medianOf(runs, checkSeconds))],
    ...[`${peak.toFixed(0)}${most} MB`, remark],
  ];
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`.padStart(8);
}

function medianOf(runs: readonly Measured[], figure: (run: Measured) => number): number {
  return runs.map(figure).sort((a, b) => a - b)[runs.length >> 1]!;
}
