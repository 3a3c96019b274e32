/**
 * One stream of requests with at most one under way: a batch of reserves, then one of confirms, then one of
 * releases, of the same resources again and again. Its three frames are built once; from then on only
 * operation ids, reservation ids and checksums change, so that the load costs less than what it measures.
 */
import { CommandTag, createCommand, Field } from "../../core/command.ts";
import { encodeCommand } from "../../core/command_codec.ts";
import { ResultCode } from "../../core/outcome.ts";
import { writeU128, writeU64 } from "../../core/words.ts";
import { writeFrameHeader } from "../wire/framing.ts";
import { beginSubmit } from "../wire/submit.ts";
import { WireWriter } from "../wire/writer.ts";

/** Whose lane it is. */
export interface LaneOptions {
  /** Commands in one request. */
  readonly batch: number;
  /** Unique among the lanes of a connection. */
  readonly requestId: number;
  /** Client of the commands, and high half of their operation ids: unique in a data directory. */
  readonly clientId: bigint;
  /** The lane has the `batch` resources from this one on to itself. */
  readonly firstResourceId: bigint;
  readonly ttlSlots: bigint;
}

/** A frame that is sent again and again with other numbers in it. */
interface Template {
  readonly out: WireWriter;
  /** Where each command starts. */
  readonly starts: readonly number[];
}

const CYCLE = [CommandTag.reserve, CommandTag.confirm, CommandTag.release] as const;
const FIRST_EPOCH = 1n;

/** Offsets in an encoded command, in bytes. Source: docs/wire.md#commands. */
const OPERATION_LOW_AT = 2 + 1 + 12;
const SUBJECT_AT = 2 + 2 * 17 + 1;
const EPOCH_AT = 2 + 4 * 17;
const ID_BYTES = 16;
const U64_BYTES = 9;
/** Offsets in an encoded result. Source: docs/wire.md#submit. */
const RESULT_CODE_AT = 1;
const RESULT_ID_AT = 13;
const RESULT_EPOCH_AT = 29;
/** Bytes of an encoded result by its kind. */
const REJECTED_BYTES = 31;
const RESERVATION_BYTES = 47;
const PLAIN_BYTES = 12;
const RESERVATION_HEAD = 0x86;

/** See the top of the file. */
export class Lane {
  /** When the request under way was sent, or should have been, by `performance.now()`. */
  dueMs = 0;
  readonly #options: LaneOptions;
  readonly #templates: readonly Template[];
  #turn = 0;
  #operation = 0;

  /** @param options Whose lane it is. */
  constructor(options: LaneOptions) {
    this.#options = options;
    this.#templates = CYCLE.map((tag) => buildTemplate(options, tag));
  }

  /** Commands in one request. */
  get batch(): number {
    return this.#options.batch;
  }

  /** Whether all that was reserved has been released, once the last reply is taken. */
  get isAtRest(): boolean {
    return this.#turn % CYCLE.length === 0;
  }

  /** A request that creates the lane's resources. Valid until the next call. */
  setup(): Uint8Array {
    return this.#finish(buildTemplate(this.#options, CommandTag.create_resource));
  }

  /** The next request. Valid until the call after it. */
  next(): Uint8Array {
    return this.#finish(this.#templates[this.#turn++ % CYCLE.length]!);
  }

  /**
   * Takes the results of the request under way, and the claims for the requests that follow.
   *
   * @param view The reply.
   * @param at Its list of results.
   * @param codes Counts the results by code; index 0 counts rejections.
   */
  take(view: DataView, at: number, codes: Float64Array): void {
    const { batch } = this.#options;
    let next = at + (batch < 24 ? 1 : batch < 0x100 ? 2 : 3);
    for (let i = 0; i < batch; i++) {
      const code = view.getUint8(next + RESULT_CODE_AT);
      codes[code]!++;
      const isClaim = code === ResultCode.ok && view.getUint8(next) === RESERVATION_HEAD;
      if (isClaim) this.#claim(i, view, next);
      next += code === 0 ? REJECTED_BYTES : isClaim ? RESERVATION_BYTES : PLAIN_BYTES;
    }
  }

  /** Copies reservation id and epoch into the confirm and the release. */
  #claim(index: number, view: DataView, at: number): void {
    for (let turn = 1; turn < CYCLE.length; turn++) {
      const { out, starts } = this.#templates[turn]!;
      const command = starts[index]!;
      for (let i = 0; i < ID_BYTES; i += 4) {
        out.view.setUint32(command + SUBJECT_AT + i, view.getUint32(at + RESULT_ID_AT + i));
      }
      for (let i = 0; i < U64_BYTES; i++) {
        out.bytes[command + EPOCH_AT + i] = view.getUint8(at + RESULT_EPOCH_AT + i);
      }
    }
  }

  #finish({ out, starts }: Template): Uint8Array {
    for (const start of starts) out.view.setUint32(start + OPERATION_LOW_AT, this.#operation++);
    writeFrameHeader(out.bytes, out.view, 0, out.end);
    return out.bytes.subarray(0, out.end);
  }
}

function buildTemplate(options: LaneOptions, tag: CommandTag): Template {
  const { batch, clientId, firstResourceId, requestId, ttlSlots } = options;
  const out = new WireWriter();
  const command = createCommand(1);
  const starts: number[] = [];
  beginSubmit(out, requestId, undefined, batch);
  command.tag = tag;
  writeU128(command.words, Field.operationId, clientId << 64n);
  writeU128(command.words, Field.clientId, clientId);
  writeU128(command.words, Field.holderId, clientId);
  const quantity = tag === CommandTag.reserve ? ttlSlots : FIRST_EPOCH;
  writeU64(command.words, Field.quantity, quantity);
  for (let i = 0; i < batch; i++) {
    writeU128(command.words, Field.subjectId, firstResourceId + BigInt(i));
    out.room(128);
    starts.push(out.end);
    out.end = encodeCommand(out.view, out.end, command);
  }
  return { out, starts };
}
