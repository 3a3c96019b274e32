// The catalogue is a contract with scripts: every outcome has a code, every code an exit code of the table, and
// docs/cli.md says the same.
import { assert, assertEquals } from "@std/assert";
import { RESULT_NAMES } from "../core/outcome.ts";
import { ERRORS, EXIT_CODES, isErrorCode, resultErrorCode } from "./error_catalogue.ts";
import { CliError } from "./errors.ts";

/** Cells of the rows of the Markdown tables under a heading, head and rule left out. */
async function tableUnder(heading: string): Promise<readonly (readonly string[])[]> {
  const text = await Deno.readTextFile(new URL("../docs/cli.md", import.meta.url));
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|")).slice(2);
  return rows.map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()));
}

Deno.test("ERRORS is the table in docs/cli.md", async () => {
  assertEquals(
    await tableUnder("Errors"),
    Object.entries(ERRORS).map(([code, { exitCode, retry, meaning }]) => [
      `\`${code}\``,
      String(exitCode),
      `\`${retry}\``,
      meaning,
    ]),
  );
});

Deno.test("EXIT_CODES is the table in docs/cli.md, and every error exits with one of them", async () => {
  assertEquals(await tableUnder("Exit codes"), Object.entries(EXIT_CODES).map((row) => [...row]));
  for (const { exitCode } of Object.values(ERRORS)) {
    assert(Object.hasOwn(EXIT_CODES, exitCode) && exitCode > 0);
  }
});

Deno.test("resultErrorCode() has a code for every committed result but ok and noop", () => {
  for (const name of RESULT_NAMES) {
    if (name === "none") continue;
    const code = resultErrorCode(name);
    assertEquals(code, name === "ok" || name === "noop" ? undefined : `E_${name.toUpperCase()}`);
    if (code !== undefined) assertEquals(ERRORS[code].exitCode, 1);
  }
});

Deno.test("isErrorCode() knows the codes and nothing that every object has", () => {
  assert(isErrorCode("E_BUG"));
  for (const word of ["", "e_bug", "E_NOTHING", "toString", "constructor"]) {
    assert(!isErrorCode(word));
  }
});

Deno.test("CliError takes from its page what the occurrence does not say", () => {
  const plain = new CliError("E_RESOURCE_BUSY", "busy");
  const { exitCode, retry, advice } = ERRORS.E_RESOURCE_BUSY;
  assertEquals([plain.exitCode, plain.retry, plain.hint], [exitCode, retry, advice]);
  const cause = new Error("why");
  const told = new CliError("E_RESOURCE_BUSY", "busy", { hint: "wait", retry: "never", cause });
  assertEquals([told.hint, told.retry, told.cause], ["wait", "never", cause]);
});
