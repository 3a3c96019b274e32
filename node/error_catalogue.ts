/**
 * Every error code of the program: what it means, what to do, how to exit. `allocdb help CODE` prints a page,
 * docs/cli.md has the table, and a test compares the two.
 */
import type { ResultName } from "../core/outcome.ts";

/**
 * Whether the same request may be sent again: `never` (it would fail the same way), `same_id` (only with the
 * same operation id), `after_ms` (after a pause).
 */
export type Retry = "never" | "same_id" | "after_ms";

/** One code's page. */
export interface ErrorPage {
  readonly exitCode: ExitCode;
  readonly retry: Retry;
  /** What it means. */
  readonly meaning: string;
  /** What to do: the hint where an occurrence has none of its own. */
  readonly advice: string;
}

/** What each exit code says, the same in every command. Source: docs/cli.md#exit-codes. */
export const EXIT_CODES = {
  0: "done",
  1: "the operation failed, definitely",
  2: "usage: a flag, an argument or a configuration is wrong",
  3: "a check or a release gate failed",
  4: "the node is not ready or cannot be reached",
  5: "a tool, a kernel feature or an image is missing",
  6: "the outcome is unknown: the write may or may not have happened, the verdict cannot be given",
  7: "in use: a port, a data directory, something already running",
  8: "corrupt data, refused",
  9: "waited too long",
  10: "the disk is full",
  65: "a history cannot be read",
  66: "a history has less in it than was asked for",
  70: "a bug in allocdb",
  130: "interrupted",
} as const;

/** One of the keys of {@linkcode EXIT_CODES}. */
export type ExitCode = keyof typeof EXIT_CODES;

/** A committed result that is not `ok`, as an error code. `noop` never answers a client's command. */
export type ResultErrorCode = `E_${Uppercase<Exclude<ResultName, "ok" | "noop">>}`;

function page(exitCode: ExitCode, retry: Retry, meaning: string, advice: string): ErrorPage {
  return { exitCode, retry, meaning, advice };
}

/** Mistakes on the command line or in a configuration. Nothing was tried. */
const USAGE = {
  E_USAGE: page(
    2,
    "never",
    "The command line is not one allocdb understands: an unknown or repeated flag, a missing argument.",
    "see `allocdb help`",
  ),
  E_BAD_ID: page(
    2,
    "never",
    "An id is neither a decimal number, 0x and hex digits, a UUID nor a plain name, or does not fit 128 bits.",
    "see `allocdb help ids`",
  ),
  E_BAD_NUMBER: page(
    2,
    "never",
    "A number is malformed or outside its range.",
    "write it in decimal digits",
  ),
  E_BAD_DURATION: page(
    2,
    "never",
    "A duration is malformed or has no unit.",
    "write it like 250ms, 90s, 10m, 1.5h or 500slots; see `allocdb help durations`",
  ),
  E_BAD_ADDRESS: page(
    2,
    "never",
    "An address is not HOST:PORT.",
    "write it like 127.0.0.1:7100 or [::1]:7100",
  ),
  E_BAD_CONFIG: page(
    2,
    "never",
    "A bound or a combination of bounds is one the engine cannot run with.",
    "see `allocdb help serve` for profiles and bounds",
  ),
  E_CONFIG_MISMATCH: page(
    2,
    "never",
    "The data directory was made with other bounds, or for another cluster, than the ones asked for. Nothing was changed.",
    "start without --profile, --bound and --cluster-id to use what the data directory has",
  ),
  E_BAD_SECRET: page(
    2,
    "never",
    "A secret file cannot be read, is open to others than its owner, or does not hold what is needed.",
    "make one with `allocdb secret create --out FILE`, or a key for one role with `allocdb secret derive`",
  ),
  E_BAD_CERTIFICATE: page(
    2,
    "never",
    "A certificate, its key or an authority cannot be read or used.",
    "make an authority with `allocdb tls create-ca` and certificates with `allocdb tls create-cert`",
  ),
  E_BAD_PLAN: page(
    2,
    "never",
    "The file is no plan of a simulated life, or one that another version of allocdb wrote.",
    "give a plan as `allocdb sim` leaves it behind when a life goes wrong",
  ),
} as const;

