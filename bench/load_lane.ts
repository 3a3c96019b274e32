/**
 * One stream of requests with one batch under way at a time: its frame is built once, then only operation
 * ids, reservation ids and the checksum change.
 */
import { CommandTag, createCommand, Field } from "../core/command.ts";
import { encodeCommand } from "../core/command_codec.ts";
import { writeU128, writeU64 } from "../core/words.ts";
import { writeFrameHeader } from "../node/framing.ts";
import { beginSubmit } from "../node/wire_submit.ts";
import { WireWriter } from "../node/wire_writer.ts";

/**
 * - `create`: new resources for as long as there are any.
 * - `reserve`: the lane's own resources, again and again; all but the first round are busy.
 * - `cycle`: reserve, confirm and release the lane's own resources, a batch of each in turn.
 */
export type Workload = "create" | "reserve" | "cycle";

/** What a lane sends and to whom it belongs. */
export interface LaneOptions {
  readonly workload: Workload;
  /** Commands in one request. */
  readonly batch: number;
  /** Request id, unique in its connection. */
  readonly requestId: number;
  /** Client id and high half of every operation id, unique in this run. */
  readonly clientId: bigint;
  /** First resource id; the lane uses the `batch` ids from it on. */
  readonly firstResourceId: bigint;
  readonly ttlSlots: bigint;
}

/** A frame that is sent again and again with other numbers in it. */
interface Template {
  readonly out: WireWriter;
  /** Where each command starts. */
  readonly starts: readonly number[];
}

/** Low word of an operation id: a run has less than 2^32 operations. */
const OPERATION_LOW = 2 + 1 + 12;
const SUBJECT = 2 + 2 * 17 + 1;
const EPOCH = 2 + 4 * 17;
/** In a result with a reservation. */
const RESULT_ID = 13;
const RESULT_EPOCH = 29;

/** See the top of the file. */
export class Lane {
  /** Requests sent and not answered: 0 or 1. */
  sentAtMs = 0;
  readonly #options: LaneOptions;
  readonly #templates: readonly Template[];
  #turn = 0;
  #operation = 0;
  #nextResourceId: bigint;

  /** @param options What it sends. */
  constructor(options: LaneOptions) {
    this.#options = options;
    this.#nextResourceId = options.firstResourceId;
    this.#templates = TAGS[options.workload].map((tag) => buildTemplate(options, tag));
  }

  /** A request that creates the lane's resources, which every workload but `create` wants to find. */
  setup(): Uint8Array {
    const template = buildTemplate(this.#options, CommandTag.create_resource);
    this.#finish(template);
    return template.out.bytes.subarray(0, template.out.end);
  }

  /** The next request. Valid until the call after it. */
  next(): Uint8Array {
    const template = this.#templates[this.#turn % this.#templates.length]!;
    this.#turn++;
    if (this.#options.workload === "create") this.#renumberResources(template);
    this.#finish(template);
    return template.out.bytes.subarray(0, template.out.end);
  }

  /** Takes the claim from a result of this lane's reserve over into the frames that need it. */
  granted(index: number, view: DataView, at: number): void {
    for (let turn = 1; turn < this.#templates.length; turn++) {
      const { out, starts } = this.#templates[turn]!;
      const command = starts[index]!;
      for (let i = 0; i < 16; i += 4) {
        out.view.setUint32(command + SUBJECT + i, view.getUint32(at + RESULT_ID + i));
      }
      for (let i = 0; i < 9; i++) {
        out.bytes[command + EPOCH + i] = view.getUint8(at + RESULT_EPOCH + i);
      }
    }
  }

  #finish(template: Template): void {
    const { out, starts } = template;
    for (const start of starts) out.view.setUint32(start + OPERATION_LOW, this.#operation++);
    writeFrameHeader(out.bytes, out.view, 0, out.end);
  }

  #renumberResources({ out, starts }: Template): void {
    for (const start of starts) {
      out.view.setBigUint64(start + SUBJECT + 8, this.#nextResourceId++);
    }
  }
}

const TAGS: Readonly<Record<Workload, readonly CommandTag[]>> = {
  create: [CommandTag.create_resource],
  reserve: [CommandTag.reserve],
  cycle: [CommandTag.reserve, CommandTag.confirm, CommandTag.release],
};

function buildTemplate(options: LaneOptions, tag: CommandTag): Template {
  const { batch, clientId, firstResourceId, requestId } = options;
  const out = new WireWriter();
  const command = createCommand(1);
  const starts: number[] = [];
  beginSubmit(out, requestId, undefined, batch);
  for (let i = 0; i < batch; i++) {
    command.tag = tag;
    writeU128(command.words, Field.operationId, clientId << 64n);
    writeU128(command.words, Field.clientId, clientId);
    writeU128(command.words, Field.subjectId, firstResourceId + BigInt(i));
    writeU128(command.words, Field.holderId, clientId + 1n);
    writeU64(command.words, Field.quantity, tag === CommandTag.reserve ? options.ttlSlots : 1n);
    out.room(128);
    starts.push(out.end);
    out.end = encodeCommand(out.view, out.end, command);
  }
  return { out, starts };
}
