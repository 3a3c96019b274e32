/**
 * Bytes become text, in whatever pieces they come: a letter cut in two waits for its other half. Refuses what is no UTF-8
 * and NUL; what stands before either is handed out first, so that an error there is found first, however the file was cut.
 */
import { HistoryError } from "../../history/history_error.ts";

const BYTE_ORDER_MARK = "\ufeff";
const NOTHING = new Uint8Array(0);

/** See the top of this file. */
export class SourceText {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** Takes one piece of text after the other. */
  readonly #take: (text: string) => void;
  readonly #onByteOrderMark: () => void;
  #carry: Uint8Array = NOTHING;
  /** Bytes that were handed out. */
  #bytes = 0;

  constructor(take: (text: string) => void, onByteOrderMark: () => void) {
    this.#take = take;
    this.#onByteOrderMark = onByteOrderMark;
  }

  push(chunk: Uint8Array): void {
    const bytes = this.#carry.length === 0 ? chunk : joined(this.#carry, chunk);
    const whole = bytes.length - cutLetterBytes(bytes);
    this.#carry = bytes.slice(whole);
    if (whole > 0) this.#handOut(bytes.subarray(0, whole));
  }

  end(): void {
    if (this.#carry.length > 0) this.#handOut(this.#carry);
  }

  #handOut(bytes: Uint8Array): void {
    const text = this.#decode(bytes) ?? this.#refuseAfter(bytes, firstInvalid(bytes), notUtf8);
    if (text.includes("\0")) this.#refuseAfter(bytes, bytes.indexOf(0), () => "a NUL byte");
    this.#pass(text, bytes.length);
  }

  #decode(bytes: Uint8Array): string | undefined {
    try {
      return this.#decoder.decode(bytes);
    } catch {
      return undefined;
    }
  }

  /** Hands out what is in order, then throws for the byte at `at`. */
  #refuseAfter(bytes: Uint8Array, at: number, found: (byte: number) => string): never {
    const valid = bytes.subarray(0, at);
    const nul = valid.indexOf(0);
    if (nul >= 0) return this.#refuseAfter(valid, nul, () => "a NUL byte");
    this.#pass(this.#decoder.decode(valid), at);
    throw new HistoryError({ byte: this.#bytes }, found(bytes[at]!), "text in UTF-8");
  }

  #pass(text: string, byteCount: number): void {
    const hasMark = this.#bytes === 0 && text.startsWith(BYTE_ORDER_MARK);
    this.#bytes += byteCount;
    if (hasMark) this.#onByteOrderMark();
    this.#take(hasMark ? text.slice(1) : text);
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

function notUtf8(byte: number): string {
  return `byte 0x${byte.toString(16).padStart(2, "0")}, which is not UTF-8 there`;
}

/** How many bytes at the end begin a letter that goes on in the next piece: 0 to 3. */
function cutLetterBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return letterBytes(byte) > back ? back : 0;
  }
  return 0;
}

function letterBytes(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** Offset of the first letter that is none. Halves its way there, for a piece may be large. */
function firstInvalid(bytes: Uint8Array): number {
  let valid = 0;
  for (let invalid = bytes.length + 1; invalid - valid > 1;) {
    const middle = Math.floor((valid + invalid) / 2);
    if (isValidBeginning(bytes.subarray(0, middle))) valid = middle;
    else invalid = middle;
  }
  return valid - cutLetterBytes(bytes.subarray(0, valid));
}

/** Whether something could still follow that makes it text. */
function isValidBeginning(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