/** Committed results: decided, durable, and the same for every retry of the same operation id. */
const RESULTS = {
  E_ALREADY_EXISTS: page(
    1,
    "never",
    "A resource with this id exists already.",
    "look at it with `allocdb get`",
  ),
  E_RESOURCE_TABLE_FULL: page(
    1,
    "never",
    "The node has as many resources as its bounds allow; resources are never deleted.",
    "use a data directory with a larger core.max_resources",
  ),
  E_RESOURCE_NOT_FOUND: page(
    1,
    "never",
    "There is no resource with this id.",
    "make it first: `allocdb create RESOURCE`",
  ),
  E_RESOURCE_BUSY: page(
    1,
    "after_ms",
    "Somebody else holds the resource, or one bundle names it twice.",
    "try again later with a new operation id",
  ),
  E_BUNDLE_TOO_LARGE: page(
    1,
    "never",
    "The bundle names more resources than core.max_bundle_size, or none.",
    "reserve fewer resources at once",
  ),
  E_TTL_OUT_OF_RANGE: page(
    1,
    "never",
    "The time to live is zero or longer than core.max_ttl_slots.",
    "ask for a shorter --ttl; `allocdb status` shows the longest",
  ),
  E_RESERVATION_TABLE_FULL: page(
    1,
    "after_ms",
    "The node remembers as many reservations as its bounds allow, ended ones within their history window included.",
    "release reservations or wait until ended ones age out, then use a new operation id",
  ),
  E_RESERVATION_MEMBER_TABLE_FULL: page(
    1,
    "after_ms",
    "The node remembers as many bundle members as its bounds allow.",
    "release reservations or wait until ended ones age out, then use a new operation id",
  ),
  E_RESERVATION_NOT_FOUND: page(
    1,
    "never",
    "There is no reservation with this id.",
    "check the id that `allocdb reserve` printed",
  ),
  E_RESERVATION_RETIRED: page(
    1,
    "never",
    "The reservation has ended: released, expired or revoked.",
    "reserve again",
  ),
  E_EXPIRATION_INDEX_FULL: page(
    1,
    "after_ms",
    "Too many reservations would fall due in the same slot.",
    "ask for a slightly different --ttl with a new operation id",
  ),
  E_OPERATION_TABLE_FULL: page(
    1,
    "after_ms",
    "The node remembers as many operations as its bounds allow. Nothing was stored for this one.",
    "try again when older operations have left the retry window",
  ),
  E_OPERATION_CONFLICT: page(
    1,
    "never",
    "This operation id was used for a different command.",
    "leave --operation-id out, or repeat the first command exactly",
  ),
  E_INVALID_STATE: page(
    1,
    "never",
    "The reservation is not in a state that allows this.",
    "look at it with `allocdb get --reservation`",
  ),
  E_HOLDER_MISMATCH: page(
    1,
    "never",
    "The reservation belongs to another holder.",
    "pass the --holder that made the reservation",
  ),
  E_STALE_EPOCH: page(
    1,
    "never",
    "The fencing token is not the current one: the holder has lost its claim.",
    "stop using the resource; look with `allocdb get --reservation`",
  ),
  E_SLOT_OVERFLOW: page(
    1,
    "never",
    "A deadline or a window computed from the slot leaves 64 bits.",
    "leave --slot out so that the node's clock is used",
  ),
} as const satisfies Record<ResultErrorCode, ErrorPage>;

