/** `allocdb jepsen`: one verb at a time. Source: docs/jepsen.md. */
import type { CliIo } from "../../node/cli/io.ts";
import type { JepsenRequest } from "../../node/cli/jepsen_options.ts";

/**
 * Runs one verb. What a verb needs is loaded when it runs.
 *
 * @param request What was asked for, checked.
 * @param io The outside.
 * @throws {CliError} See docs/jepsen.md#exit-codes.
 */
export async function runJepsen(request: JepsenRequest, io: CliIo): Promise<void> {
  switch (request.verb) {
    case "plan":
      return (await import("./command/plan.ts")).showPlan(request, io);
    case "analyze":
      return await (await import("./command/analyze.ts")).runAnalyze(request, io);
    case "convert":
      return await (await import("./command/convert.ts")).runConvert(request, io);
    case "run":
      return await (await import("./command/run.ts")).runRun(request, io);
    case "verify":
      return await (await import("./command/verify.ts")).runVerify(request, io);
    case "archive":
      return await (await import("./command/archive.ts")).runArchive(request, io);
    case "watch":
      return await (await import("./watch/watch.ts")).runWatch(request, io);
    case "compare":
      return await (await import("./command/compare.ts")).runCompare(request, io);
    case "serve":
      return await (await import("./command/serve.ts")).runServe(request, io);
  }
}
