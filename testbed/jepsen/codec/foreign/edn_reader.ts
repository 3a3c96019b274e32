/**
 * Reads EDN as it comes, in pieces cut anywhere, and hands on one form after the other. A vector or list around the whole
 * history is looked through: its items are the forms. Keeps what is open on a stack of its own, bounded in depth and size.
 */
import { HistoryError, quoted } from "../../history/history_error.ts";
import { DEPTH_MAX, FORM_TOKENS_MAX, type FormSink, TOKEN_MAX } from "./bounds.ts";
import { type Datum, isGroup } from "./datum.ts";
import { detached, parseAtom, parseSpecial } from "./edn_atom.ts";
import {
  applyTag,
  closeGroup,
  describeFrame,
  type Frame,
  type GroupFrame,
  isGroupFrame,
  type PrefixFrame,
} from "./edn_frame.ts";
import { CharacterClass, classOf, SIGN, stringEnd, tokenEnd } from "./edn_lexis.ts";
import { parseCharacter, unescapeString } from "./edn_text.ts";

const CLOSING = { list: ")", vector: "]", set: "}", map: "}" } as const;

/** See the top of this file. */
export class EdnReader {
  readonly #sink: FormSink;
  readonly #stack: Frame[] = [];
  #text = "";
  #at = 0;
  #line = 1;
  #isInComment = false;
  #isFinal = false;
  /** Tokens of the form that is open. */
  #tokens = 0;
  /** Line of the bracket around the whole history. */
  #historyLine = 0;
  #hasForms = false;

  constructor(sink: FormSink) {
    this.#sink = sink;
  }

