/** Asking replicas through their control ports. */
import { proveToControl } from "../../node/auth/control_auth.ts";
import { readCredential } from "../../node/auth/credential_file.ts";
import { controlCall, type ControlCallOptions, ControlFailure } from "../../node/control/client.ts";
import type { ControlReplies, ControlStatus } from "../../node/control/messages.ts";

/** What became of a question. */
export type Answer<T> =
  | { readonly kind: "answer"; readonly reply: T }
  /** Nobody listens there. */
  | { readonly kind: "nobody" }
  /** Somebody does, and did not answer in time. */
  | { readonly kind: "silent" }
  /** What answers is no replica, or one that does not let us ask. */
  | { readonly kind: "stranger"; readonly says: string };

/** The control ports of a cluster. */
export interface Control {
  status(address: string): Promise<Answer<ControlStatus>>;
  /** Asks a replica to drain and stop. */
  stop(address: string, drainMs: number): Promise<Answer<unknown>>;
  /** Has a replica look at the faults file; it answers what is in force. */
  faults(address: string): Promise<Answer<{ readonly faults: readonly string[] }>>;
  /** A replica's figures by their names in docs/metrics.md. */
  metrics(address: string): Promise<Answer<ControlReplies["metrics"]>>;
}

/** How long a replica may take to answer, in milliseconds. */
const ANSWER_MS_MAX = 1_000;

/**
 * The real control ports.
 *
 * @param secretPath The file with the cluster's secret, if it has one; asked for before the first call.
 */
export function controlPorts(secretPath: () => string | undefined = () => undefined): Control {
  let call: ControlCallOptions | undefined;
  const how = (): ControlCallOptions => call ??= callOptions(secretPath());
  return {
    status: (address) => ask(() => controlCall(address, { request: "status" }, how())),
    stop: (address, drainMs) =>
      ask(() => controlCall(address, { request: "stop", drain_ms: drainMs }, how())),
    faults: (address) => ask(() => controlCall(address, { request: "faults" }, how())),
    metrics: (address) => ask(() => controlCall(address, { request: "metrics" }, how())),
  };
}

function callOptions(secretPath: string | undefined): ControlCallOptions {
  const timeoutMs = ANSWER_MS_MAX;
  if (secretPath === undefined) return { timeoutMs };
  return { timeoutMs, prove: proveToControl(readCredential(secretPath)) };
}

async function ask<T>(call: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { kind: "answer", reply: await call() };
  } catch (error) {
    if (!(error instanceof ControlFailure)) throw error;
    switch (error.kind) {
      case "unreachable":
        return { kind: "nobody" };
      case "timeout":
      case "closed":
        return { kind: "silent" };
      case "protocol":
      case "refused":
        return { kind: "stranger", says: error.message };
    }
  }
}
