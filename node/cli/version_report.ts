/** What build this is, in one line and in full. */
import { buildCommit, VERSION } from "../version.ts";
import type { Report } from "./output.ts";

/** For `--version`: version, commit, runtime. */
export function versionLine(): string {
  return `allocdb ${VERSION} (${buildCommit()}, deno ${Deno.version.deno})`;
}

/** For `version`. */
export function versionReport(): Report {
  const { deno, v8, typescript } = Deno.version;
  return {
    data: {
      version: VERSION,
      commit: buildCommit(),
      deno,
      v8,
      typescript,
      target: Deno.build.target,
      compiled: Deno.build.standalone,
    },
    quiet: VERSION,
  };
}