  push(text: string): void {
    this.#text = this.#at === this.#text.length ? text : this.#text.slice(this.#at) + text;
    this.#at = 0;
    while (this.#step());
    this.#refuseLongToken();
  }

  end(): void {
    this.#isFinal = true;
    this.push("");
    const open = this.#stack[this.#stack.length - 1];
    if (open !== undefined) {
      throw this.#error("the end of the file", `the rest of ${describeFrame(open)}`);
    }
  }

  /** Takes one token, if all of it is there. */
  #step(): boolean {
    if (this.#isInComment && !this.#skipComment()) return false;
    this.#skipBlanks();
    if (this.#at >= this.#text.length) return false;
    switch (this.#text.charCodeAt(this.#at)) {
      case SIGN.semicolon:
        this.#isInComment = true;
        return true;
      case SIGN.quotation:
        return this.#string();
      case SIGN.backslash:
        return this.#character();
      case SIGN.number:
        return this.#dispatch();
      case SIGN.caret:
        return this.#prefix("metadata", "", 1);
      case SIGN.parenthesis:
        return this.#open("list", 1);
      case SIGN.bracket:
        return this.#open("vector", 1);
      case SIGN.brace:
        return this.#open("map", 1);
      case SIGN.parenthesisEnd:
        return this.#close(")");
      case SIGN.bracketEnd:
        return this.#close("]");
      case SIGN.braceEnd:
        return this.#close("}");
      default:
        return this.#token();
    }
  }

  #skipComment(): boolean {
    const newline = this.#text.indexOf("\n", this.#at);
    this.#at = newline < 0 ? this.#text.length : newline;
    this.#isInComment = newline < 0;
    return newline >= 0;
  }

  #skipBlanks(): void {
    const text = this.#text;
    let at = this.#at;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === SIGN.newline) this.#line++;
      else if (classOf(code) !== CharacterClass.blank) break;
    }
    this.#at = at;
  }

  #string(): boolean {
    const from = this.#at + 1;
    const end = stringEnd(this.#text, from);
    if (end < 0) return this.#waitForMore("a string that goes on", "a quotation mark");
    const body = this.#text.slice(from, end);
    if (body.length > TOKEN_MAX) throw this.#tooLong();
    const value = body.includes("\\") ? unescapeString(body) : detached(body);
    if (value === undefined) {
      throw this.#error(`an unknown escape in ${quoted(body)}`, "an escape of EDN");
    }
    const line = this.#line;
    for (let at = body.indexOf("\n"); at >= 0; at = body.indexOf("\n", at + 1)) this.#line++;
    this.#at = end + 1;
    return this.#deliver(value, line);
  }

  #character(): boolean {
    const from = this.#at + 1;
    const first = this.#text.codePointAt(from);
    if (first === undefined) return this.#waitForMore("a backslash", "a character");
    const end = tokenEnd(this.#text, from + (first > 0xffff ? 2 : 1));
    if (end === this.#text.length && !this.#isFinal) return false;
    const name = this.#text.slice(from, end);
    const text = first <= 0x20 ? undefined : parseCharacter(name);
    if (text === undefined) throw this.#error(`\\${quoted(name)}`, "the name of a character");
    this.#at = end;
    return this.#deliver({ kind: "character", text }, this.#line);
  }

  /** What begins with a number sign. */
  #dispatch(): boolean {
    const next = this.#text[this.#at + 1];
    if (next === undefined) return this.#waitForMore("#", "a tag");
    if (next === "{") return this.#open("set", 2);
    if (next === "_") return this.#prefix("discard", "", 2);
    if (next === "^") return this.#prefix("metadata", "", 2);
    const end = tokenEnd(this.#text, this.#at + 1);
    if (end === this.#text.length && !this.#isFinal) return false;
    const name = this.#text.slice(this.#at + 1, end);
    if (name.startsWith("#")) return this.#special(name, end);
    if (!/^:?[^\d:'#%&<=+.-][^:#%]*$/.test(name)) throw this.#error(`#${quoted(name)}`, "a tag");
    return this.#prefix("tag", detached(name), end - this.#at);
  }

  #special(name: string, end: number): boolean {
    const value = parseSpecial(name.slice(1));
    if (value === undefined) throw this.#error(quoted(`#${name}`), "##Inf, ##-Inf or ##NaN");
    this.#at = end;
    return this.#deliver(value, this.#line);
  }

  #token(): boolean {
    const end = tokenEnd(this.#text, this.#at);
    if (end === this.#at) throw this.#error(quoted(this.#text[end]!), "EDN");
    if (end === this.#text.length && !this.#isFinal) return false;
    const token = this.#text.slice(this.#at, end);
    if (token.length > TOKEN_MAX) throw this.#tooLong();
    const value = parseAtom(token);
    if (value === undefined) throw this.#error(quoted(token), "a number or a name");
    this.#at = end;
    return this.#deliver(value, this.#line);
  }

  #open(kind: GroupFrame["kind"], length: number): boolean {
    return this.#enter({ kind, line: this.#line, items: [], isHistory: false }, length);
  }

  #prefix(kind: PrefixFrame["kind"], tag: string, length: number): boolean {
    return this.#enter({ kind, line: this.#line, tag, isHalfWay: false }, length);
  }

  #enter(frame: Frame, length: number): boolean {
    if (this.#stack.length >= DEPTH_MAX) {
      throw this.#error(`nesting deeper than ${DEPTH_MAX}`, "a history");
    }
    this.#countToken();
    this.#stack.push(frame);
    this.#at += length;
    return true;
  }

  #close(bracket: string): boolean {
    const frame = this.#stack[this.#stack.length - 1];
    if (frame === undefined) throw this.#error(quoted(bracket), "something that it closes");
    if (!isGroupFrame(frame)) {
      throw this.#error(quoted(bracket), `what ${describeFrame(frame)} is about`);
    }
    if (CLOSING[frame.kind] !== bracket) {
      throw this.#error(quoted(bracket), `the end of ${describeFrame(frame)}`);
    }
    this.#stack.pop();
    this.#at++;
    if (frame.isHistory || this.#isEmptyHistory(frame)) return this.#endHistory(frame);
    return this.#deliver(closeGroup(frame), frame.line);
  }

  /** Nothing between the brackets at the top is a history without operations. */
  #isEmptyHistory(frame: GroupFrame): boolean {
    const isSequence = frame.kind === "vector" || frame.kind === "list";
    return isSequence && this.#stack.length === 0 && frame.items.length === 0;
  }

  #endHistory(frame: GroupFrame): boolean {
    this.#refuseSecond(frame.line);
    this.#historyLine = frame.line;
    return true;
  }

  /** A form is complete: it belongs to whatever is open. */
  #deliver(form: Datum, line: number): boolean {
    this.#countToken();
    let value = form;
    let begins = line;
    for (;;) {
      const frame = this.#stack[this.#stack.length - 1];
      if (frame === undefined) return this.#handOn(value, begins);
      if (isGroupFrame(frame)) return this.#addTo(frame, value, begins);
      if (frame.kind === "metadata" && !frame.isHalfWay) return frame.isHalfWay = true;
      this.#stack.pop();
      if (frame.kind === "discard") return this.#forget();
      if (frame.kind === "tag") value = applyTag(frame, value);
      begins = frame.line;
    }
  }

  /** What was to be discarded is gone, and with it what it counted, if it was no part of anything. */
  #forget(): true {
    const frame = this.#stack[this.#stack.length - 1];
    if (frame === undefined || (isGroupFrame(frame) && frame.isHistory)) this.#tokens = 0;
    return true;
  }

  #addTo(frame: GroupFrame, form: Datum, line: number): boolean {
    if (this.#stack.length === 1 && frame.items.length === 0 && isHistoryItem(frame, form)) {
      this.#refuseSecond(frame.line);
      frame.isHistory = true;
    }
    if (!frame.isHistory) frame.items.push(form);
    else {
      this.#tokens = 0;
      this.#sink(form, line);
    }
    return true;
  }

  #handOn(form: Datum, line: number): boolean {
    if (this.#historyLine > 0) this.#refuseSecond(line);
    this.#hasForms = true;
    this.#tokens = 0;
    this.#sink(form, line);
    return true;
  }

  #refuseSecond(line: number): void {
    if (this.#historyLine === 0 && !this.#hasForms) return;
    const before = this.#hasForms
      ? "operations one after another"
      : `the history of line ${this.#historyLine}`;
    throw new HistoryError({ line }, `another form after ${before}`, "one history in a file");
  }

  #countToken(): void {
    if (++this.#tokens <= FORM_TOKENS_MAX) return;
    throw this.#error(`a form of more than ${FORM_TOKENS_MAX} tokens`, "an operation");
  }

  #waitForMore(found: string, expected: string): false {
    if (this.#isFinal) throw this.#error(`${found} and the end of the file`, expected);
    return false;
  }

  #refuseLongToken(): void {
    if (this.#text.length - this.#at > TOKEN_MAX + 1 && !this.#isInComment) {
      throw this.#tooLong();
    }
  }

  #tooLong(): HistoryError {
    return this.#error(`a token of more than ${TOKEN_MAX} characters`, "a shorter one");
  }

  #error(found: string, expected: string): HistoryError {
    return new HistoryError({ line: this.#line }, found, expected);
  }
}

/** Whether a vector or list that begins like this holds operations, and is no operation `[process type f value]`. */
function isHistoryItem(frame: GroupFrame, first: Datum): boolean {
  if (frame.kind !== "vector" && frame.kind !== "list") return false;
  return isGroup(first) || (typeof first === "object" && first?.kind === "tagged");
}
