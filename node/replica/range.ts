/** Entries for a replica that asks for them by op and hash: for a new primary, or to mend a log. */
import type { Node } from "../node.ts";
import type { GetLogRange, LogRange } from "../vsr/messages.ts";

const NO_FRAMES = new Uint8Array();

/**
 * Answers a request for entries. What should be there and cannot be read is the own log's damage, which is then looked at.
 *
 * @param node Whose log it is.
 * @param request What is wanted.
 * @param bytesMax About how many bytes an answer may have.
 * @returns The entries, valid until the log is written to, or why there are none.
 */
export function answerRange(node: Node, request: GetLogRange, bytesMax: number): LogRange {
  const { requestId, prevOp, prevHash } = request;
  const refuse = (refusal: LogRange["refusal"]): LogRange => (
    { kind: "log_range", requestId, refusal, frames: NO_FRAMES }
  );
  const hash = node.writer.hashAt(prevOp);
  if (hash === undefined) return refuse(prevOp > node.driver.tipOp ? "differs" : "removed");
  if (hash !== prevHash) return refuse("differs");
  const read = node.writer.readFrames(prevOp + 1n, bytesMax);
  if (read.kind === "frames") {
    return { kind: "log_range", requestId, refusal: undefined, frames: read.frames };
  }
  if (read.kind === "unreadable") node.driver.damaged(prevOp + 1n);
  return refuse(read.kind);
}
