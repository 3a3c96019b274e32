// Compares docs/invariants.md with the code and the tests and prints the gaps: a fact that the code
// asserts and the page does not explain, a fact on the page that no test breaks on purpose.
import { fromFileUrl } from "@std/path";
import { isTest, sourceFiles } from "./source_files.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));
const PAGE = "docs/invariants.md";
const ID = "[a-z0-9_]+(?:-[a-z0-9_]+)*/[a-z0-9_]+(?:-[a-z0-9_]+)*";

/** Where an id was seen: the path of a file. */
export type Sightings = Map<string, string>;

/** The text of a call's arguments, from just after its bracket to the one that closes it. */
function callArguments(source: string, from: number): string {
  let depth = 1;
  let quote = "";
  for (let at = from; at < source.length; at++) {
    const char = source[at]!;
    if (char === "\\") at++;
    else if (quote === "" && source.startsWith("//", at)) at = source.indexOf("\n", at);
    else if (quote !== "") quote = char === quote ? "" : quote;
    else if (char === '"' || char === "'" || char === "`") quote = char;
    else if (char === "(") depth++;
    else if (char === ")" && --depth === 0) return source.slice(from, at);
  }
  return source.slice(from);
}

/** Ids that `source` asserts by `assert(condition, "area/claim")` or lists as `id: "area/claim"`. */
export function assertedIds(source: string): string[] {
  const lastArgument = new RegExp(`"(${ID})",?\\s*$`);
  const calls = [...source.matchAll(/(?<![\w.])assert\(/g)].flatMap((match) => {
    const id = lastArgument.exec(callArguments(source, match.index + match[0].length))?.[1];
    return id === undefined ? [] : [id];
  });
  const listed = [...source.matchAll(new RegExp(`\\bid: "(${ID})"`, "g"))].map(([, id]) => id!);
  return [...calls, ...listed];
}

/** Ids of the rows of the page's tables, in order: a row begins with the id between backticks. */
export function documentedIds(page: string): string[] {
  const row = new RegExp(`^\\|\\s*\`(${ID})\`\\s*\\|`, "gm");
  return [...page.matchAll(row)].map(([, id]) => id!);
}

/** What is missing, one line each. `tests` is the text of all tests. */
export function findGaps(page: string, asserted: Sightings, tests: string): string[] {
  const rows = documentedIds(page);
  const known = new Set(rows);
  const mentioned = new Set(tests.match(new RegExp(ID, "g")));
  const undocumented = [...asserted].filter(([id]) => !known.has(id));
  const repeated = rows.filter((id, at) => rows.indexOf(id) !== at);
  const untested = [...known].filter((id) => !mentioned.has(id));
  return [
    ...undocumented.map(([id, path]) => `${id}: asserted in ${path}, no row in ${PAGE}`),
    ...repeated.map((id) => `${id}: more than one row in ${PAGE}`),
    ...untested.map((id) => `${id}: no test names it`),
  ];
}

/** The ids in shipped code with the first file that asserts each, and the text of all tests. */
async function readTree(root: string): Promise<{ asserted: Sightings; tests: string }> {
  const asserted: Sightings = new Map();
  const tests: string[] = [];
  for (const path of await sourceFiles(root)) {
    const text = await Deno.readTextFile(`${root}${path}`);
    if (isTest(path)) tests.push(text);
    else if (path.startsWith("tools/")) continue;
    else for (const id of assertedIds(text)) if (!asserted.has(id)) asserted.set(id, path);
  }
  return { asserted, tests: tests.join("\n") };
}

/** Prints the gaps below `root`, a path that ends in a slash. Returns the exit code. */
export async function main(root: string): Promise<number> {
  let page: string;
  try {
    page = await Deno.readTextFile(`${root}${PAGE}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.error(`error: ${PAGE} does not exist\nhint: one table row per asserted fact`);
    return 1;
  }
  const { asserted, tests } = await readTree(root);
  const gaps = findGaps(page, asserted, tests);
  for (const gap of gaps) console.error(`error: ${gap}`);
  const rows = documentedIds(page).length;
  console.log(`${asserted.size} facts asserted, ${rows} rows, ${gaps.length} gaps`);
  return gaps.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(ROOT));