/** Refusals before a command got its place in the log: it certainly did not happen. */
const REJECTIONS = {
  E_INVALID_REQUEST: page(
    1,
    "never",
    "The node could not read the command.",
    "use the same version of allocdb on both sides",
  ),
  E_COMMAND_TOO_LARGE: page(
    1,
    "never",
    "The encoded command is longer than engine.max_command_bytes.",
    "reserve fewer resources at once",
  ),
  E_LSN_EXHAUSTED: page(
    1,
    "never",
    "The log has used its last position. Reads still work.",
    "move to a new data directory",
  ),
  E_SLOT_REWOUND: page(
    1,
    "never",
    "The slot asked for lies before the last applied one.",
    "leave --slot out so that the node's clock is used",
  ),
  E_SLOT_TOO_FAR: page(
    1,
    "never",
    "The slot asked for lies further ahead of the node's clock than is allowed.",
    "leave --slot out so that the node's clock is used",
  ),
  E_OVERLOADED: page(
    1,
    "after_ms",
    "The node's submission queue is full. The command was not taken.",
    "try again in a moment, with fewer requests at a time",
  ),
  E_SHUTTING_DOWN: page(
    4,
    "after_ms",
    "The node is stopping and takes nothing new. The command was not taken.",
    "try again when the node is back",
  ),
  E_NOT_PRIMARY: page(
    4,
    "after_ms",
    "Another replica is primary, or none is at the moment. The request was not taken.",
    "try again in a moment; give --server the addresses of all replicas",
  ),
} as const;

/** Talking to a node. */
const CONNECTION = {
  E_INDEFINITE: page(
    6,
    "same_id",
    "The command was sent and no result came back. It may or may not have happened.",
    "repeat the command with the same operation id: it happens at most once",
  ),
  E_UNREACHABLE: page(
    4,
    "after_ms",
    "Nothing answers at the server's address. Nothing was sent.",
    "start a server with `allocdb serve --data DIR`, or pass --server HOST:PORT",
  ),
  E_NO_ANSWER: page(
    4,
    "after_ms",
    "The node did not answer a question in time. Nothing was changed by it.",
    "try again, or allow more with --timeout",
  ),
  E_NOT_READY: page(
    4,
    "after_ms",
    "The replica answers, and is not what --require asks for.",
    "look at it with `allocdb replica status`, or ask another replica",
  ),
  E_ENGINE_HALTED: page(
    4,
    "never",
    "The node has stopped itself because its log failed. It answers no reads and takes no writes.",
    "restart it; recovery decides what is durable",
  ),
  E_FENCE_NOT_APPLIED: page(
    4,
    "after_ms",
    "The node has not applied the position that --required-lsn asks for.",
    "try again in a moment, or read without --required-lsn",
  ),
  E_WRONG_CLUSTER: page(
    1,
    "never",
    "The node belongs to another cluster.",
    "check --server",
  ),
  E_UNAUTHENTICATED: page(
    1,
    "never",
    "The node and the one who asks could not prove to each other who they are. Nothing was asked.",
    "pass --secret-file with the cluster's secret or a key derived from it, and --tls-ca where the node speaks TLS",
  ),
  E_FORBIDDEN: page(
    1,
    "never",
    "The role of the key that was presented may not ask for this. Nothing was done.",
    "use a key of another role; docs/security.md says who may do what",
  ),
  E_PROTOCOL: page(
    1,
    "never",
    "What answers is not an allocdb node, or one of an incompatible version.",
    "check --server, that it is not the port of the HTTP gateway, and --tls-ca where the node speaks TLS",
  ),
  E_REFUSED: page(
    1,
    "never",
    "The node refused the connection or the request.",
    "the message has the node's own words",
  ),
  E_WAIT_TIMEOUT: page(
    9,
    "after_ms",
    "What was waited for did not come in time.",
    "wait longer with --timeout",
  ),
  E_CHECKPOINT_RUNNING: page(
    7,
    "after_ms",
    "A checkpoint is being written already.",
    "wait for it; `allocdb metrics` shows counters.checkpoints",
  ),
  E_CHECKPOINT_FAILED: page(
    1,
    "after_ms",
    "The checkpoint could not be written. The log still has everything; nothing is lost.",
    "look at the node's log and its disk",
  ),
} as const;

