/**
 * SHA-256 for the fingerprint of a bundle, which is too long to keep whole. Written here because the engine
 * imports nothing; checked against the platform's in tests. Source: FIPS 180-4.
 */

const ROUND_CONSTANTS = new Int32Array(fractionalRoots(64, 1 / 3));
const INITIAL = fractionalRoots(8, 1 / 2);

// Signed, so that sums and shifts stay in integer registers.
const schedule = new Int32Array(64);
const state = new Int32Array(8);

/**
 * Hashes bytes [at, end) into `out[0..8)`, the first word of the digest in `out[0]`.
 *
 * @param view The buffer.
 * @param at First byte.
 * @param end One past the last byte.
 * @param out Receives 8 words.
 */
export function sha256Words(view: DataView, at: number, end: number, out: Uint32Array): void {
  state.set(INITIAL);
  let block = at;
  for (; block + 64 <= end; block += 64) {
    for (let i = 0; i < 16; i++) schedule[i] = view.getUint32(block + i * 4);
    compress();
  }
  padAndCompress(view, block, end, end - at);
  for (let i = 0; i < 8; i++) out[i] = state[i]!;
}

function padAndCompress(view: DataView, at: number, end: number, length: number): void {
  schedule.fill(0, 0, 16);
  for (let i = at; i < end; i++) putByte(i - at, view.getUint8(i));
  putByte(end - at, 0x80);
  if (end - at >= 56) {
    compress();
    schedule.fill(0, 0, 16);
  }
  schedule[14] = Math.floor(length / 0x2000_0000);
  schedule[15] = length << 3;
  compress();
}

function putByte(position: number, byte: number): void {
  schedule[position >> 2] = schedule[position >> 2]! | (byte << (24 - (position & 3) * 8));
}

function compress(): void {
  const w = schedule;
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    w[i] = w[i - 16]! + s0 + w[i - 7]! + s1;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[i]! + w[i]!) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = state[0]! + a;
  state[1] = state[1]! + b;
  state[2] = state[2]! + c;
  state[3] = state[3]! + d;
  state[4] = state[4]! + e;
  state[5] = state[5]! + f;
  state[6] = state[6]! + g;
  state[7] = state[7]! + h;
}

function rotate(x: number, by: number): number {
  return (x >>> by) | (x << (32 - by));
}

/** First 32 bits of the fractional parts of the given root of the first primes. */
function fractionalRoots(count: number, power: number): Uint32Array {
  const words = new Uint32Array(count);
  for (let n = 2, i = 0; i < count; n++) {
    if (!isPrime(n)) continue;
    const root = n ** power;
    words[i++] = (root - Math.floor(root)) * 0x1_0000_0000;
  }
  return words;
}

function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}
