/** `jepsen watch`: the same picture again and again, or once. */
import type { CliIo } from "../../../node/cli/io.ts";
import type { JepsenRequest } from "../../../node/cli/jepsen_options.ts";
import { jsonText } from "../../../node/cli/output.ts";
import { look } from "./look.ts";
import { dashboard } from "./render.ts";
import type { LaneView } from "./view.ts";

type WatchRequest = Extract<JepsenRequest, { readonly verb: "watch" }>;

const CLEAR_SCREEN = "\x1b[H\x1b[2J";

/** Watches until Ctrl-C, or looks once without `--follow`. */
export async function runWatch(request: WatchRequest, io: CliIo): Promise<void> {
  const { lanes, runId, follow, refreshMs } = request;
  const signal = follow ? io.interruption() : new AbortController().signal;
  do {
    const views = await Promise.all(lanes.map((lane) => look(lane, runId)));
    io.out.write(request.json ? jsonOf(views, follow) : drawn(views, request, io));
    if (follow) await io.sleep(refreshMs, signal);
  } while (follow && !signal.aborted);
}

function drawn(views: readonly LaneView[], request: WatchRequest, io: CliIo): string {
  const { color, refreshMs, follow } = request;
  const isFleet = views.length > 1 || views[0]!.name !== "run";
  const lines = dashboard(views, isFleet, { color, refreshMs, follow, nowMillis: Date.now() });
  const clear = follow && io.out.isTerminal ? CLEAR_SCREEN : "";
  return `${clear}${lines.map((line) => `${line}\n`).join("")}`;
}

/** Keys as the status file has them. */
function jsonOf(views: readonly LaneView[], isStream: boolean): string {
  const lanes = views.map(({ name, status, problem, replicas, events }) => ({
    name,
    status: status === undefined ? null : Object.fromEntries(status),
    problem: problem ?? null,
    replicas: replicas.map(({ view, commit, lag, ...replica }) => ({
      ...replica,
      view: view?.toString() ?? null,
      commit: commit?.toString() ?? null,
      lag: lag?.toString() ?? null,
    })),
    events,
  }));
  return jsonText({ version: 1, lanes }, isStream ? 0 : 2);
}
