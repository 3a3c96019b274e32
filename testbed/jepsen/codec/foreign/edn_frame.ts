/** What an EDN reader has open: brackets that wait to be closed, and prefixes that wait for what they belong to. */
import { HistoryError } from "../../history/history_error.ts";
import type { Datum, Group } from "./datum.ts";

/** See the top of this file. */
export type Frame = GroupFrame | PrefixFrame;

/** An open bracket. */
export interface GroupFrame {
  readonly kind: Group["kind"];
  readonly line: number;
  readonly items: Datum[];
  /** Of a vector or list that holds the whole history: its items are handed on, not kept. */
  isHistory: boolean;
}

/** `#_`, `^` or `#tag`. */
export interface PrefixFrame {
  readonly kind: "discard" | "metadata" | "tag";
  readonly line: number;
  /** Of a tag; with a leading colon that of `#:namespace{...}`. */
  readonly tag: string;
  /** Of metadata: it has come, what it is about has not. */
  isHalfWay: boolean;
}

const OPENING = { list: "(", vector: "[", set: "#{", map: "{" } as const;
const PREFIX_MEANS = {
  discard: "#_",
  metadata: "^",
  tag: "a tag",
} as const;

/** Whether it is a bracket. */
export function isGroupFrame(frame: Frame): frame is GroupFrame {
  return "items" in frame;
}

/** How a frame is called in a message. */
export function describeFrame(frame: Frame): string {
  const sign = isGroupFrame(frame) ? OPENING[frame.kind] : PREFIX_MEANS[frame.kind];
  return `${sign} of line ${frame.line}`;
}

/** @throws {HistoryError} for a map with a key that has no value */
export function closeGroup(frame: GroupFrame): Datum {
  if (frame.kind === "map" && frame.items.length % 2 === 1) {
    throw new HistoryError(
      { line: frame.line },
      "a map with a key and no value",
      "a value for each key",
    );
  }
  return { kind: frame.kind, items: frame.items };
}

/**
 * A tag and what it stands before. The tag of a record or a namespaced map is told from others by who reads them.
 *
 * @throws {HistoryError} for `#:namespace` before something else than a map
 */
export function applyTag(frame: PrefixFrame, form: Datum): Datum {
  if (!frame.tag.startsWith(":")) return { kind: "tagged", tag: frame.tag, form };
  if (typeof form !== "object" || form === null || form.kind !== "map") {
    throw new HistoryError({ line: frame.line }, `#${frame.tag} before no map`, "a map");
  }
  return {
    kind: "map",
    items: form.items.map((item, at) => at % 2 === 0 ? inNamespace(frame.tag, item) : item),
  };
}

/** A keyword that has no namespace gets that of its map; `_` stands for none. */
function inNamespace(tag: string, key: Datum): Datum {
  if (typeof key !== "object" || key === null || key.kind !== "keyword") return key;
  if (key.text.startsWith("_/")) return { kind: "keyword", text: key.text.slice(2) };
  return key.text.includes("/") ? key : { kind: "keyword", text: `${tag.slice(1)}/${key.text}` };
}
