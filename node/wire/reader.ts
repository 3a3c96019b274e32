/** Reads the CBOR profile of the wire, and nothing else that CBOR could say. Source: docs/wire.md#profile. */

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A cursor over one message body. The first thing that is not as asked for fails the reader for good:
 * every later answer is a zero, and {@linkcode WireReader.finish} says so. Nothing throws, nothing recurses.
 */
export class WireReader {
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;
  #failed = false;

  /** Starts over at a body; the reader may serve many. */
  open(view: DataView, at: number, end: number): void {
    this.#view = view;
    this.#at = at;
    this.#end = end;
    this.#failed = false;
  }

  /** Whether everything was as asked for and nothing is left over. */
  finish(): boolean {
    return !this.#failed && this.#at === this.#end;
  }

  /** Whether something was not as asked for. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Fails the reader: a value that is well formed but makes no sense. */
  fail(): void {
    this.#failed = true;
  }

  /** Fails the reader unless the condition holds. */
  require(condition: boolean): void {
    if (!condition) this.#failed = true;
  }

  /** The head of an array that must have `count` elements. */
  array(count: number): void {
    this.require(this.arrayHead() === count);
  }

  /** The head of an array; answers how many elements it says it has. */
  arrayHead(): number {
    return this.#head(0x80);
  }

  /** 0 to `max`, `max` below 24. */
  small(max: number): number {
    const at = this.#take(1);
    const value = at < 0 ? 0 : this.#view.getUint8(at);
    if (value <= max) return value;
    this.fail();
    return 0;
  }

  /** A number from 24 to 255. */
  byte(): number {
    const at = this.#marked(0x18, 2);
    const value = at < 0 ? 0 : this.#view.getUint8(at);
    this.require(value >= 24);
    return this.#failed ? 0 : value;
  }

  /** A flag. */
  flag(): boolean {
    return this.small(1) === 1;
  }

  /** A 64-bit number. */
  u64(): bigint {
    const at = this.#marked(0x1b, 9);
    return at < 0 ? 0n : this.#view.getBigUint64(at);
  }

  /** A 64-bit number or nothing. */
  optionalU64(): bigint | undefined {
    return this.#isNil() ? undefined : this.u64();
  }

  /** A count: a 64-bit number of which no more than 2^53 - 1 makes sense. */
  count(): number {
    const value = this.u64();
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    this.fail();
    return 0;
  }

  /** A count or nothing. */
  optionalCount(): number | undefined {
    return this.#isNil() ? undefined : this.count();
  }

