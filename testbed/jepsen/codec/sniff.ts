/** Looks at the beginning of a file. */

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** The beginning as text, whatever it is. */
export function headText(head: Uint8Array): string {
  return new TextDecoder().decode(head);
}

/** Whether it begins with that, after blank lines. */
export function startsWithText(head: Uint8Array, start: string): boolean {
  return headText(head).trimStart().startsWith(start);
}

/** Whether it begins with these bytes. */
export function startsWithBytes(head: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, i) => head[i] === byte);
}

/** Without the mark that some editors put first. */
export function withoutByteOrderMark(head: Uint8Array): Uint8Array {
  return startsWithBytes(head, BYTE_ORDER_MARK) ? head.subarray(BYTE_ORDER_MARK.length) : head;
}
