/** A server process of this program, under the bounds that the load scenarios need. */
import { AllocDbClient } from "../client/client.ts";
import type { Metrics } from "../api.ts";
import { ServerProcess } from "../process_self.ts";
import { LaneFactory, type Load } from "./closed_loop.ts";
import { loadBoundFlags, TTL_SLOTS } from "./load_bounds.ts";
import { LoadConnection } from "./load_connection.ts";
import type { BenchContext } from "./scenario.ts";

/** A server to load. */
export class LoadedServer implements AsyncDisposable {
  readonly #process: ServerProcess;
  readonly #client: AllocDbClient;
  readonly #lanes = new LaneFactory(BigInt(TTL_SLOTS));

  private constructor(process: ServerProcess, client: AllocDbClient) {
    this.#process = process;
    this.#client = client;
  }

  /** Starts a server on an empty directory, without checkpoints, which would disturb some loads and not others. */
  static async start({ directory, program }: BenchContext): Promise<LoadedServer> {
    const process = await ServerProcess.start(program, [
      ...["--data", `${directory}/data`, "--listen", "127.0.0.1:0", "--manual-checkpoint"],
      ...loadBoundFlags(),
    ]);
    try {
      const client = await AllocDbClient.connect({ address: process.serving.listen });
      return new LoadedServer(process, client);
    } catch (error) {
      await process.stop();
      throw error;
    }
  }

  /** Opens the connections of a load. Their resources and clients are theirs alone. */
  async connect(load: Load): Promise<LoadConnection[]> {
    const { listen } = this.#process.serving;
    const opening = Array.from(
      { length: load.connections },
      () => LoadConnection.open(listen, this.#lanes.lanes(load)),
    );
    return await Promise.all(opening);
  }

  /** The server's own figures. */
  metrics(): Promise<Metrics> {
    return this.#client.metrics();
  }

  /** Stops the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
    await this.#process.stop();
  }
}