  /** A 128-bit id. */
  id(): bigint {
    const at = this.#marked(0x50, 17);
    if (at < 0) return 0n;
    return (this.#view.getBigUint64(at) << 64n) | this.#view.getBigUint64(at + 8);
  }

  /** A 128-bit id or nothing. */
  optionalId(): bigint | undefined {
    return this.#isNil() ? undefined : this.id();
  }

  /** A copy of 16 bytes. */
  bytes16(): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(16);
    const at = this.#marked(0x50, 17);
    if (at >= 0) copy.set(new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, 16));
    return copy;
  }

  /** A copy of 16 bytes or nothing. */
  optionalBytes16(): Uint8Array<ArrayBuffer> | undefined {
    return this.#isNil() ? undefined : this.bytes16();
  }

  /** A byte string of at most `maxBytes`, in place: valid for as long as the buffer is left alone. */
  byteString(maxBytes: number): Uint8Array {
    const length = this.#byteStringHead();
    this.require(length <= maxBytes);
    const at = this.#take(length);
    if (at < 0) return new Uint8Array(0);
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, length);
  }

  /** A copy of a byte string of at most `maxBytes`, or nothing. */
  optionalByteString(maxBytes: number): Uint8Array | undefined {
    return this.#isNil() ? undefined : this.byteString(maxBytes).slice();
  }

  /** A text of at most `maxBytes` bytes of UTF-8. */
  text(maxBytes: number): string {
    const length = this.#head(0x60);
    this.require(length <= maxBytes);
    const at = this.#take(length);
    if (at < 0) return "";
    try {
      return UTF_8.decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, length));
    } catch {
      this.fail();
      return "";
    }
  }

  /** A text or nothing. */
  optionalText(maxBytes: number): string | undefined {
    return this.#isNil() ? undefined : this.text(maxBytes);
  }

  /** What `read` reads, or nothing. */
  optional<T>(read: () => T): T | undefined {
    return this.#isNil() ? undefined : read();
  }

  /** Nothing, where something may be one day. */
  nil(): void {
    this.require(this.#isNil());
  }

  /** Moves past `count` bytes; answers where they are, or -1. */
  #take(count: number): number {
    if (this.#failed || this.#end - this.#at < count) {
      this.#failed = true;
      return -1;
    }
    const at = this.#at;
    this.#at += count;
    return at;
  }

  /** Moves past a value of `count` bytes that starts with `mark`; answers what follows the mark, or -1. */
  #marked(mark: number, count: number): number {
    const at = this.#take(count);
    if (at < 0) return -1;
    if (this.#view.getUint8(at) === mark) return at + 1;
    this.fail();
    return -1;
  }

  #isNil(): boolean {
    if (this.#failed || this.#at >= this.#end || this.#view.getUint8(this.#at) !== 0xf6) {
      return false;
    }
    this.#at++;
    return true;
  }

  /** The length of a byte string, in its shortest form of up to 32 bits. */
  #byteStringHead(): number {
    const isLong = !this.#failed && this.#at < this.#end && this.#view.getUint8(this.#at) === 0x5a;
    if (!isLong) return this.#head(0x40);
    const at = this.#take(5);
    const length = at < 0 ? 0 : this.#view.getUint32(at + 1);
    this.require(length >= 0x1_0000);
    return length;
  }

  /** The argument of a head in its shortest form, up to 16 bits. */
  #head(major: number): number {
    const at = this.#take(1);
    if (at < 0) return 0;
    const argument = this.#view.getUint8(at) - major;
    if (argument >= 0 && argument < 24) return argument;
    const bytes = argument === 24 ? 1 : argument === 25 ? 2 : 0;
    const from = bytes === 0 ? -1 : this.#take(bytes);
    const value = from < 0
      ? 0
      : bytes === 1
      ? this.#view.getUint8(from)
      : this.#view.getUint16(from);
    if (value >= (bytes === 1 ? 24 : 0x100)) return value;
    this.fail();
    return 0;
  }
}

/**
 * Where one CBOR item of any definite-length kind ends: for stepping over what somebody else judges.
 *
 * @param view The buffer.
 * @param at Where the item starts.
 * @param end Where readable bytes stop.
 * @returns The offset behind the item, or -1 when the bytes are no such item.
 */
export function skipItem(view: DataView, at: number, end: number): number {
  let items = 1;
  while (items > 0) {
    if (items > end - at) return -1; // Every item takes a byte at least.
    const head = view.getUint8(at++);
    const info = head & 0x1f;
    const major = head >> 5;
    if (info > 27) return -1;
    const bytes = info < 24 ? 0 : 1 << (info - 24);
    if (bytes > end - at) return -1;
    const argument = bytes === 0 ? info : readArgument(view, at, bytes);
    at += bytes;
    items--;
    if (major === 2 || major === 3) {
      if (argument > end - at) return -1;
      at += argument;
    } else if (major === 4) items += argument;
    else if (major === 5) items += 2 * argument;
    else if (major === 6) items++;
  }
  return at;
}

/** Exact up to 2^53, which is more than any buffer has; larger ones only need to stay large. */
function readArgument(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at);
  const high = view.getUint32(at);
  return bytes === 4 ? high : high * 0x1_0000_0000 + view.getUint32(at + 4);
}
