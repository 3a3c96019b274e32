/** What a control port hands requests to, and what stands before it. */
import type { ControlReply, ControlRequest } from "./messages.ts";

/** Carries out a request. What it throws becomes an answer with the code `failed`. */
export type ControlHandler = (request: ControlRequest) => ControlReply | Promise<ControlReply>;

/** Decides about one connection; made for each. */
export interface ControlGuard {
  /**
   * Sees everything that comes before it counts as a request.
   *
   * @param message What the caller sent, decoded but not checked.
   * @returns `pass` to have it carried out, or what to answer instead.
   */
  check(message: unknown): "pass" | object | Promise<"pass" | object>;
}