/** Running a node or a tool. */
const HOST = {
  E_PORT_IN_USE: page(
    7,
    "never",
    "Another process listens on the address.",
    "pass another --listen, or port 0 to let the system choose",
  ),
  E_DATA_LOCKED: page(
    7,
    "never",
    "Another process has the data directory open.",
    "stop it first, or use another --data",
  ),
  E_CORRUPT: page(
    8,
    "never",
    "The data directory holds something that was never written so. The node refuses to guess.",
    "keep the files as they are; restore from a snapshot or a peer",
  ),
  E_DATA_VERSION: page(
    8,
    "never",
    "The data directory was written by a version whose format this one does not read.",
    "use the version of allocdb that wrote it",
  ),
  E_DISK_FULL: page(
    10,
    "after_ms",
    "The disk has no room. What was acknowledged is safe.",
    "free some space and start again",
  ),
  E_DISK_READ_ONLY: page(
    1,
    "never",
    "The file system is mounted read-only.",
    "mount it writable, or use another --data",
  ),
  E_FILE_EXISTS: page(
    1,
    "never",
    "A file that was to be made is there already. It was left alone.",
    "give another name, or move the file away first",
  ),
  E_PERMISSION_DENIED: page(
    1,
    "never",
    "The system does not let allocdb read or write there.",
    "check owner and mode, or run as the user that owns it",
  ),
  E_IO: page(
    1,
    "never",
    "A file or a socket failed in a way that has no code of its own.",
    "the message has the system's own words",
  ),
  E_CHECK_FAILED: page(
    3,
    "never",
    "A check ran to its end and found something wrong.",
    "the report says what",
  ),
  E_RUN_FAILED: page(
    1,
    "never",
    "A run of real clusters broke off before everything was judged.",
    "the status file and the events log say where; what there is of the history was kept",
  ),
  E_INCONCLUSIVE: page(
    6,
    "never",
    "A check could not decide, or had nothing to look at: that is no pass.",
    "the report says what it would have needed",
  ),
  E_BAD_HISTORY: page(
    65,
    "never",
    "The file is no history, one that breaks its own format, or one of a kind that is not judged here.",
    "the message has the place; name the format with --format if it was taken for another one",
  ),
  E_LOW_COVERAGE: page(
    66,
    "never",
    "Nothing is wrong with the history, but it has less in it than --min-coverage asks for.",
    "let the run go on for longer, or ask for less",
  ),
  E_PREFLIGHT: page(
    5,
    "never",
    "Something the command needs is not on this machine.",
    "install what the message names",
  ),
  E_NO_WORKSPACE: page(
    2,
    "never",
    "The directory is no workspace of a local cluster.",
    "make one: `allocdb cluster start --workspace DIR`",
  ),
  E_BAD_WORKSPACE: page(
    8,
    "never",
    "A file of the workspace is not one that allocdb wrote, or was damaged by hand. Nothing was changed.",
    "put the file back as it was; docs/cluster.md says what belongs there",
  ),
  E_WORKSPACE_LOCKED: page(
    7,
    "after_ms",
    "Another cluster command is at work in the workspace.",
    "wait until it has ended",
  ),
  E_NO_SUCH_REPLICA: page(
    2,
    "never",
    "The cluster has no replica with this id.",
    "see `allocdb cluster status`",
  ),
  E_ALREADY_RUNNING: page(
    7,
    "never",
    "The replica runs already, or something that cannot be told from it does.",
    "see `allocdb cluster status`",
  ),
  E_NOT_RUNNING: page(
    1,
    "never",
    "The replica does not run.",
    "start it: `allocdb cluster restart`",
  ),
  E_REPLICA_FAILED: page(
    1,
    "never",
    "A replica ended, or did not answer, where it should have served.",
    "the end of its log is in the message; `allocdb cluster logs` shows more",
  ),
  E_INTERRUPTED: page(
    130,
    "same_id",
    "The command was interrupted by a signal.",
    "run it again",
  ),
  E_BUG: page(
    70,
    "never",
    "An invariant of allocdb does not hold. This is never your fault.",
    "run again with ALLOCDB_TRACE=1 and report the fact and the stack",
  ),
} as const;

/** Every error code with its page. */
export const ERRORS = { ...USAGE, ...RESULTS, ...REJECTIONS, ...CONNECTION, ...HOST } as const;

/** One of the codes in {@linkcode ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/** Whether a word is an error code. */
export function isErrorCode(word: string): word is ErrorCode {
  return Object.hasOwn(ERRORS, word);
}

/** The error code of a committed result; `undefined` for `ok` and `noop`. */
export function resultErrorCode(result: ResultName): ResultErrorCode | undefined {
  const code = `E_${result.toUpperCase()}`;
  return Object.hasOwn(RESULTS, code) ? code as ResultErrorCode : undefined;
}
