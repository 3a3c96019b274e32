// `allocdb cluster` in a directory of its own, over real processes: fake replicas unless told otherwise.
import { fromFileUrl, join } from "@std/path";
import { main } from "../../cli.ts";
import { runCluster } from "../../cluster/main.ts";
import { controlPorts } from "../../cluster/runner/control.ts";
import { type ClusterLayout, replicaOf } from "../../cluster/workspace/layout.ts";
import { readPidFile } from "../../cluster/workspace/pid_file.ts";
import { signalProcess } from "../../cluster/workspace/processes.ts";
import { readTimeline } from "../../cluster/workspace/timeline.ts";
import type { TimelineEvent } from "../../cluster/workspace/timeline_text.ts";
import { LAYOUT_FILE, readLayout, TIMELINE_FILE } from "../../cluster/workspace/workspace_files.ts";
import type { Program } from "../../node/process_self.ts";
import type { Runners } from "../../node/cli/program.ts";
import { type Surroundings, testIo } from "./cli_io.ts";
import { type Mood, moodPath } from "./fake_replica.ts";

/** What a command line came to. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function denoProgram(path: string): Program {
  const script = fromFileUrl(new URL(path, import.meta.url));
  return { path: Deno.execPath(), args: ["run", "--allow-all", "--no-check", "--quiet", script] };
}

/** Fake replicas. */
export const FAKES: Program = denoProgram("./fake_replica.ts");
/** The program itself, from source. */
export const REAL: Program = denoProgram("../../cli.ts");

const nothing = (): Promise<never> => Promise.reject(new Error("not in this test"));

/** A directory for a workspace and everything that a test does to it. Ends its processes, and only those. */
export class ClusterCommands implements AsyncDisposable {
  /** Exists; the workspace in it does not yet. */
  readonly directory: string;
  readonly workspace: string;
  readonly #program: Program;

  private constructor(directory: string, program: Program) {
    this.directory = directory;
    this.workspace = join(directory, "ws");
    this.#program = program;
  }

  static async create(program: Program = FAKES): Promise<ClusterCommands> {
    return new ClusterCommands(await Deno.realPath(await Deno.makeTempDir()), program);
  }

  /** Runs `allocdb cluster VERB …` on the workspace, or on another one. */
  async run(
    line: string,
    workspace: string = this.workspace,
    surroundings: Surroundings = {},
  ): Promise<Ran> {
    const io = testIo({}, surroundings);
    const outside = { control: controlPorts(), program: this.#program };
    const runners: Runners = {
      runCluster: (request, to) => runCluster(request, to, outside),
      ...{ runServe: nothing, runReplica: nothing, locateReplica: nothing },
      ...{ runDemo: nothing, runSim: nothing, runBench: nothing, runJepsen: nothing },
    };
    const [verb, ...words] = line.split(" ").filter((word) => word !== "");
    const argv = ["cluster", verb!, "--workspace", workspace, ...words];
    const code = await main(argv, io, runners);
    return { code, stdout: io.stdout(), stderr: io.stderr() };
  }

  /** The same, which must succeed. */
  async ok(line: string, workspace?: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(line, workspace);
    if (code !== 0) throw new Error(`cluster ${line} ended with ${code}: ${stderr}`);
    return stdout;
  }

  layout(): ClusterLayout {
    return readLayout(join(this.workspace, LAYOUT_FILE))!;
  }

  /** What the timeline holds. */
  events(): readonly TimelineEvent[] {
    return readTimeline(join(this.workspace, TIMELINE_FILE)).events;
  }

  /** Tells a fake replica how to behave from its next start on. */
  setMood(id: bigint, mood: Mood): void {
    Deno.writeTextFileSync(moodPath(replicaOf(this.layout(), id)!), mood);
  }

  /** Numbers of the processes that run, by replica. */
  pids(): ReadonlyMap<bigint, number> {
    const found = new Map<bigint, number>();
    for (const { id, pidPath } of this.layout().replicas) {
      const file = readPidFile(pidPath);
      if (file.kind === "running") found.set(id, file.mark.pid);
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const run of await runDirectories(this.directory)) {
      for await (const { name } of Deno.readDir(run)) {
        const file = readPidFile(join(run, name));
        if (file.kind === "running") signalProcess(file.mark, "SIGKILL");
      }
    }
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** The `run` directories of all workspaces that a test made. */
async function runDirectories(directory: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(directory)) {
    const run = join(directory, name, "run");
    try {
      await Deno.stat(run);
      found.push(run);
    } catch (error) {
      const isNone = error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.NotADirectory;
      if (!isNone) throw error;
    }
  }
  return found;
}

/** A test of processes that are meant to outlive whoever started them, which the sanitizers take for leaks. */
export function clusterTest(
  name: string,
  test: (commands: ClusterCommands) => Promise<void>,
  program: Program = FAKES,
): void {
  Deno.test({
    name,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using commands = await ClusterCommands.create(program);
      await test(commands);
    },
  });
}
