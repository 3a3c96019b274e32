/** The server of the demo: a process of its own on a temporary directory, which is killed and started again. */
import { AllocDbClient } from "../client/client.ts";
import type { Metrics } from "../api.ts";
import { type Program, ServerProcess } from "../process_self.ts";

/** A server whose address outlives its process. */
export class DemoServer {
  readonly #program: Program;
  readonly #data: string;
  #process: ServerProcess;

  private constructor(program: Program, data: string, process: ServerProcess) {
    this.#program = program;
    this.#data = data;
    this.#process = process;
  }

  /**
   * Starts a server on a free port.
   *
   * @param program This program.
   * @param data Its data directory.
   * @throws {Error} A `CliError`, when it does not start.
   */
  static async start(program: Program, data: string): Promise<DemoServer> {
    return new DemoServer(program, data, await spawn(program, data, "127.0.0.1:0"));
  }

  get address(): string {
    return this.#process.serving.listen;
  }

  get pid(): number {
    return this.#process.serving.pid;
  }

  /** `kill -9`. Resolves when the process is gone. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  /** Starts a new process on the same data and the same address; answers how it found the data. */
  async restart(): Promise<Metrics["recovery"]> {
    this.#process = await spawn(this.#program, this.#data, this.address);
    await using client = await this.connect();
    return (await client.metrics()).recovery;
  }

  /** A connection that goes on across restarts. */
  connect(): Promise<AllocDbClient> {
    return AllocDbClient.connect({
      address: this.address,
      clientName: "allocdb demo",
      requestTimeoutMs: 30_000,
      reconnectBackoffMsMax: 40,
    });
  }

  /** Stops it as SIGTERM does. */
  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

function spawn(program: Program, data: string, listen: string): Promise<ServerProcess> {
  return ServerProcess.start(program, ["--data", data, "--listen", listen, "--profile", "small"]);
}
