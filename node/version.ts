/** Which build this is. */
import denoJson from "../deno.json" with { type: "json" };

/** Version of the program and of the package. */
export const VERSION: string = denoJson.version;

/** Commit that a compiled executable was built from; `source` when it runs from its sources. */
export function buildCommit(): string {
  return Deno.env.get("ALLOCDB_BUILD_COMMIT") ?? "source";
}
