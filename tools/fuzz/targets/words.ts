/** What people type: ids, lengths of time, numbers, addresses. Each against a slower statement of its rules. */
import { type Duration, formatMilliseconds, parseDuration } from "../../../node/cli/durations.ts";
import {
  formatId,
  nameId,
  parseClusterId,
  parseId,
  parseReservationId,
} from "../../../node/cli/ids.ts";
import { parseAddress as parseTypedAddress, parseU64 } from "../../../node/cli/numbers.ts";
import { parseAddress } from "../../../node/client/address.ts";
import { CliError } from "../../../node/errors.ts";
import type { FuzzRandom } from "../random.ts";
import { expect, expectEqual, FuzzFailure, hexOf, type Target } from "../target.ts";
import { bytesOfText, mutateText, textOf } from "../text.ts";

/** The functions under test. */
export interface WordParsers {
  readonly parseId: typeof parseId;
  readonly parseReservationId: typeof parseReservationId;
  readonly parseDuration: typeof parseDuration;
  readonly parseU64: typeof parseU64;
}

const PARSERS: WordParsers = { parseId, parseReservationId, parseDuration, parseU64 };

const WORDS = [
  ...[
    "seat:21A",
    "0",
    "7",
    "42",
    "0x2a",
    "0XFF",
    "ffffffffffffffffffffffffffffffff",
    "0/7",
    "3/18446744073709551615",
  ],
  ...[
    "123e4567-e89b-12d3-a456-426614174000",
    "urn:uuid:",
    "{",
    "10m",
    "1h30m",
    "1.5h",
    "250ms",
    "90s",
  ],
  ...["500slots", "1slot", "0s", "0.000000001h", "9999999999999h", "127.0.0.1:7100", "[::1]:7100"],
  ...["localhost:65535", "localhost:0", "host:65536", ":1", "a:b:1", "1_000", "+5", "1,5", "007"],
];

/** Makes the target: every text is given to every parser. The outcome says which took it. */
export function wordTarget(parsers: WordParsers = PARSERS): Target {
  return {
    name: "words",
    outcomes: [
      ...["ok name", "ok number", "ok uuid", "ok reservation", "ok duration", "ok address"],
      "refused",
    ],
    draw: (random) => bytesOfText(drawWord(random)),
    judge: (input) => judgeWord(parsers, textOf(input)),
  };
}

function drawWord(random: FuzzRandom): string {
  const word = random.pick(WORDS);
  return random.oneIn(8) ? word : mutateText(random, word, WORDS);
}

function judgeWord(parsers: WordParsers, text: string): string {
  const reservation = attempt("E_BAD_ID", () => parsers.parseReservationId(text, "--id"));
  const id = attempt("E_BAD_ID", () => parsers.parseId(text, "--id"));
  const duration = attempt("E_BAD_DURATION", () => parsers.parseDuration(text, "--ttl"));
  const isAddress = judgeAddress(text);
  judgeNumber(parsers, text);
  judgeCluster(text);
  if (duration !== undefined) judgeDuration(parsers, text, duration);
  if (reservation !== undefined) judgeReservation(parsers, text, reservation);
  const kind = id === undefined ? undefined : judgeId(parsers, text, id);
  if (duration !== undefined) return "ok duration";
  if (isAddress) return "ok address";
  if (reservation !== undefined && id !== reservation) return "ok reservation";
  return kind === undefined ? "refused" : `ok ${kind}`;
}

/** Runs a parser; it may refuse only in the one way that people are told of. */
function attempt<T>(code: string, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    expectEqual<string>(error.code, code, "code");
    judgeMessage(error.message);
    judgeMessage(error.hint);
    return undefined;
  }
}

/** Sixty characters of a quotation, each in its longest form, and a sentence. */
const MESSAGE_MAX = 900;

/** One line, and nothing in it that moves a cursor or turns the text around. */
function judgeMessage(message: string): void {
  if (message.length < MESSAGE_MAX && !/[\p{C}\p{Zl}\p{Zp}]/u.test(message)) return;
  throw new FuzzFailure(`message ${JSON.stringify(message)}`);
}

