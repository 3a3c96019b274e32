/** Load from inside the node's process, batch after batch: nothing between the client and the node. */
import { CommandTag } from "../../core/command.ts";
import type { Node } from "../node.ts";
import { BatchClient } from "./batch_client.ts";
import { TTL_SLOTS } from "./load_bounds.ts";
import { invariantViolation } from "./scenario.ts";

const FIRST_EPOCH = 1;
const HOLDER_ID = 7;

/** Reserves, confirms and releases; one batch is one write and one sync. */
export class InsideLoad {
  /** Commands that have been answered. */
  commands = 0;
  readonly #scenario: string;
  readonly #client: BatchClient;
  readonly #batch: number;
  readonly #claims: Float64Array;
  #operationId = 0;
  #turn = 0;

  /**
   * @param scenario For the message when a result is none that a correct build gives.
   * @param node The node.
   * @param batch Most commands in a batch.
   */
  constructor(scenario: string, node: Node, batch: number) {
    this.#scenario = scenario;
    this.#client = new BatchClient(node, batch);
    this.#batch = batch;
    this.#claims = new Float64Array(batch);
  }

  /** Creates `count` resources from `first` on, at most a batch. */
  create(first: number, count: number): Promise<void> {
    return this.#all(CommandTag.create_resource, count, (i) => first + i, 0);
  }

  /** Reserves `count` resources from `first` on, at most a batch, and keeps the claims. */
  async reserve(first: number, count: number): Promise<void> {
    await this.#all(CommandTag.reserve, count, (i) => first + i, TTL_SLOTS);
    for (let i = 0; i < count; i++) this.#claims[i] = this.#client.reservationId(i);
  }

  /** Confirms the first `count` claims of the last reserve. */
  confirm(count: number): Promise<void> {
    return this.#all(CommandTag.confirm, count, (i) => this.#claims[i]!, FIRST_EPOCH);
  }

  /** Releases the first `count` claims of the last reserve. */
  release(count: number): Promise<void> {
    return this.#all(CommandTag.release, count, (i) => this.#claims[i]!, FIRST_EPOCH);
  }

  /** A batch of reserves, of confirms or of releases, in turn, of the resources from `first` on. */
  next(first: number): Promise<void> {
    switch (this.#turn++ % 3) {
      case 0:
        return this.reserve(first, this.#batch);
      case 1:
        return this.confirm(this.#batch);
      default:
        return this.release(this.#batch);
    }
  }

  async #all(
    tag: CommandTag,
    count: number,
    subject: (index: number) => number,
    quantity: number,
  ): Promise<void> {
    const client = this.#client;
    client.begin();
    for (let i = 0; i < count; i++) {
      const operationId = ++this.#operationId;
      client.put({ tag, operationId, subjectId: subject(i), holderId: HOLDER_ID, quantity });
    }
    await client.answered();
    const failure = client.firstFailure();
    if (failure !== undefined) {
      const step = `batch up to operation ${this.#operationId}`;
      throw invariantViolation(this.#scenario, step, `${failure} instead of ok`);
    }
    this.commands += count;
  }
}
