/** Inputs that once failed, as hexadecimal lines in `tests/corpus/fuzz/<target>-<seed>-<case>.hex`. */
import { fromFileUrl } from "@std/path";
import { hexOf } from "./target.ts";

/** Where the files are. */
export const CORPUS = fromFileUrl(new URL("../../tests/corpus/fuzz/", import.meta.url));

const LINE_BYTES = 32;
const NAME = /^([a-z_]+)-([0-9]+)-([0-9]+)\.hex$/;

/** One file. */
export interface CorpusInput {
  readonly file: string;
  readonly target: string;
  readonly bytes: Uint8Array;
}

/** Name of the file for an input. */
export function corpusFile(target: string, seed: number, caseNumber: number): string {
  return `${target}-${seed}-${caseNumber}.hex`;
}

/** Bytes as lines. */
export function toHexLines(bytes: Uint8Array): string {
  let lines = "";
  for (let at = 0; at < bytes.length; at += LINE_BYTES) {
    lines += `${hexOf(bytes.subarray(at, at + LINE_BYTES))}\n`;
  }
  return lines;
}

/**
 * Reads what {@linkcode toHexLines} wrote.
 *
 * @throws {TypeError} When it is no such text.
 */
export function fromHexLines(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replaceAll(/\s/g, "");
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new TypeError("Not an even number of hex digits");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Keeps an input; answers the path. */
export async function keepInput(
  folder: string,
  file: string,
  bytes: Uint8Array,
): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}${file}`, toHexLines(bytes));
  return `${folder}${file}`;
}

/** One file by its path; the target is in its name. */
export async function readInput(path: string): Promise<CorpusInput> {
  const file = path.split("/").at(-1)!;
  const target = NAME.exec(file)?.[1];
  if (target === undefined) throw new TypeError(`${file} is not named <target>-<seed>-<case>.hex`);
  return { file, target, bytes: fromHexLines(await Deno.readTextFile(path)) };
}

/** Every file of a folder, by name. */
export async function readCorpus(folder: string): Promise<CorpusInput[]> {
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  return await Promise.all(files.map((file) => readInput(`${folder}${file}`)));
}
