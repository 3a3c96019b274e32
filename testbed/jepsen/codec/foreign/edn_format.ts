/** Jepsen's EDN, also Knossos's and Maelstrom's `history.edn`, and Porcupine's text for key-value stores, which is EDN as well. */
import type { EventSink, Format, FormatReader } from "../format.ts";
import { headText } from "../sniff.ts";
import { EdnReader } from "./edn_reader.ts";
import { ForeignHistory, type ForeignOptions } from "./foreign_history.ts";
import { ForeignWriter } from "./foreign_writer.ts";
import { HeaderFirst } from "./header_first.ts";
import { ednNotation } from "./notation.ts";
import { readOperation } from "./operation.ts";
import { SourceText } from "./source_text.ts";

/** Operation maps or tuples, one after another or in one vector or list. */
export const EDN: Format = {
  name: "edn",
  describe: "EDN of Jepsen, Knossos and Maelstrom: operations as maps or [process type f value]",
  skippedMax: Infinity,
  sniff: (head) => looksLikeEdn(head),
  read: (sink, options: ForeignOptions) => readEdn(sink, options),
  write: () => new ForeignWriter(ednNotation(false)),
};

/** One map a line, with the key in a field of its own. */
export const KV: Format = {
  name: "kv",
  describe: "text of Porcupine's key-value tests: EDN maps with :key, and get, put, append",
  skippedMax: 0,
  sniff: (head) => looksLikeEdn(head) && KV_LINE.test(firstForm(head)),
  read: (sink, options: ForeignOptions) => readEdn(sink, { model: "kv", ...options }),
  write: () => new ForeignWriter(ednNotation(true)),
};

function readEdn(sink: EventSink, options: ForeignOptions): FormatReader {
  return readerOf(sink, (ordered) => {
    const history = new ForeignHistory(ordered, options, "edn");
    const forms = new EdnReader((form, line) => history.add(readOperation(form, line, "edn")));
    return { forms, history };
  });
}

/** Text becomes forms, forms become events. */
interface Stages {
  readonly forms: { push(text: string): void; end(): void };
  readonly history: { end(): void };
}

/** Bytes become text, and what becomes of that is up to the stages. */
export function readerOf(sink: EventSink, stages: (sink: EventSink) => Stages): FormatReader {
  const ordered = new HeaderFirst(sink);
  const { forms, history } = stages(ordered);
  const text = new SourceText(
    (piece) => forms.push(piece),
    () => ordered.note("begins with a byte order mark"),
  );
  return {
    push: (bytes) => text.push(bytes),
    end: () => {
      text.end();
      forms.end();
      history.end();
    },
  };
}

/** An operation of a key-value store with its key, in any order. */
const KV_LINE = /^(?=.*:key\b)(?=.*:f\s+:(?:get|put|append)\b)/;
/** What may stand before the first form. */
const LEADING = /^(?:[\s,]|;[^\n]*(?:\n|$))*/;
/** A tag or another prefix, or a bracket and inside of it a keyword, another bracket, a process, or nothing. */
const FORM_HEAD =
  /^(?:#_|\^|#[A-Za-z:][\w.:-]*\s*\{|\{[\s,]*(?:[:}]|$)|[[(][\s,]*(?:[\])[({#:;\d^]|$))/;
/** What JSON begins with: a string where EDN has a keyword. */
const JSON_HEAD = /^\s*\[?\s*\{\s*"/;

/** Whether a file that begins like this can be EDN with operations in it, or with nothing but comments. */
export function looksLikeEdn(head: Uint8Array): boolean {
  const text = headText(head);
  const form = text.replace(LEADING, "");
  if (form === "") return text.includes(";");
  return FORM_HEAD.test(form) && !JSON_HEAD.test(text);
}

function firstForm(head: Uint8Array): string {
  return headText(head).replace(LEADING, "").split("\n", 1)[0]!;
}
