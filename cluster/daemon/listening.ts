/** Listening where the layout says, or saying who is in the way. */
import { parseAddress } from "../../node/client/address.ts";
import { CliError } from "../../node/errors.ts";
import { whoListens } from "./who_listens.ts";

/** The parts of an address. */
export interface Place {
  readonly hostname: string;
  readonly port: number;
}

/**
 * Starts a listener.
 *
 * @param what What it is for, for the message.
 * @param address `HOST:PORT`.
 * @param start Starts it.
 * @returns What `start` gave.
 * @throws {CliError} E_PORT_IN_USE with the process that has it, E_PERMISSION_DENIED, or E_IO.
 */
export function listening<T>(what: string, address: string, start: (place: Place) => T): T {
  const { hostname, port } = parseAddress(address);
  try {
    return start({ hostname, port });
  } catch (error) {
    if (!(error instanceof Error) || error instanceof CliError) throw error;
    const context = { address, what };
    if (error instanceof Deno.errors.AddrInUse) throw inUse(what, address, port);
    const code = error instanceof Deno.errors.PermissionDenied ? "E_PERMISSION_DENIED" : "E_IO";
    const message = `Cannot listen on ${address} for ${what}: ${error.message}`;
    throw new CliError(code, message, { cause: error, context });
  }
}

function inUse(what: string, address: string, port: number): CliError {
  const holder = whoListens(port);
  const message = `Cannot listen on ${address} for ${what}: the port is in use` +
    (holder === undefined ? "" : ` by ${holder}`);
  return new CliError("E_PORT_IN_USE", message, {
    hint: "stop that process, or put another port into the layout of every replica",
    context: { address, what, holder },
  });
}
