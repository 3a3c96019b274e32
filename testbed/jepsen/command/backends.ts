/** Backends by their names. */
import type { JepsenBackend } from "../../../node/cli/jepsen_options.ts";
import type { Backend } from "../backend/backend.ts";
import { LocalBackend } from "../backend/local/local_backend.ts";

/** Makes the backend of a cluster in a workspace. */
export type MakeBackend = (workspace: string, notice: (text: string) => void) => Backend;

/**
 * What makes clusters of one kind.
 *
 * @param program Another build of allocdb to put under test.
 */
export function backendMaker(name: JepsenBackend, program: string | undefined): MakeBackend {
  switch (name) {
    case "local":
      return (workspace, notice) =>
        new LocalBackend({ workspace, notice, ...program === undefined ? {} : { program } });
  }
}
