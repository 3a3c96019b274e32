/** The file of `--certificate`: why a verdict is right, so that it can be checked without searching again. */
import * as v from "valibot";
import type { CliIo } from "../../../node/cli/io.ts";
import { jsonText } from "../../../node/cli/output.ts";
import { printable, quote } from "../../../node/cli/text.ts";
import { CliError } from "../../../node/errors.ts";
import { verifyCertificate } from "../analysis/certificate/verify.ts";
import { provableHistory } from "../analysis/prove.ts";
import type { ReservationCertificate } from "../analysis/reservation/certificate_words.ts";
import { READ_DEFAULTS } from "../codec/format.ts";
import { readHistory } from "../codec/read.ts";
import { HistoryError } from "../history/history_error.ts";

const place = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const id = v.pipe(v.string(), v.regex(/^[0-9]{1,39}$/), v.transform((digits) => BigInt(digits)));
const step = v.variant("kind", [
  v.strictObject({
    kind: v.literal("operation"),
    attempts: v.array(place),
    reservationId: v.exactOptional(id),
  }),
  v.strictObject({ kind: v.literal("expire"), resourceIds: v.array(id) }),
]);
const certificate = v.variant("kind", [
  v.strictObject({
    kind: v.literal("order"),
    partitions: v.array(v.strictObject({ resourceIds: v.array(id), steps: v.array(step) })),
  }),
  v.strictObject({
    kind: v.literal("counterexample"),
    rule: v.string(),
    attempts: v.array(place),
    weakened: v.array(place),
    frontier: v.array(v.array(v.string())),
  }),
]);
const FILE = v.strictObject({
  format: v.literal("allocdb-certificate"),
  version: v.literal(1),
  certificate,
});

/** The text of a file. */
export function certificateText(proof: ReservationCertificate): string {
  const file = { format: "allocdb-certificate", version: 1, certificate: proof };
  return `${
    JSON.stringify(file, (_, value) => typeof value === "bigint" ? value.toString() : value)
  }\n`;
}

/**
 * Checks a certificate against the history that it is about.
 *
 * @throws {CliError} E_CHECK_FAILED when it proves nothing, E_INCONCLUSIVE when it cannot be decided without a search,
 * E_BAD_HISTORY, E_BAD_CONFIG when the file is no certificate.
 */
export async function verifyProof(
  file: string,
  historyFile: string,
  json: boolean,
  io: CliIo,
): Promise<void> {
  const proof = readProof(file);
  const { history, options } = await historyOf(historyFile);
  const verification = verifyCertificate(history, proof, options);
  const verdict = proof.kind === "order" ? "valid" : "invalid";
  const sentence = "sentence" in verification ? verification.sentence : undefined;
  const said = { certificate: verification.kind, verdict, attempts: history.length };
  if (json) io.out.write(jsonText({ version: 1, ...said, sentence: sentence ?? null }, 2));
  else io.out.write(Object.entries(said).map(([key, value]) => `${key}=${value}\n`).join(""));
  if (sentence === undefined) return;
  const code = verification.kind === "refused" ? "E_CHECK_FAILED" : "E_INCONCLUSIVE";
  throw new CliError(code, `${quote(file)} does not prove it: ${sentence}`);
}

async function historyOf(path: string): Promise<ReturnType<typeof provableHistory>> {
  try {
    return provableHistory(await readHistory(path, READ_DEFAULTS));
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    throw new CliError("E_BAD_HISTORY", printable(error.message), { cause: error });
  }
}

function readProof(path: string): ReservationCertificate {
  let data: unknown;
  try {
    if (!Deno.statSync(path).isFile) throw new Error("it is no file");
    data = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CliError("E_BAD_CONFIG", `${quote(path)} is no certificate: ${message}`, {
      hint: "write one with `allocdb jepsen analyze --certificate`",
      cause: error,
    });
  }
  const parsed = v.safeParse(FILE, data);
  if (parsed.success) return parsed.output.certificate;
  const [issue] = parsed.issues;
  const where = v.getDotPath(issue) ?? "the document";
  throw new CliError(
    "E_BAD_CONFIG",
    `${quote(path)} is no certificate: ${where}: ${issue.message}`,
  );
}
