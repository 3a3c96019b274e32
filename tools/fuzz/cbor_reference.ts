/**
 * CBOR items a second time, for oracles: slow, and in other words than the program's own readers, so that one
 * mistake cannot excuse the other. Source: RFC 8949 section 3.
 */

/** Where the item that starts at `at` ends; `undefined` when the bytes end first or are no definite-length item. */
export function referenceItemEnd(bytes: Uint8Array, at: number): number | undefined {
  // For each open container how many items it still wants; the outermost wants one.
  const open = [1n];
  let next = at;
  while (open.length > 0) {
    const wanted = open.pop()!;
    if (wanted === 0n) continue;
    open.push(wanted - 1n);
    const head = referenceHead(bytes, next);
    if (head === undefined) return undefined;
    next = head.end;
    if (head.major === 2 || head.major === 3) {
      if (head.argument > BigInt(bytes.length - next)) return undefined;
      next += Number(head.argument);
    } else if (head.major === 4) open.push(head.argument);
    else if (head.major === 5) open.push(2n * head.argument);
    else if (head.major === 6) open.push(1n);
  }
  return next;
}

/** The head of an item. */
export interface ReferenceHead {
  readonly major: number;
  readonly argument: bigint;
  readonly end: number;
  /** Whether no shorter head says the same. */
  readonly isShortest: boolean;
}

/** Reads one head of definite length. */
export function referenceHead(bytes: Uint8Array, at: number): ReferenceHead | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  const major = first >> 5;
  const info = first & 0x1f;
  if (info < 24) return { major, argument: BigInt(info), end: at + 1, isShortest: true };
  if (info > 27) return undefined;
  const end = at + 1 + 2 ** (info - 24);
  if (end > bytes.length) return undefined;
  const argument = bytes.subarray(at + 1, end).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const least = [24n, 0x100n, 0x1_0000n, 0x1_0000_0000n][info - 24]!;
  return { major, argument, end, isShortest: argument >= least };
}
