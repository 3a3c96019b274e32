/** What a failing disk is called towards people. */
import type { DiskFault, DiskFaultKind } from "./disk.ts";
import type { ErrorCode } from "./error_catalogue.ts";
import { CliError } from "./errors.ts";

const FAULT_CODES: Readonly<Record<DiskFaultKind, ErrorCode>> = {
  disk_full: "E_DISK_FULL",
  read_only: "E_DISK_READ_ONLY",
  permission_denied: "E_PERMISSION_DENIED",
  not_found: "E_IO",
  io_error: "E_IO",
};

/**
 * A fault of the disk as an error of the program.
 *
 * @param fault What failed.
 * @param where In which directory.
 * @returns The error.
 */
export function diskError(fault: DiskFault, where: string): CliError {
  return new CliError(FAULT_CODES[fault.kind], fault.message, { cause: fault, context: { where } });
}
