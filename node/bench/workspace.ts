/** The files of a run: in a directory of its own, and gone when the run is over. */
import { CliError } from "../errors.ts";

/** A directory that is removed with everything in it. */
export class Workspace implements Disposable {
  readonly path: string;

  /**
   * Makes the directory.
   *
   * @param parent Where; made if it does not exist. The system's place for temporary files if absent.
   * @throws {CliError} When it cannot be made.
   */
  constructor(parent: string | undefined) {
    try {
      if (parent !== undefined) Deno.mkdirSync(parent, { recursive: true });
      const dir = parent === undefined ? {} : { dir: parent };
      this.path = Deno.makeTempDirSync({ ...dir, prefix: "allocdb-bench-" });
    } catch (error) {
      throw refused(error, parent);
    }
  }

  /** Runs `body` with an empty directory, which is removed when it ends. */
  async lend<T>(body: (directory: string) => Promise<T>): Promise<T> {
    const directory = Deno.makeTempDirSync({ dir: this.path });
    try {
      return await body(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  }

  /** Removes it. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

function refused(error: unknown, parent: string | undefined): CliError {
  const denied = error instanceof Deno.errors.PermissionDenied;
  const text = error instanceof Error ? error.message : String(error);
  const place = parent ?? "the directory for temporary files";
  return new CliError(
    denied ? "E_PERMISSION_DENIED" : "E_IO",
    `cannot write to ${place}: ${text}`,
    {
      hint: "give a directory on the disk to measure: allocdb bench --data DIR",
      cause: error,
    },
  );
}
