// docs/http.md is what people copy from. Its examples are run against a real node, in the order of the page,
// and its tables are compared with the program's. `-- --update` writes what came out into the page.
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { withGateway } from "../../tests/support/http.ts";
import { type LiveNode, openLiveNode } from "../../tests/support/live_node.ts";
import { CODES } from "./codes.ts";
import { ROUTES } from "./routes.ts";

const PAGE = fromFileUrl(new URL("../../docs/http.md", import.meta.url));

/** Where the page says that the gateway is. */
const ADDRESS = "http://127.0.0.1:8080";

/** Words of a command line; what is in single quotes is one word. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|([^\s']+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
}

/** Runs one line of the page and tells what it prints. */
async function run(line: string, url: string, { clock }: LiveNode): Promise<string> {
  const [command, filter] = line.split(" | ");
  const [program, ...args] = words(command!);
  if (program === "sleep") {
    clock.ms += Number(args[0]) * 1_000 + 10; // A person is never faster than that, and the slot is over.
    return "";
  }
  assertEquals(program, "curl");
  const output = await (await curl(args, url)).text();
  return filter === undefined ? output : filtered(output, words(filter));
}

/** What curl does with the few options that the page uses. */
function curl(args: string[], url: string): Promise<Response> {
  const rest = [...args];
  const headers = new Headers();
  let target = "";
  let method = "GET";
  let body: string | undefined;
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "-X") method = rest.shift()!;
    else if (arg === "-H") headers.set(...(rest.shift()!.split(": ") as [string, string]));
    else if (arg === "--json") {
      method = "POST";
      body = rest.shift()!;
      headers.set("content-type", "application/json");
    } else if (arg !== "-s") target = arg;
  }
  assert(target.startsWith(ADDRESS), target);
  const init = body === undefined ? { method, headers } : { method, headers, body };
  return fetch(target.replace(ADDRESS, url), init);
}

function filtered(output: string, [program, argument]: string[]): string {
  if (program === "grep") {
    const lines = output.split("\n").filter((line) => new RegExp(argument!).test(line));
    return lines.map((line) => `${line}\n`).join("");
  }
  assertEquals(program, "jq");
  const steps = argument!.split(".").filter((step) => step !== "");
  const found = steps.reduce<unknown>(
    (at, step) => (at as { readonly [name: string]: unknown })[step],
    JSON.parse(output),
  );
  return `${JSON.stringify(found, undefined, 2)}\n`;
}

/** The page with the output of each of its examples as it is now. */
async function rerun(page: string): Promise<string> {
  const live = openLiveNode();
  const parts = page.split(/(^```console\n[^]*?^```$)/m);
  await withGateway(live.node, {}, async ({ url }) => {
    for (const [i, part] of parts.entries()) {
      if (!part.startsWith("```console")) continue;
      let block = "```console\n";
      for (const [, line] of part.matchAll(/^\$ (.*)$/gm)) {
        block += `$ ${line}\n${await run(line!, url, live)}`;
      }
      parts[i] = `${block}\`\`\``;
    }
  });
  live.node.close();
  return parts.join("");
}

/** Cells of the rows whose first cell is code. */
function rows(page: string, heading: string): string[][] {
  const section = page.slice(page.indexOf(`\n## ${heading}\n`) + 1).split("\n## ")[0]!;
  const cells = [...section.matchAll(/^\| (`.*) \|$/gm)].map(([, row]) => row!.split("|"));
  return cells.map((row) => row.map((cell) => cell.trim()));
}

Deno.test("docs/http.md: every example prints what the page says", async () => {
  const page = await Deno.readTextFile(PAGE);
  const now = await rerun(page);
  if (Deno.args.includes("--update")) return await Deno.writeTextFile(PAGE, now);
  assertEquals(page, now);
});

Deno.test("docs/http.md: every route is in the table and in an example", async () => {
  const page = await Deno.readTextFile(PAGE);
  const cells = ROUTES.map(({ method, template, success, summary }) => [
    ...[`\`${method} ${template}\``, success.map(({ status }) => status).join(", "), summary],
  ]);
  assertEquals(rows(page, "Routes"), cells);
  const commands = [...page.matchAll(/^\$ curl (.*)$/gm)].map(([, line]) => line!);
  for (const { method, template } of ROUTES) {
    const path = template.replaceAll("/", "\\/").replace("{id}", "[^/ ?]+");
    const shown = commands.filter((line) => new RegExp(`8080${path}(?=[ '?]|$)`).test(line));
    const posts = shown.filter((line) => / --json | -X POST/.test(line));
    const count = method === "POST" ? posts.length : shown.length - posts.length;
    assert(count > 0, `${method} ${template} has no example`);
  }
});

Deno.test("docs/http.md: the table of codes is the program's", async () => {
  const page = await Deno.readTextFile(PAGE);
  const cells = Object.entries(CODES).map(([code, { status, retry, title }]) => [
    ...[`\`${code}\``, String(status), `\`${retry}\``, title],
  ]);
  assertEquals(rows(page, "Codes"), cells);
});
