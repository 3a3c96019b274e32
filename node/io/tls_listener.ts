/**
 * Listening for TLS without the 40 ms: what a server writes in two pieces (the end of a handshake and its first word,
 * two replies in a row) waits for the other side's delayed acknowledgement, and `Deno.TlsConn` has no
 * `setNoDelay`. On Linux a connection takes the option over from the socket that listens, so it is set there,
 * through the C library.
 */
import type { ServerTls } from "../auth/tls_files.ts";

/** Numbers of Linux. */
const SOL_SOCKET = 1;
const SO_ACCEPTCONN = 30;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
/** Room for an address of either family; the port stands at 2 in both. */
const ADDRESS_BYTES = 28;
const PORT_AT = 2;

const SYMBOLS = {
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
} as const;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

/**
 * Listens.
 *
 * @param address Where; port 0 takes a free one.
 * @param tls What to show.
 * @returns A listener whose connections send at once where the system can be told so; elsewhere one that is slower.
 * @throws {Deno.errors.AddrInUse} When the port is taken; other errors of `Deno.listenTls` likewise.
 */
export function listenTls(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  { certificate: cert, privateKey: key }: ServerTls,
): Deno.TlsListener {
  const listener = Deno.listenTls({ hostname, port, cert, key });
  sendAtOnce(listener.addr.port);
  return listener;
}

/**
 * Sets the option on this process's listening sockets of a port.
 *
 * @param port Which.
 * @returns How many there were; 0 where the system cannot be told.
 */
export function sendAtOnce(port: number): number {
  if (Deno.build.os !== "linux") return 0;
  try {
    using library = disposable(Deno.dlopen("libc.so.6", SYMBOLS));
    return openSockets().filter((file) => setNoDelay(library.symbols, file, port)).length;
  } catch {
    return 0; // Another C library, or no /proc: it goes on as it would have without.
  }
}

function disposable(library: Library): Disposable & Pick<Library, "symbols"> {
  return { symbols: library.symbols, [Symbol.dispose]: () => library.close() };
}

/** File descriptors of this process that are sockets. */
function openSockets(): number[] {
  const files: number[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith("socket:")) {
        files.push(Number(name));
      }
    } catch {
      // Closed since: the one that read the directory.
    }
  }
  return files;
}

function setNoDelay(library: Library["symbols"], file: number, port: number): boolean {
  const flag = new Uint32Array(1);
  const flagBytes = new Uint32Array([flag.byteLength]);
  if (library.getsockopt(file, SOL_SOCKET, SO_ACCEPTCONN, flag, flagBytes) !== 0) return false;
  const address = new Uint8Array(ADDRESS_BYTES);
  const addressBytes = new Uint32Array([ADDRESS_BYTES]);
  if (flag[0] !== 1 || library.getsockname(file, address, addressBytes) !== 0) return false;
  if (new DataView(address.buffer).getUint16(PORT_AT) !== port) return false;
  flag[0] = 1;
  return library.setsockopt(file, IPPROTO_TCP, TCP_NODELAY, flag, flag.byteLength) === 0;
}