function judgeId({ parseId }: WordParsers, text: string, id: bigint): string {
  expect(id >= 0n && id < 2n ** 128n, `id ${id}`);
  for (const style of ["decimal", "hex"] as const) {
    expectEqual(parseId(formatId(id, style), ""), id, `${style} read back`);
  }
  const uuid = /^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/i.exec(
    text,
  );
  if (uuid !== null) {
    expectEqual(id, BigInt(`0x${uuid.slice(1).join("")}`), "uuid");
    return "uuid";
  }
  if (/^[0-9]+$/.test(text) || /^0x[0-9a-f]+$/i.test(text)) {
    expectEqual(id, BigInt(text.toLowerCase()), "number");
    return "number";
  }
  expectEqual(id, nameId(text), "name");
  for (const form of ["NFC", "NFD"] as const) {
    const same = attempt("E_BAD_ID", () => parseId(text.normalize(form), ""));
    if (same !== undefined) expectEqual(same, id, `the same name in ${form}`);
  }
  return "name";
}

function judgeReservation(parsers: WordParsers, text: string, id: bigint): void {
  const [shard, lsn] = text.split("/");
  const expected = lsn === undefined
    ? BigInt(text.toLowerCase())
    : (BigInt(shard!) << 64n) | BigInt(lsn);
  expectEqual(id, expected, "reservation id");
  expect(id >= 0n && id < 2n ** 128n, `reservation id ${id}`);
  expectEqual(parsers.parseReservationId(String(id), ""), id, "reservation id read back");
}

/** Exact fractions: the sum of the parts, in billionths of a millisecond. */
function judgeDuration(parsers: WordParsers, text: string, duration: Duration): void {
  if (duration.unit === "slots") {
    expectEqual(duration.slots, BigInt(/^[0-9]+/.exec(text)![0]), "slots");
    expect(duration.slots > 0n && duration.slots < 2n ** 64n, `${duration.slots} slots`);
    return;
  }
  const factors: Readonly<Record<string, bigint>> = {
    ms: 1n,
    s: 1_000n,
    m: 60_000n,
    h: 3_600_000n,
  };
  let sum = 0n;
  let rest = text;
  for (let part = PART.exec(rest); part !== null; part = PART.exec(rest)) {
    const fraction = (part[2] ?? "").padEnd(9, "0");
    sum += (BigInt(part[1]!) * 10n ** 9n + BigInt(fraction)) * factors[part[3]!]!;
    rest = rest.slice(part[0].length);
  }
  expectEqual(rest, "", "what is no part of a duration");
  expectEqual(duration.ms * 10n ** 9n, sum, "duration");
  const again = parsers.parseDuration(formatMilliseconds(duration.ms), "");
  expect(again.unit === "ms" && again.ms === duration.ms, "duration read back");
}

const PART = /^([0-9]+)(?:\.([0-9]+))?(ms|s|m|h)/;

function judgeNumber({ parseU64 }: WordParsers, text: string): void {
  const value = attempt("E_BAD_NUMBER", () => parseU64(text, "--epoch"));
  const isNumber = /^[0-9]+$/.test(text) && BigInt(text) < 2n ** 64n;
  expectEqual(value, isNumber ? BigInt(text) : undefined, "number of 64 bits");
}

function judgeCluster(text: string): void {
  const bytes = attempt("E_BAD_ID", () => parseClusterId(text));
  if (bytes === undefined) return;
  const digits = text.replace(/^0x/i, "").replaceAll("-", "").toLowerCase();
  expectEqual(hexOf(bytes), digits, "cluster id");
}

/** What the command line takes for an address, the client takes for the same one. */
function judgeAddress(text: string): boolean {
  const typed = attempt("E_BAD_ADDRESS", () => parseTypedAddress(text, "--server", 1));
  if (typed === undefined) return false;
  expectEqual(typed, text, "address");
  const { hostname, port } = parseAddress(text);
  const isIpv6 = text.startsWith("[");
  expectEqual(isIpv6 ? `[${hostname}]` : hostname, text.slice(0, text.lastIndexOf(":")), "host");
  expectEqual(port, Number(text.slice(text.lastIndexOf(":") + 1)), "port");
  return true;
}
