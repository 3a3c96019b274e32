/** Histories of other systems: the public ones where Go has them, else some that are like the few among the tests. */
import { basename } from "@std/path";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { logOf, memoryStress } from "../analysis/model_histories.ts";

const HISTORIES = new URL("../../tests/jepsen/histories/", import.meta.url).pathname;
const PEER = new URL("../analysis/porcupine/", import.meta.url).pathname;
/** As many as are public. */
const LOGS = 102;

/** Test data of Porcupine, a directory; undefined without Go or its module. */
export async function peerData(go: string): Promise<string | undefined> {
  const args = ["list", "-m", "-f", "{{.Dir}}", "github.com/anishathalye/porcupine"];
  try {
    const list = new Deno.Command(go, { args, cwd: PEER, stderr: "null" });
    const { success, stdout } = await list.output();
    const directory = new TextDecoder().decode(stdout).trim();
    return success && directory !== "" ? `${directory}/test_data` : undefined;
  } catch {
    return undefined;
  }
}

/** Paths of 102 logs of etcd. */
export async function etcdLogs(data: string | undefined, into: string): Promise<string[]> {
  // One of the public ones is empty.
  if (data !== undefined) {
    return filesIn(`${data}/jepsen`, ".log").filter((path) => Deno.statSync(path).size > 0);
  }
  const known = filesIn(HISTORIES, ".log").filter((path) => basename(path).startsWith("etcd_"));
  const paths = Array.from({ length: LOGS }, (_, i) => `${into}/etcd_like_${1_000 + i}.log`);
  for (const [i, path] of paths.entries()) {
    const text = await Deno.readTextFile(known[i % known.length]!);
    await Deno.writeTextFile(path, withOtherValues(text, Math.floor(i / known.length)));
  }
  return paths;
}

/** Texts under keys, ten clients: one valid, one not. */
export function keyedTexts(data: string | undefined): string[] {
  return data === undefined
    ? filesIn(HISTORIES, ".txt")
    : filesIn(`${data}/kv`, ".txt").filter((path) => basename(path).startsWith("c10"));
}

/** A hundred logs of ten clients on one register. */
export async function stressLogs(into: string): Promise<string[]> {
  const paths = Array.from({ length: 100 }, (_, i) => `${into}/stress_${1_000 + i}.log`);
  for (const [i, path] of paths.entries()) {
    await Deno.writeTextFile(path, logOf(memoryStress(new SeededRandom(i + 1))));
  }
  return paths;
}

/** Another name for each value leaves the verdict as it is; the first column is a process. */
function withOtherValues(log: string, by: number): string {
  const other = (value: string): string => `${Number(value) + by}`;
  return log.replaceAll(/[^\t\n]*$/gm, (shown) => shown.replaceAll(/\b\d+\b/g, other));
}

function filesIn(folder: string, ending: string): string[] {
  return [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(ending))
    .map(({ name }) => `${folder.replace(/\/$/, "")}/${name}`).sort();
}
