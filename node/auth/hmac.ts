/** HMAC-SHA-256. Source: RFC 2104. */
import { createHash } from "node:crypto";

/** Bytes of a block of SHA-256. */
const BLOCK_BYTES = 64;

/**
 * Deno's `createHmac` prints a deprecation warning on its first use, and WebCrypto's is asynchronous: a
 * connection would have to wait in the middle of a message.
 *
 * @param key At most one block, as all of ours are.
 * @param parts What to authenticate, one after the other.
 * @returns 32 bytes.
 */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const inner = createHash("sha256").update(padded(key, 0x36));
  for (const part of parts) inner.update(part);
  const outer = createHash("sha256").update(padded(key, 0x5c)).update(inner.digest());
  return Uint8Array.from(outer.digest());
}

function padded(key: Uint8Array, pad: number): Uint8Array {
  if (key.length > BLOCK_BYTES) throw new RangeError("the key is longer than a block");
  return new Uint8Array(BLOCK_BYTES).fill(pad).map((byte, i) => byte ^ (key[i] ?? 0));
}
