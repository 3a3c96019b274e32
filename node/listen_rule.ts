/** Who may connect from where: beyond this machine only those who can be told apart. */
import { CliError } from "./errors.ts";

/**
 * Refuses an address that others than this machine reach, unless there is a secret.
 *
 * @param text `HOST:PORT`.
 * @param what The flag or field that it comes from, for the message.
 * @param hasSecret Whether whoever connects has to prove who he is.
 * @throws {CliError} E_USAGE.
 */
export function requireSecretBeyondLoopback(text: string, what: string, hasSecret: boolean): void {
  if (hasSecret || isLoopback(text)) return;
  throw new CliError(
    "E_USAGE",
    `${what} ${text} is not a loopback address, and there is no secret`,
    {
      hint:
        "give all nodes and clients a --secret-file; `allocdb secret create --out FILE` makes one",
    },
  );
}

/**
 * Refuses an address that others than this machine reach. For HTTP, where nobody proves who he is.
 *
 * @param text `HOST:PORT`.
 * @param what The flag that it comes from, for the message.
 * @throws {CliError} E_USAGE.
 */
export function requireLoopback(text: string, what: string): void {
  if (isLoopback(text)) return;
  throw new CliError("E_USAGE", `${what} ${text} is not a loopback address`, {
    hint: "HTTP is not authenticated: listen on 127.0.0.1 and put a proxy that does so before it",
  });
}

/** By its name alone: a name that is looked up may be anybody's tomorrow. */
function isLoopback(text: string): boolean {
  const hostname = text.slice(0, text.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  return hostname === "localhost" || hostname === "::1" || /^127(\.\d{1,3}){3}$/.test(hostname);
}
