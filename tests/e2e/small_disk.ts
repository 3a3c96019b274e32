/** A file system with little room, for tests that fill it. */

/** A tmpfs that is unmounted and removed at the end. Needs the right to mount. */
export class SmallDisk implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Whether this user may mount one. */
  static async isAllowed(): Promise<boolean> {
    try {
      await using _disk = await SmallDisk.mount(64);
      return true;
    } catch {
      return false;
    }
  }

  /** Mounts one of so many KiB. */
  static async mount(kib: number): Promise<SmallDisk> {
    const path = Deno.makeTempDirSync({ prefix: "allocdb-e2e-disk-" });
    if (await succeeds("mount", "-t", "tmpfs", "-o", `size=${kib}k`, "tmpfs", path)) {
      return new SmallDisk(path);
    }
    Deno.removeSync(path);
    throw new Error("Cannot mount");
  }

  /** Takes all the room that is left. */
  fill(): void {
    using file = Deno.openSync(`${this.path}/ballast`, { create: true, append: true });
    const block = new Uint8Array(4_096);
    try {
      for (;;) file.writeSync(block);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    }
  }

  /** Gives back what {@linkcode SmallDisk.fill} took. */
  empty(): void {
    Deno.removeSync(`${this.path}/ballast`);
  }

  /** Allows writing, or no longer. */
  async remount(mode: "ro" | "rw"): Promise<void> {
    if (!await succeeds("mount", "-o", `remount,${mode}`, this.path)) {
      throw new Error("Cannot remount");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!await succeeds("umount", this.path)) throw new Error(`Cannot unmount ${this.path}`);
    Deno.removeSync(this.path);
  }
}

async function succeeds(command: string, ...args: string[]): Promise<boolean> {
  try {
    const io = { stdin: "null", stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command(command, { args, ...io }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
