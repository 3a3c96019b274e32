/** Just enough HTTP to tell whether a request is whole and where a reply ends. */

/** One reply. */
export interface HttpReply {
  readonly status: number;
  /** Media type without parameters, empty when there is none. */
  readonly type: string;
  readonly body: string;
  readonly isWhole: boolean;
}

/** Whether a server can tell that all of the first request is there; a guess, for bytes that are no HTTP. */
export function isWholeRequest(bytes: Uint8Array): boolean {
  const text = latin1(bytes);
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const head = text.slice(0, end).toLowerCase();
  const body = text.slice(end + 4);
  if (/\r\ntransfer-encoding:[^\r]*chunked/.test(head)) return /(^|\r\n)0\r\n\r\n/.test(body);
  const length = /\r\ncontent-length:\s*([0-9]+)/.exec(head)?.[1];
  return body.length >= Number(length ?? 0);
}

/** The first final reply in what a server sent, as far as it goes; `undefined` without a whole head. */
export function parseReply(received: Uint8Array, request: Uint8Array): HttpReply | undefined {
  const text = latin1(received).replace(/^(HTTP\/1\.1 1\d\d [^]*?\r\n\r\n)+/, "");
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first, ...lines] = text.slice(0, end).split("\r\n");
  const headers = new Map(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const rest = text.slice(end + 4);
  const headOnly = latin1(request).startsWith("HEAD ");
  const length = headOnly ? 0 : Number(headers.get("content-length") ?? Infinity);
  const status = Number(first!.split(" ")[1]);
  const type = (headers.get("content-type") ?? "").split(";")[0]!;
  const isCoded = headers.has("content-encoding") || headOnly;
  const isWhole = length === Infinity ? rest.endsWith("0\r\n\r\n") : rest.length >= length;
  const body = rest.slice(0, length);
  return { status, type: isCoded || length === Infinity ? "" : type, body, isWhole };
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
