/** `jepsen serve`: the bundles of a directory in a browser. Nothing below it but bundles' own files is ever sent. */
import { extname, join } from "@std/path";
import type { CliIo } from "../../../node/cli/io.ts";
import type { JepsenRequest } from "../../../node/cli/jepsen_options.ts";
import { quote } from "../../../node/cli/text.ts";
import { CliError } from "../../../node/errors.ts";
import type { Verdict } from "../analysis/judgement.ts";
import { type IndexEntry, indexPage } from "../report/index_page.ts";
import { type Manifest, MANIFEST_FILE, parseManifest } from "../run/manifest.ts";

type ServeRequest = Extract<JepsenRequest, { readonly verb: "serve" }>;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".log": "text/plain; charset=utf-8",
  ".xml": "text/xml; charset=utf-8",
};

/** Reports bring their own styles and scripts; nothing else is loaded. */
const HEADERS = {
  "content-security-policy": "default-src 'self' 'unsafe-inline'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/**
 * Serves until Ctrl-C.
 *
 * @throws {CliError} When the directory is none, or the address cannot be had.
 */
export async function runServe({ directory, listen }: ServeRequest, io: CliIo): Promise<void> {
  const root = await rootOf(directory);
  const signal = io.interruption();
  const at = listen.lastIndexOf(":");
  const hostname = listen.slice(0, at).replace(/^\[|\]$/g, "");
  const server = serving(hostname, Number(listen.slice(at + 1)), {
    signal,
    onListen: (address) =>
      io.out.write(`listening on http://${listen.slice(0, at)}:${address.port}/\n`),
    handler: (request) => answer(root, request),
  });
  await server.finished;
}

function serving(
  hostname: string,
  port: number,
  { signal, onListen, handler }: {
    readonly signal: AbortSignal;
    readonly onListen: (address: Deno.NetAddr) => void;
    readonly handler: (request: Request) => Promise<Response>;
  },
): Deno.HttpServer {
  try {
    return Deno.serve({ hostname, port, signal, onListen }, handler);
  } catch (error) {
    if (error instanceof Deno.errors.AddrNotAvailable) {
      const message = `${hostname} is no address of this machine`;
      throw new CliError("E_BAD_ADDRESS", message, { cause: error });
    }
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new CliError("E_PORT_IN_USE", `somebody listens on ${hostname}:${port}`, {
      cause: error,
    });
  }
}

/**
 * One page or file.
 *
 * @param root Directory with bundles.
 */
export async function answer(root: string, { method, url }: Request): Promise<Response> {
  if (method !== "GET" && method !== "HEAD") return refused(405, "only GET");
  const parts = pathOf(url);
  if (parts === undefined) return refused(404, "no such page");
  if (parts.length === 0) return await page(root);
  const [bundle, name] = parts;
  if (parts.length !== 2 || !await isListed(join(root, bundle!), name!)) {
    return refused(404, "no such file");
  }
  const bytes = await Deno.readFile(join(root, bundle!, name!));
  const type = TYPES[extname(name!)] ?? "application/octet-stream";
  return new Response(bytes, { headers: { ...HEADERS, "content-type": type } });
}

function refused(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: HEADERS });
}

/** The parts of a path; nothing when one of them is no name. */
function pathOf(url: string): readonly string[] | undefined {
  try {
    const parts = new URL(url).pathname.split("/").filter((part) => part !== "")
      .map(decodeURIComponent);
    return parts.some((part) => /[/\\\0]/.test(part) || part.startsWith(".")) ? undefined : parts;
  } catch {
    return undefined;
  }
}

/** Only what a manifest names, and the manifest. */
async function isListed(bundle: string, name: string): Promise<boolean> {
  const manifest = await manifestOf(bundle);
  if (manifest === undefined) return false;
  return name === MANIFEST_FILE || manifest.files.some(({ path }) => path === name);
}

async function page(root: string): Promise<Response> {
  const entries: IndexEntry[] = [];
  for await (const { name, isDirectory } of Deno.readDir(root)) {
    const manifest = isDirectory ? await manifestOf(join(root, name)) : undefined;
    if (manifest !== undefined) entries.push(entryOf(name, manifest));
  }
  const html = indexPage("Runs", entries);
  return new Response(html, { headers: { ...HEADERS, "content-type": TYPES[".html"]! } });
}

const LINKED = ["report.html", "summary.txt", "history.txt", "report.json", "events.log"];

function entryOf(name: string, manifest: Manifest): IndexEntry {
  const { runId, workload, nemesis, createdAtMillis, verdict, facts, files, settings } = manifest;
  const there = new Set(files.map(({ path }) => path));
  const links = [...LINKED.filter((file) => there.has(file)), MANIFEST_FILE];
  return {
    ...{ title: runId, workload, nemesis, backend: settings.backend, seed: settings.seed },
    verdict: verdict as Verdict,
    startedAtMillis: createdAtMillis,
    durationNs: Number(facts.elapsed_secs ?? 0) * 1e9,
    operations: Number(facts.attempts ?? 0),
    isWindowOverridden: manifest.faultWindowOverrideSecs !== undefined,
    links: links.map((file) => ({ name: file, path: `${encodeURIComponent(name)}/${file}` })),
  };
}

/** What a directory says that it is; nothing when it is no bundle. */
async function manifestOf(directory: string): Promise<Manifest | undefined> {
  try {
    return parseManifest(await Deno.readTextFile(join(directory, MANIFEST_FILE)));
  } catch {
    return undefined;
  }
}

async function rootOf(directory: string): Promise<string> {
  try {
    if (!(await Deno.stat(directory)).isDirectory) throw new Error("a file");
    return await Deno.realPath(directory);
  } catch (error) {
    throw new CliError("E_IO", `there is no directory ${quote(directory)}`, { cause: error });
  }
}
