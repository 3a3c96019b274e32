/**
 * Damage to the files of a directory, written down as bytes: one that chooses the directory, then 16 for each
 * edit. Any bytes are a script, and a script is a few lines however long the files are.
 */
import { drawEdge, join } from "./mutate.ts";
import { FuzzRandom } from "./random.ts";

/** A directory by name and content. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** A directory that is being damaged. */
export interface EditedFiles {
  readonly files: Map<string, Uint8Array>;
  /** Whether some edit put checksums right: what then passes for sound was never written by the program. */
  isForged: boolean;
}

/** What edits of one kind of directory need to know. */
export interface EditRules {
  /** Names an edit may speak of, of files that are there and of files that may come to be. */
  readonly names: readonly string[];
  /** Offsets at which something begins, for drawing. */
  readonly landmarks: (name: string, bytes: Uint8Array) => readonly number[];
  /** Puts every checksum of a file right, as far as it can still be told what is under them. */
  readonly reseal: (name: string, bytes: Uint8Array, choice: number) => void;
}

/** One edit; what its numbers mean depends on the kind. */
interface Edit {
  readonly kind: number;
  readonly name: string;
  readonly other: string;
  readonly choice: number;
  readonly at: number;
  readonly length: number;
  readonly extra: number;
}

const EDIT_BYTES = 16;
const SECTOR_BYTES = 512;
/** Longest file that edits make. */
const FILE_BYTES_MAX = 0x1_0000;

type Apply = (edited: EditedFiles, edit: Edit, rules: EditRules) => void;

/** Changes a file that is there, in place. */
function inPlace(change: (bytes: Uint8Array, edit: Edit) => void): Apply {
  return ({ files }, edit) => {
    const bytes = files.get(edit.name);
    if (bytes !== undefined && bytes.length > 0) change(bytes, edit);
  };
}

const flipBit = inPlace((bytes, { at, choice }) => {
  bytes[at % bytes.length]! ^= 1 << (choice & 7);
});

const randomRun = inPlace((bytes, { at, length, extra }) => {
  const from = at % bytes.length;
  const run = new FuzzRandom(extra, "run", 0).bytes(1 + length % 600);
  bytes.set(run.subarray(0, bytes.length - from), from);
});

const fillRun = inPlace((bytes, { at, length, choice }) => {
  const from = at % bytes.length;
  bytes.fill([0x00, 0xff, 0xad, 0x00][choice & 3]!, from, from + 1 + length % 600);
});

/** Whole sectors, as a crash leaves them, or what is left of one behind a place. */
const zeroSectors = inPlace((bytes, { at, length, choice }) => {
  const from = at % bytes.length;
  const sector = from - from % SECTOR_BYTES;
  const start = (choice & 1) === 0 ? sector : from;
  bytes.fill(0, start, sector + SECTOR_BYTES * (1 + length % 3));
});

/** A number of 4 or 8 bytes, little-endian, as all files are. */
const setNumber = inPlace((bytes, { at, choice, extra, length }) => {
  const width = (choice & 1) === 0 ? 4 : 8;
  if (bytes.length < width) return;
  const from = at % (bytes.length - width + 1);
  const value = drawEdge(new FuzzRandom(extra, "number", 0), length % 1_024);
  for (let i = 0; i < width; i++) bytes[from + i] = Number((value >> BigInt(8 * i)) & 0xffn);
});

const copyWithin = inPlace((bytes, { at, length, choice, extra }) => {
  const grain = [1, 8, 72, SECTOR_BYTES][choice & 3]!;
  const [from, to] = [extra % bytes.length, at % bytes.length];
  bytes.copyWithin(to - to % grain, from - from % grain, from + length % 600);
});

const copyFrom: Apply = ({ files }, { name, other, at, length, choice }) => {
  const [bytes, source] = [files.get(name), files.get(other)];
  if (bytes === undefined || source === undefined || bytes.length === 0) return;
  const grain = [1, 8, SECTOR_BYTES, SECTOR_BYTES][choice & 3]!;
  const from = at % bytes.length - (at % bytes.length) % grain;
  const run = source.subarray(from, from + grain + length % 1_200);
  bytes.set(run.subarray(0, bytes.length - from), from);
};

const truncate: Apply = ({ files }, { name, at }) => {
  const bytes = files.get(name);
  if (bytes !== undefined) files.set(name, bytes.slice(0, at % (bytes.length + 1)));
};

const extend: Apply = ({ files }, { name, length, choice, extra }) => {
  const bytes = files.get(name);
  if (bytes === undefined || bytes.length > FILE_BYTES_MAX) return;
  const count = (choice & 1) === 0
    ? SECTOR_BYTES
    : 1 + length % ((choice & 4) === 0 ? 700 : 60_000);
  const more = (choice & 2) === 0
    ? new Uint8Array(count)
    : new FuzzRandom(extra, "", 0).bytes(count);
  files.set(name, join(bytes, more));
};

const remove: Apply = ({ files }, { name }) => void files.delete(name);

const rename: Apply = ({ files }, { name, other }) => {
  const bytes = files.get(name);
  if (bytes === undefined || name === other) return;
  files.delete(name);
  files.set(other, bytes);
};

const copyFile: Apply = ({ files }, { name, other }) => {
  const bytes = files.get(name);
  if (bytes !== undefined) files.set(other, bytes.slice());
};

const exchangeFiles: Apply = ({ files }, { name, other }) => {
  const [bytes, others] = [files.get(name), files.get(other)];
  if (bytes === undefined || others === undefined) return;
  files.set(name, others);
  files.set(other, bytes);
};

const reseal: Apply = (edited, { name, choice }, rules) => {
  const bytes = edited.files.get(name);
  if (bytes === undefined) return;
  edited.isForged = true;
  rules.reseal(name, bytes, choice);
};

/** The position of each is its number in scripts. */
const KINDS: readonly Apply[] = [
  ...[flipBit, randomRun, fillRun, zeroSectors, setNumber, copyWithin, copyFrom, truncate],
  ...[extend, remove, rename, copyFile, exchangeFiles, reseal],
];

/** How often each is drawn. */
const DRAWN: readonly Apply[] = [
  ...[flipBit, flipBit, flipBit, randomRun, randomRun, fillRun, zeroSectors, zeroSectors],
  ...[setNumber, setNumber, copyWithin, copyWithin, copyFrom, truncate, extend, remove],
  ...[rename, copyFile, exchangeFiles],
];

/**
 * Damages a directory.
 *
 * @param files Not changed.
 * @param script Edits, behind the byte that chose the directory.
 * @param rules Of this kind of directory.
 */
export function applyEdits(files: Files, script: Uint8Array, rules: EditRules): EditedFiles {
  const copies = [...files].map(([name, bytes]) => [name, bytes.slice()] as const);
  const edited = { files: new Map(copies), isForged: false };
  for (let at = 1; at + EDIT_BYTES <= script.length; at += EDIT_BYTES) {
    const edit = readEdit(script.subarray(at, at + EDIT_BYTES), rules.names);
    KINDS[edit.kind]!(edited, edit, rules);
  }
  return edited;
}

function readEdit(bytes: Uint8Array, names: readonly string[]): Edit {
  const view = new DataView(bytes.buffer, bytes.byteOffset, EDIT_BYTES);
  return {
    kind: view.getUint8(0) % KINDS.length,
    name: names[view.getUint8(1) % names.length]!,
    other: names[view.getUint8(2) % names.length]!,
    choice: view.getUint8(3),
    at: view.getUint32(4),
    length: view.getUint32(8),
    extra: view.getUint32(12),
  };
}

/**
 * Draws a script: one to four edits, half of them near where something begins; in one script of three
 * checksums are put right at the end.
 *
 * @param random Where the choices come from.
 * @param choice The byte that chooses the directory.
 * @param files That directory.
 * @param rules Of this kind of directory.
 */
export function drawScript(
  random: FuzzRandom,
  choice: number,
  files: Files,
  rules: EditRules,
): Uint8Array {
  const edits: Uint8Array[] = [];
  const present = [...files.keys()];
  const edit = (kind: Apply, name: string): void => {
    const other = random.pick(rules.names);
    edits.push(drawEdit(random, kind, [name, other], files.get(name), rules));
  };
  for (let left = random.pick([0, 1, 1, 1, 2, 2, 3, 4]); left > 0; left--) {
    edit(random.pick(DRAWN), random.oneIn(8) ? random.pick(rules.names) : random.pick(present));
  }
  if (random.oneIn(3)) { for (const name of present) edit(reseal, name); }
  return join(Uint8Array.of(choice), ...edits);
}

function drawEdit(
  random: FuzzRandom,
  kind: Apply,
  [name, other]: readonly [string, string],
  bytes: Uint8Array | undefined,
  rules: EditRules,
): Uint8Array {
  const edit = random.bytes(EDIT_BYTES);
  const view = new DataView(edit.buffer);
  view.setUint8(0, KINDS.indexOf(kind));
  view.setUint8(1, rules.names.indexOf(name));
  view.setUint8(2, rules.names.indexOf(other));
  if (bytes === undefined || bytes.length === 0) return edit;
  const marks = rules.landmarks(name, bytes);
  const near = marks.length > 0 && random.oneIn(2)
    ? random.pick(marks) + random.below(random.pick([1, 8, 64, 128]))
    : random.below(bytes.length);
  view.setUint32(4, Math.min(near, bytes.length - 1));
  if (marks.length > 0 && random.oneIn(2)) view.setUint32(12, random.pick(marks));
  return edit;
}
